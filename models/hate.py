"""Whether a text degrades or threatens people for the group they belong to. Used by the outgoing check.

The text is put into plain words (models/respelling.py, models/folding.py), groups become "grp" and slurs "slur", and
is then asked: is a hostile word tied to the group (`linked`), is the sentence one of contempt (`shapes`), and is it
denied, told of others or spoken against? "They" counts for a group that the text named before.

It knows shapes and words of English only: it does not understand irony, new slurs, or contempt in polite words, and
speech against hate that quotes it at length may be taken for it. models/hate_head.py hears more.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.folding import fold
from models.patterns import Pattern
from models.respelling import Respeller, common_words

DATA = Path(__file__).parent / "data" / "hate.toml"


@dataclass(frozen=True)
class _Words:
    """All but `respeller` are patterns on folded text. weak: groups that most sentences name without a thought of the
    group, which count in a general statement only; denied: hostile words that a negation takes back; own: a slur that
    somebody says of themself."""

    group: re.Pattern[str]
    slur: re.Pattern[str]
    weak: re.Pattern[str]
    general: re.Pattern[str]
    homonyms: list[Pattern]
    own: re.Pattern[str]
    against: list[Pattern]
    denied: re.Pattern[str]
    hostile: re.Pattern[str]
    linked: list[Pattern]
    shapes: list[Pattern]
    respeller: Respeller


@dataclass(frozen=True)
class Reading:
    """What the rules see in one text. plain: in plain words, quotations left out, the groups as "grp", slurs as "slr";
    the rest: what speaks for hate and against it, as models/hate_head.py is told."""

    plain: str
    slur: bool = False
    quotes: bool = False
    against: bool = False
    own: bool = False
    hostile: bool = False
    denied: bool = False
    linked: bool = False
    shaped: bool = False

    @property
    def names_group(self) -> bool:
        """Also "woman" or "boys", which no rule is about by themselves but the head may be."""
        return any(mark in self.plain for mark in ("grp", "grq", "slr"))

    @property
    def hateful(self) -> bool:
        return (self.linked or self.shaped or (self.slur and not self.own)) and not self.against

    @property
    def signs(self) -> tuple[float, ...]:
        seen = (self.slur, self.quotes, self.against, self.own, self.hostile, self.denied, self.linked, self.shaped)
        return (*map(float, seen), float(self.hateful))


LISTS = {
    "insults": "INSULT",
    "mild": "MILD",
    "harm": "HARM",
    "feelings": "FEELING",
    "worth": "WORTH",
    "negation": "NOT",
}
"""How the patterns of the data file name its word lists."""

_THEM = re.compile(
    r"\b(?:they|them|these people|those people|(?:their|your|that|this) (?:kind|lot|sort)|people like \w+|these|those"
    r"|you|it)\b"
)
_QUOTED = re.compile(r"[\"“”«][^\"“”«»]{3,300}[\"“”»]|(?<!\w)['‘][^'‘’]{3,300}['’](?!\w)")
_WORD = re.compile(r"(?<![\\a-z])[a-z]{3,}")


@cache
def _words() -> _Words:
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    slurs = [codecs.decode(word, "rot13") for word in data["slurs"]]

    def filled(pattern: str) -> str:
        for name, short in LISTS.items():
            pattern = pattern.replace(short, data[name])
        return pattern

    groups = sorted((g.replace("{of}", data["of"]).replace("{who}", data["who"]) for g in data["groups"]), key=len)
    lists = " ".join((*groups, *(data[name] for name in ("insults", "mild", "harm", "feelings"))))
    pieces = _WORD.findall(re.sub(r"\\[wb]", "*", lists).replace("*", " "))
    # Pieces of words, and words that say nothing, are not looked for: "ing", "the".
    single = {word for word in pieces if len(word) > 4 or word in common_words()} - set(data["glue"])
    return _Words(
        group=re.compile(rf"\b(?:{'|'.join(reversed(groups))})\b"),
        slur=re.compile(rf"\b(?:{'|'.join(slurs)})\b"),
        weak=re.compile(rf"\b(?:{'|'.join(data['weak_groups'])})\b"),
        general=re.compile(filled(data["general"])),
        homonyms=[Pattern(pattern) for pattern in data["homonyms"]],
        own=re.compile(data["own"]),
        against=[Pattern(data["against"]), Pattern(data["reported"])],
        denied=re.compile(filled(data["denied"])),
        hostile=re.compile(filled(r"\b(?:INSULT|HARM|FEELING)\b")),
        linked=[Pattern(filled(pattern)) for pattern, _why in data["linked"]],
        shapes=[Pattern(filled(pattern)) for pattern, _why in data["shapes"]],
        respeller=Respeller([*single, *slurs, *data["whole"]], exact=[word for word in slurs if len(word) < 7]),
    )


def names_group(text: str) -> bool:
    """Whether the text speaks of a group, kindly or not. Never raises."""
    return Reading(_marked(text)[0]).names_group


def hateful(text: str) -> bool:
    """Whether the text degrades or threatens a group. Never raises."""
    return read(text).hateful


def read(text: str) -> Reading:
    """What the rules see in the text. Never raises."""
    words = _words()
    plain, quotes = _marked(text)
    if "grp" not in plain and "slr" not in plain:
        return Reading(plain, quotes=quotes)
    hostile = linked = shaped = named = False
    for sentence in plain.split(" . "):
        said = f" {sentence.strip()} "
        if named and "grp" not in said and "slr" not in said:
            said = _THEM.sub("grp", said.replace("theyre", "they are").replace("youre", "you are"))
        named = named or "grp" in said or "slr" in said
        if not named:
            continue
        rest = words.denied.sub(" ", said)
        hostile = hostile or bool(words.hostile.search(rest))
        linked = linked or any(pattern.search(rest) for pattern in words.linked)
        shaped = shaped or any(pattern.search(rest) for pattern in words.shapes)
    return Reading(
        plain,
        slur="slr" in plain,
        quotes=quotes,
        against=any(pattern.search(plain) for pattern in words.against),
        own=bool(words.own.search(plain)),
        hostile=hostile,
        denied=bool(words.denied.search(plain)),
        linked=linked,
        shaped=shaped,
    )


def _marked(text: str) -> tuple[str, bool]:
    """The text in plain words, without what it quotes, its groups and slurs replaced; and whether it quoted."""
    words = _words()
    unquoted = _QUOTED.sub(" _ ", text)
    plain = words.respeller.after(fold(words.respeller.before(unquoted)))
    for pattern in words.homonyms:
        plain = pattern.sub(" _ ", plain)
    marked = words.slur.sub("slr", words.group.sub("grp", plain))
    weak = words.weak.sub("grq", marked)
    return words.weak.sub("grp", marked) if words.general.search(weak) else weak, unquoted != text
