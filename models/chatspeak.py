"""Chat spelling made plain, so that a phrase need be written once: "whats ur NAMEEE??" is "what is your name ?".

Words are lower-cased, apostrophes dropped, short forms written out, long-drawn letters squeezed; punctuation that
ends or joins clauses, emoji and emoticons stay as tokens of their own. For matching only: positions in the original
text are lost. It knows English short forms and nothing of grammar, so "ill" is read as "i will" unless it follows a
word such as "feel", and "its" is always "it is".
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

LIMIT = 2000
"""Characters that are read; what a person types after that is left to the language model."""

DATA = Path(__file__).parent / "data"

EMOJI = re.compile(r"[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_EMOTICON = (
    r"<3+|</3|[:;=8xX]['’]?-?[)(DPpOo3/\\|*\]\[](?![a-z0-9])"
    r"|\^_?\^|[>]?[.\-][_]+[.\-]|[(][:;]|\\o/|t_t\b|T_T\b|:'\(|D:(?!\w)"
)
_TOKEN = re.compile(rf"({_EMOTICON})|(\w+(?:['’ʼ`]\w+)*)|({EMOJI.pattern})|((?<!\d):|:(?!\d)|[.?!,;\n…]+)")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
_LAUGH = re.compile(r"(?:b?w?a?(?:h+[aeo]+){2,}h*|(?:ah){2,}a?|l+o+l+(?:o+l+)*|lmf?ao+|rofl|ro+fl|lul+|kek+|x+d+)")


@cache
def load(name: str) -> dict[str, Any]:
    """One of the word lists in `models/data`, read on first use."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _spelling() -> tuple[dict[str, str], frozenset[str], frozenset[str]]:
    words = load("chatspeak")
    return words["means"], frozenset(words["double"]), frozenset(words["sickness"])


def squeeze(word: str) -> str:
    """ "heyyyy" to "hey", "goooood" to "good": three and more of a letter are one, or two in a word that has two."""
    if not _RUN.search(word):
        return word
    two = _RUN.sub(r"\1\1", word)
    return two if two in _spelling()[1] else _RUN.sub(r"\1", word)


@lru_cache(maxsize=256)
def plain(text: str) -> str:
    """The text as plain tokens joined by single spaces; at most LIMIT characters of it are read."""
    means, _, sickness = _spelling()
    tokens: list[str] = []
    folded = unicodedata.normalize("NFKC", text[:LIMIT]).replace("\ufe0f", "")
    for emoticon, word, emoji, mark in _TOKEN.findall(folded):
        if emoticon or emoji:
            tokens.append(emoticon or emoji)
        elif mark:
            tokens.append("?" if "?" in mark else "!" if "!" in mark else "," if set(mark) <= set(",;:") else ".")
        else:
            word = squeeze(re.sub(r"['’ʼ`]", "", word.lower()))
            if _LAUGH.fullmatch(word):
                word = "haha" if "h" in word else "lol"
            if word == "ill" and (not tokens or tokens[-1].split()[-1] not in sickness):
                word = "i will"
            tokens.append(means.get(word, word))
    return " ".join(tokens)


def clauses(text: str) -> list[str]:
    """The plain text cut at punctuation and emoji; a clause that ended in a question mark keeps it (" ?")."""
    return _clauses(plain(text))


@lru_cache(maxsize=256)
def _clauses(plain_text: str) -> list[str]:
    found: list[str] = []
    words: list[str] = []
    for mark in [*plain_text.split(" "), "."]:
        if mark[:1].isalnum() and mark == mark.lower():
            words.append(mark)
            continue
        if words:
            found.append(" ".join([*words, "?"] if mark == "?" else words))
        words = []
    return found
