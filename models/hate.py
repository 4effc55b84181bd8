"""Whether a text degrades or threatens people for the group they belong to. Used by the outgoing check.

The text is folded, groups become "grp" and slurs "slur", and a few sentence shapes are looked for: an emotion against
a group, a group called something, threats, rights denied. Speech against hate, and denials, are let through. Typing
that hides words is undone as far as that goes: a letter missing or swapped, a space too many or too few.

It knows shapes and words of English only: it does not understand irony, new slurs, or contempt in polite words, and
speech against hate that quotes it at length may be taken for it.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.folding import fold, near_words
from models.patterns import Pattern

DATA = Path(__file__).parent / "data" / "hate.toml"


@dataclass(frozen=True)
class _Words:
    """group, slur, against: patterns on folded text; denied: hostile words that a negation takes back; hostile: what
    is left; shapes: whole phrases; weak: groups that most sentences name without a thought of the group, which count
    in a general statement only; near: misspelt form -> word; known: words that run-together text is cut into."""

    group: re.Pattern[str]
    slur: re.Pattern[str]
    against: re.Pattern[str]
    denied: re.Pattern[str]
    hostile: re.Pattern[str]
    shapes: list[Pattern]
    weak: re.Pattern[str]
    general: re.Pattern[str]
    near: dict[str, str]
    known: frozenset[str]


SHORT = {"insults": "INSULT", "harm": "HARM", "feelings": "FEELING", "worth": "WORTH", "negation": "NOT"}
"""How the patterns of the data file name its word lists."""

_THEM = re.compile(
    r"\b(?:they|them|these people|those people|(?:their|your|that) kind|people like \w+|these|those|you)\b"
)
_QUOTED = re.compile(r"[\"“”«][^\"“”«»]{3,300}[\"“”»]|(?<!\w)['‘][^'‘’]{3,300}['’](?!\w)")


@cache
def _words() -> _Words:
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    slurs = [codecs.decode(word, "rot13") for word in data["slurs"]]

    def filled(pattern: str) -> re.Pattern[str]:
        for name in ("insults", "harm", "feelings", "worth", "negation"):
            pattern = pattern.replace(SHORT[name], data[name])
        return re.compile(pattern)

    shapes = [pattern for pattern, _why in data["shapes"]]
    lists = " ".join((*data["groups"], data["insults"], data["harm"], data["feelings"]))
    # Words of the patterns must not be taken apart either: "without" is not "with out".
    told = set(
        re.findall(r"(?<![\\a-z])[a-z]{3,}", " ".join((*shapes, data["against"], data["worth"], data["negation"])))
    )
    single = set(re.findall(r"(?<![\\a-z])[a-z]{3,}", re.sub(r"\\[wb]", "*", lists).replace("*", "")))
    group = "|".join(sorted(data["groups"], key=len, reverse=True))
    return _Words(
        group=re.compile(rf"\b(?:{group})\b"),
        slur=re.compile(rf"\b(?:{'|'.join(slurs)})\b"),
        against=re.compile(data["against"]),
        weak=re.compile(rf"\b(?:{'|'.join(data['weak_groups'])})\b"),
        general=filled(data["general"]),
        denied=filled(data["denied"]),
        hostile=filled(r"\b(?:INSULT|HARM|FEELING)\b"),
        shapes=[Pattern(filled(shape).pattern) for shape, _why in data["shapes"]],
        near=near_words(sorted(single | set(data["whole"]))),
        known=frozenset((*single, *told, *slurs, *data["whole"], *data["glue"])),
    )


def names_group(text: str) -> bool:
    """Whether the text speaks of a group, kindly or not. Never raises."""
    marked = _marked(text, _words())
    return "grp" in marked or "slr" in marked


def _marked(text: str, words: _Words) -> str:
    """The text in plain words, without what it quotes, its groups and slurs replaced by grp and slr."""
    plain = _repaired(fold(_QUOTED.sub(" _ ", text)), words)
    marked = words.slur.sub("slr", words.group.sub("grp", plain))
    general = words.general.search(words.weak.sub("grq", marked))
    return words.weak.sub("grp", marked) if general else marked


def hateful(text: str) -> bool:
    """Whether the text degrades or threatens a group. Never raises."""
    words = _words()
    marked = _marked(text, words)
    if ("grp" not in marked and "slr" not in marked) or words.against.search(marked):
        return False
    seen = False
    for sentence in marked.split(" . "):
        named = "grp" in sentence or "slr" in sentence
        if seen and not named:
            sentence = _THEM.sub("grp", sentence.replace("theyre", "they are").replace("youre", "you are"))
            named = "grp" in sentence
        seen = seen or named
        rest = words.denied.sub(" ", sentence)
        if named and (any(shape.search(rest) for shape in words.shapes) or words.hostile.search(rest)):
            return True
    return False


def _repaired(plain: str, words: _Words) -> str:
    """Slips of a letter put right, and words torn apart or run together put back."""
    out: list[str] = []
    for token in plain.split():
        token = _unmasked(token, words) if "*" in token else token
        token = token if token in words.known else words.near.get(token, token)
        if out and len(out[-1]) <= 8 and out[-1] not in words.known and len(token) <= 8:
            joined = words.near.get(out[-1] + token, out[-1] + token)
            if joined in words.known and len(joined) >= 5:
                out[-1] = joined
                continue
        if len(token) >= 5 and token not in words.known:
            out.extend(_cut(token, words.known))
        else:
            out.append(token)
    return f" {' '.join(out)} "


def _unmasked(token: str, words: _Words) -> str:
    """A word with a star for some of its letters ("w*men") as the first known word that fits, or as it is."""
    if len(token) > 20 or token.count("*") > len(token) / 2:
        return token
    fits = re.compile(re.escape(token).replace(r"\*", "[a-z]"))
    return next((word for word in sorted(words.known) if len(word) == len(token) and fits.fullmatch(word)), token)


def _cut(token: str, known: frozenset[str]) -> list[str]:
    """A run-together token as the fewest known words, or as it is when it cannot be cut."""
    if len(token) > 80:
        return [token]
    best: list[list[str] | None] = [[]] + [None] * len(token)
    for end in range(1, len(token) + 1):
        for start in range(max(0, end - 14), end):
            before, word = best[start], token[start:end]
            if before is not None and word in known and (best[end] is None or len(before) + 1 < len(best[end] or [])):
                best[end] = [*before, word]
    return best[-1] or [token]
