"""Entities by patterns and word lists: what `models.entities` finds without a model.

Names are looked for in telling places ("im lena", "my sister anna", "a dog named biscuit", "i live in graz") and on
the lists of `data/entities.toml`, in any case. A name that is on no list and stands in no telling place is missed,
and so is a lower-case name that is also an everyday word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from models.chatspeak import load
from models.dates import MONTHS

_DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_COUNT = r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|a couple of|a few|couple of|half an)"
_PARTS = r"(?:morning|afternoon|evening|night)"
_PERIODS = r"(?:week(?:end)?|month|year|summer|winter|spring|autumn|fall|semester)"
_CURRENCY = r"(?:dollars?|bucks|euros?|pounds|quid|usd|eur|cents)"
_TENS = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)"

_SHAPES = (
    # (pattern, label, rank): the higher rank wins where two overlap; the last group, if any, is the span
    (r"\b\d{1,2}(?:[:.]\d\d)? ?(?:am|pm|a\.m\.?|p\.m\.?)(?!\w)|\b\d{1,2}:\d\d\b|\b\d{1,2} ?o['’]?clock\b", "TIME", 4.2),
    (rf"\b(?:this|tomorrow|yesterday|{_DAYS}) {_PARTS}\b|\b(?:tonight|tonite|last night)\b", "TIME", 4.2),
    (r"\b(?:half past|quarter past|quarter to) \d{1,2}(?: ?[ap]m\b)?|\b(?:noon|midnight)\b", "TIME", 4.2),
    (rf"\bin {_COUNT} (?:hour|minute|min|hr)s?\b|\b{_COUNT} (?:hour|minute|min|hr)s? ago\b", "TIME", 4.2),
    (r"\bat (\d{1,2})(?=[.,!?]|$| (?:and|but|so|today|tomorrow|tonight|on|in|with|for)\b)", "TIME", 4.2),
    (r"\b(?:the )?day (?:after tomorrow|before yesterday)\b", "DATE", 4.1),
    (r"\b(?:today|tomm?orr?ow|tmrw?|yesterday|this weekend)\b", "DATE", 4.0),
    (rf"\b(?:next|last|this|coming) {_PERIODS}\b", "DATE", 4.0),
    (rf"\b(?:(?:next|last|this|coming) )?{_DAYS}\b", "DATE", 4.0),
    (r"\b(?:on|next|last|this) (mon|tue|wed|thu|fri|sat|sun)\b", "DATE", 4.0),
    (rf"\bin {_COUNT} (?:day|week|month|year)s?\b|\b{_COUNT} (?:day|week|month|year)s? ago\b", "DATE", 4.0),
    (rf"\b{MONTHS}\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? (?:19|20)\d\d\b)?", "DATE", 4.0),
    (rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTHS}\b(?: (?:19|20)\d\d\b)?", "DATE", 4.1),
    (r"\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)\b", "DATE", 4.3),
    (rf"\b(?:in|since|last|next) ({MONTHS}\b(?: (?:19|20)\d\d\b)?|(?:19|20)\d\d\b)", "DATE", 4.0),
    (rf"[$€£] ?\d[\d,]{{0,12}}(?:\.\d\d?)?k?\b|\b\d[\d,.]{{0,12}} ?{_CURRENCY}\b", "MONEY", 4.0),
    (r"\b\d{1,3}(?:\.\d+)? ?(?:%|percent\b)", "PERCENT", 4.0),
    (rf"\b\d[\d,]{{0,12}}(?:\.\d{{1,9}})?\b|\b{_TENS}\b", "CARDINAL", 1.0),
    (
        r"\b(?:watch(?:ed|ing)?|read(?:ing)?|play(?:ed|ing)?|listen(?:ed|ing)? to|saw|called|song|book|movie|show|film)"
        r" [\"“']([^\"”'\n]{2,60})[\"”']",
        "WORK_OF_ART",
        5.0,
    ),
    (r"\buniversity of [a-z]{2,30}\b", "ORG", 4.5),
)

_NAME = r"([^\W\d_][\w'’\-]{0,30})"
_GIVEN = r"(?:['’]?s name is|['’]?s name['’]?s| is called| called| is named| named| name is)"
_LIVES = (
    r"(?:(?:live[sd]?|living|based|born|raised|grew up|studying|staying) (?:in|near)|mov(?:e|ed|ing) (?:back )?to|"
    r"(?:trip|fl(?:y|ew|ying)|travel(?:ing|ling|led)?) to|(?:i['’]?m|i am|come|comes|originally|is|are) from)"
)
_VERBS = (
    r"(?:is|was|has|had|said|says|just|wants|will|lives|moved|came|loves|likes|hates|got|died|passed|ate|eats|ran|barks|"
    r"sleeps|keeps|jumped|turns|turned|who|visited|visits|texted|thinks|told|doesnt)"
)
_CLAUSE_ENDS = re.compile(r"\s{0,3}(?:[,.!?\n]|$|and\b|btw\b|from\b|by the way)")
_GOES_ON = re.compile(rf" {_VERBS}\b")
_MORE = re.compile(r" ([^\W\d_][\w\-]{1,30})")
_WORDS = re.compile(r"[^\W_](?:[\w'’.\-]{0,30}\w)?")

_LISTS = (
    ("holidays", "DATE", 4.1),
    ("works", "WORK_OF_ART", 3.8),
    ("events", "EVENT", 3.8),
    ("places", "GPE", 3.6),
    ("orgs", "ORG", 3.5),
    ("names", "PERSON", 3.4),
)


@dataclass(frozen=True)
class Find:
    """A span that may be an entity; where finds overlap, the higher rank wins."""

    start: int
    end: int
    label: str
    rank: float


def finds(text: str) -> list[Find]:
    """Everything that the patterns and lists tell of the text, overlapping."""
    return [*_shaped(text), *_people(text), *_pets(text), *_places(text), *_workplaces(text), *_listed(text)]


@cache
def lists() -> dict[str, frozenset[str]]:
    """The word lists, as sets."""
    return {name: frozenset(words) for name, words in load("entities").items()}


@cache
def _shapes() -> list[tuple[re.Pattern[str], str, float]]:
    return [(re.compile(pattern, re.IGNORECASE), label, rank) for pattern, label, rank in _SHAPES]


def _shaped(text: str) -> Iterator[Find]:
    for pattern, label, rank in _shapes():
        for match in pattern.finditer(text):
            group = match.lastindex or 0
            yield Find(*match.span(group), label, rank)


@cache
def _telling() -> dict[str, re.Pattern[str]]:
    """Patterns whose groups may be a name; the word itself decides."""
    kin, pet = ("|".join(sorted(lists()[name], key=len, reverse=True)) for name in ("relations", "pets"))
    whose = r"\b(?:my|our|his|her|their|a|the)"
    patterns = {
        "intro": rf"\b(?:i['’]?m|i am|this is) {_NAME}",
        "named": rf"\b(?:my name is|my name['’]?s|name['’]?s|call me|i go by) {_NAME}",
        "kin": rf"{whose} (?:{kin}),? {_NAME}",
        "kin_called": rf"{whose} (?:{kin}){_GIVEN} {_NAME}",
        "is_kin": rf"(?<!\w){_NAME} is my (?:{kin})\b",
        "pet": rf"{whose} (?:{pet}),? {_NAME}",
        "pet_called": rf"{whose} (?:\w{{2,12}} )?(?:{pet}){_GIVEN} {_NAME}",
        "lives": rf"\b{_LIVES} {_NAME}(?: {_NAME})?",
        "town": rf"\b(?:town|city|village|place|island|suburb) (?:called|named) {_NAME}(?: {_NAME})?",
        "near": rf"\b(?:in|to|from|near|visit|visiting) {_NAME}",
        "works": rf"\b(?:work(?:s|ed|ing)?|job|intern(?:ship)?) (?:at|for) {_NAME}(?: {_NAME})?",
    }
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in patterns.items()}


def _people(text: str) -> Iterator[Find]:
    for match in _telling()["named"].finditer(text):
        if not _taken(match[1]):
            yield Find(match.start(1), _full_name(text, match), "PERSON", 5.0)
    for match in _telling()["intro"].finditer(text):
        word, known = match[1].lower(), match[1].lower() in lists()["names"]
        if _taken(word) or len(word) < 2 or (word in lists()["places"] and not known):
            continue
        if known or _large(match[1], text) or (_CLAUSE_ENDS.match(text, match.end(1)) and not looks_adjective(word)):
            yield Find(match.start(1), _end(match), "PERSON", 5.0 if known else 2.0)
    yield from _owned(text, "kin", "PERSON")
    for match in _telling()["is_kin"].finditer(text):
        if not _taken(match[1]) and (_large(match[1], text) or match[1].lower() in lists()["names"]):
            yield Find(match.start(1), _end(match), "PERSON", 5.0)


def _pets(text: str) -> Iterator[Find]:
    yield from _owned(text, "pet", "PET")


def _owned(text: str, kind: str, label: str) -> Iterator[Find]:
    """ "my sister anna", "a dog named biscuit"."""
    for match in _telling()[f"{kind}_called"].finditer(text):
        if not _taken(match[1]):
            yield Find(match.start(1), _full_name(text, match), label, 5.0)
    for match in _telling()[kind].finditer(text):
        word = match[1].lower()
        if _taken(word) or word in lists()["relations"] or word in lists()["pets"]:
            continue
        known = _large(match[1], text) or word in lists()["names"]
        if known or (_GOES_ON.match(text, match.end(1)) and not looks_adjective(word)):
            yield Find(match.start(1), _full_name(text, match), label, 5.0)


def _places(text: str) -> Iterator[Find]:
    for kind in ("lives", "town", "near"):
        for match in _telling()[kind].finditer(text):
            large, word = _large(match[1], text), match[1].lower()
            if _taken(word) or word in lists()["not_places"] or re.fullmatch(rf"{MONTHS}|{_DAYS}", word):
                continue
            if large or (kind != "near" and word not in lists()["relations"]):
                second = large and kind != "near" and match[2] and _large(match[2], text)
                yield Find(match.start(1), match.end(2) if second else _end(match), "GPE", 2.5)


def _workplaces(text: str) -> Iterator[Find]:
    for match in _telling()["works"].finditer(text):
        if _large(match[1], text) and not _taken(match[1]):
            second = match[2] and _large(match[2], text)
            yield Find(match.start(1), match.end(2) if second else _end(match), "ORG", 4.5)


def _listed(text: str) -> Iterator[Find]:
    """Runs of up to four words that are on a list; "Anna's" counts as "Anna"."""
    spans = [m.span() for m in _WORDS.finditer(text)]
    lowered = [text[a:b].lower().replace("’", "'") for a, b in spans]
    for i, (start, end) in enumerate(spans):
        for size in range(1, min(4, len(spans) - i) + 1):
            phrase = " ".join(lowered[i : i + size])
            for name, label, rank in _LISTS:
                if phrase in lists()[name]:
                    stop = spans[i + size - 1][1]
                    more = _MORE.match(text, stop) if label == "PERSON" and _large(text[start:], text) else None
                    stop = more.end(1) if more and _large(more[1], text) and not _taken(more[1]) else stop
                    yield Find(start, stop, label, rank + 0.02 * (size - 1))
        owner = lowered[i].removesuffix("'s")
        if owner != lowered[i] and (owner in lists()["names"] or owner in lists()["places"]):
            yield Find(start, end - 2, "GPE" if owner in lists()["places"] else "PERSON", 3.4)


def _full_name(text: str, match: re.Match[str]) -> int:
    """Where the name ends: the first group, with up to two more words that are names or written large like it."""
    end = _end(match)
    for _ in range(2 if end == match.end(1) else 0):
        more = _MORE.match(text, end)
        if not more or _taken(more[1]) or not (_large(more[1], text) or more[1].lower() in lists()["names"]):
            break
        end = more.end(1)
    return end


def _end(match: re.Match[str]) -> int:
    """Where the first group ends, without a possessive."""
    return match.end(1) - (2 if match[1].lower().endswith(("'s", "’s")) else 0)


def _taken(word: str) -> bool:
    return word.lower() in lists()["not_names"]


def _large(word: str, text: str) -> bool:
    """Written with a capital, in a text that is not all capitals."""
    return word[0].isupper() and not text.isupper()


def looks_adjective(word: str) -> bool:
    """Looks like an adjective or a verb form, and so hardly like a name: "exhausted", "nervous", "walking"."""
    return word.endswith(("ing", "ed", "ous", "ful", "less", "ish", "able", "ive", "ly", "ic", "ght"))
