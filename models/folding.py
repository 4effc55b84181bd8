"""Chat spelling to plain words, for rules that must not miss a message because of how it was typed.

`fold` lower-cases, drops accents, apostrophes and invisible characters, undoes leetspeak ("su1cide"), spaced letters
("k i l l"), stretched letters ("pleaaase"), look-alike letters and the commonest typos of words that matter, and
writes contractions and chat abbreviations in one way ("i am", "wanna" become "im", "want to"). A full stop token
stands between sentences, so that a pattern with plain spaces stays within one.

It does not know what the words mean, nor any grammar, and it corrects only words of its own short list: it is not a
spelling checker. Its output is for matching, never for showing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

LIMIT = 10_000
"""Characters that are read of one text: the first and the last half of it when there are more."""

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ′＇"), None)
# Letters that Unicode does not take apart, and laughing faces, which say as much as "lol".
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss"} | dict.fromkeys("😂🤣😆😹😅💀😭", " lol ")
)
_LETTERS[ord("😭")] = " "  # crying is as often real as it is laughing: it counts for nothing
_LEET = str.maketrans("013457@$!|", "oieastasil")
_CYRILLIC_TWINS = str.maketrans("асеорхуікмтвн", "aceopxyikmtbh")
_MARKS = (re.compile(r"(?<=[a-z])!(?=[a-z])"), "i"), (re.compile(r"(?<=[a-z])\+(?=[a-z])"), "t")
"""Letters written as marks that would end a sentence or a word: "d!e", "wan+"."""
_SPACED = re.compile(r"(?<![^\W_])[a-z](?:[ .\-_*][a-z]){2,40}(?![^\W_])|(?:(?<=  )|^)[a-z] [a-z](?=  |$)")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_TOKEN = re.compile(r"[^\s.?!;:,\"()\[\]{}<>/\\…]+|[.?!;…\n]+", re.ASCII)
_COMPOUND = re.compile(r"[a-z]{2,}(?:-[a-z]{2,}){1,4}")
"""Words joined by hyphens, whose parts the patterns know ("life-threatening"), or one word cut in two ("ki-ll")."""
_EDGES = "-_*~#+=|^%&"

_DATA = tomllib.loads((Path(__file__).parent / "data" / "chat_spelling.toml").read_text(encoding="utf-8"))
_WORDS: dict[str, str] = {written: plain for plain, forms in _DATA["words"].items() for written in forms}
_PHRASES = tuple((re.compile(rf"\b(?:{pattern})\b"), plain) for pattern, plain in _DATA["phrases"])


def near_words(words: Sequence[str]) -> dict[str, str]:
    """Each form that is one letter short of a word, or two letters swapped, to the word it comes from."""
    near: dict[str, str] = {}
    for word in words:
        swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
        missing = (word[:i] + word[i + 1 :] for i in range(1, len(word)))
        for form in (*swapped, *(missing if len(word) >= 5 else ())):
            near.setdefault(form, word)
    return near | {word: word for word in words}


_NEAR = near_words(_DATA["corrected"])
_CUT = frozenset([*_DATA["corrected"], *_DATA["whole"]])
"""Words that hyphens may cut in two: "ki-ll"."""


def _corrected(token: str) -> str:
    """The word of the list that is one slip away (a letter missing, added, wrong, or two swapped), or the token."""
    if token in _NEAR:
        return _NEAR[token]
    for i in range(len(token)):
        near = _NEAR.get(token[:i] + token[i + 1 :])
        # Both one deletion away from the same form: a letter wrong or too many; anything else differs by two.
        if near and abs(len(near) - len(token)) <= 1 and near[0] == token[0]:
            return near
    return token


def _decoded(text: str) -> str:
    """Lower case without accents, apostrophes and invisible characters."""
    text = text.translate(_APOSTROPHES).lower().replace("\0", "")
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS)).translate(_APOSTROPHES).casefold()
    return "".join(c for c in text if c.isascii() or unicodedata.category(c) not in ("Mn", "Cf", "Cc", "Cs"))


def _word_of(token: str) -> str:
    """One token in plain spelling."""
    token = token.strip(_EDGES)
    if not token.isascii():
        if any("a" <= c <= "z" for c in token):
            token = token.translate(_CYRILLIC_TWINS)
        return token
    if token in _WORDS:
        return _WORDS[token]
    if not token.isalpha() and not token.isdigit() and any(c.isalpha() for c in token):
        plain = token.translate(_LEET)
        # "20mg", "14yo" and "11pm" are numbers with a unit, and no disguise.
        token = token if re.fullmatch(r"\d+[a-z]{1,3}", token) else plain
        token = _WORDS.get(token, token)
    if 5 <= len(token) <= 14:
        return _corrected(token)
    return token


def _joined(text: str) -> str:
    """The lines as sentences, or as one sentence where somebody sends a word or two per line."""
    lines = text.count("\n") + 1
    return text.replace("\n", " " if len(text.split()) <= 2 * lines else " . ")


def fold(text: str) -> str:
    """The text in plain words: single spaces, " . " between sentences, a space at both ends. Never raises."""
    if len(text) > LIMIT:
        text = f"{text[: LIMIT // 2]} . {text[-LIMIT // 2 :]}"
    text = _decoded(text)
    text = _SPACED.sub(lambda m: re.sub(r"[ .\-_*]", "", m[0]), text)
    text = _STRETCHED.sub(r"\1\1", text)
    for mark, letter in _MARKS:
        text = mark.sub(letter, text)
    words: list[str] = []
    for token in _TOKEN.findall(_joined(text)):
        word = "." if token[0] in ".?!;…" else _word_of(token)
        if _COMPOUND.fullmatch(word):
            whole = word.replace("-", "")
            words += [whole] if whole in _CUT else map(_word_of, word.split("-"))
        elif word and not (word == "." and words and words[-1] == "."):
            words.append(word)
    plain = " ".join(words)
    for pattern, written in _PHRASES:
        plain = pattern.sub(written, plain)
    return f" {plain} "
