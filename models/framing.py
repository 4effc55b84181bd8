"""What only frames a question, taken off: "bet you forgot what my moms cat is called" is "what my mum cat is name", and
was a request.

Slips of the keyboard are mended towards the words that could be meant, kin and pets get the name that facts give them
("mom" is "mum", "doggo" is "dog"), words that mean one thing here become one. The words come from `[matching]` in
`data/questions.toml`. It knows no grammar beyond the order of a question, and English only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from models.chatspeak import load
from models.entity_rules import lists
from models.facts.people import forms, kinds
from models.respelling import common_words

AUX = frozenset(("is", "are", "was", "were", "am", "do", "does", "did", "have", "has", "had", "can"))
WH = frozenset(("what", "which", "who", "whom", "whose", "where", "when", "how"))
PRONOUNS = frozenset(("he", "she", "it", "they", "his", "her", "its", "their", "him", "them"))
_OTHERS = frozenset(("you", "your", "yours", "yourself", "why"))
_KNOW = (
    "(?:know|knew|remember|recall|forget|forgot|forgotten|guess|tell|say|spell out|spell|name|mention|have|got|keep|"
    "save|store)"
)
_TOLD = (
    r"(?:(?:say|said|mention|mentioned)(?: to you)?|(?:tell|told) you)(?: about)?"
    r"(?: earlier| before| yesterday| once)?\b"
)
_REQUESTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bhow (?:do|would|should) (?:you|i) (?:spell|write)\b",
        rf"\b(?:do|did|can|could|would|will|have) you (?:not )?(?:\w+ )?{_KNOW}\b",
        rf"\byou (?:(?:do|can|could|did|will) not )?(?:\w+ )?{_KNOW}\b",
        r"\b(?:tell|remind) (?:me|us)\b(?: of)?",
        rf"\b(?:i have|(?<!did )(?<!have )(?<!had )i) (?:ever |already |just |once )?{_TOLD}(?! at\b)",
        r"\bshould i say\b(?= i\b| my\b)|\bshould you\b(?= call| address)",
        r"\bi (?:just |totally |completely )?(?:(?:can|do|could) not (?:even )?(?:remember|recall|know)|forg[oe]t)\b",
        r"\bi (?:bet|wonder)\b|\bbet\b",
        r"^(?:ok |so |and |hey |now |please )*(?:name|spell|say|guess|remember|recall)\b",
        r"\b(?:any|some|no) (?:idea|clue)\b|(?:,| )(?:do|did|can) you$",
    )
)
"""What only asks the companion to remember, and is left out of the question."""
_DID_I_SAY = re.compile(rf"\b(?:did|have|had) i (?:ever |already |just |once )?{_TOLD}(?! at\b)")
_ORDER = re.compile(
    r"^(?:(?:please|just|now|ok|and|so) )*forget\b|\b(?:can|could|will|would|should|must|to)(?: \w+){0,2} forget\b"
)
""" "Forget my birthday" is no question for it."""
_JOB = re.compile(
    r"\b(what (?:do|does) (?!.*\b(?:i|we|you|it|to) do\b)\w.* )do\b"
    r"|\b(what (?!.*\b(?:i|we|you|it|to) does\b)(?!does )\w.* )does$"
)
""" "What does my dad do", "what my dad does": his work."""
_ACTED = re.compile(
    r"\b(?:i|we|he|she|they) did\b|\bdo i (?:say|tell)\b"
    r"|\bwho (?:\w+ )?(?:called|named|call|calls|names|name|gave|gives?)\b"
)
""" "What we did in school": more is asked than where that was."""


def unframed(text: str, own: set[str]) -> tuple[list[str], bool]:
    """The words of a text in plain words that are left, in order, and whether the companion was asked to remember; no
    words when it was told to forget. own: the words of the facts that are known, which are never mended."""
    mended = " ".join(_mend(word, own) for word in text.lower().split())
    if _ORDER.search(mended):
        return [], False
    bare = mended
    for pattern in _REQUESTS:
        bare = pattern.sub(" ", bare)
    bare = _DID_I_SAY.sub(" i ", bare)
    return _words(bare), bare != mended


def asks(said: Sequence[str], question_mark: bool, requested: bool) -> bool:
    """Whether the words are put as a question or a request, and not to the companion about itself."""
    if set(said) & _OTHERS:
        return False
    at = question_word(said)
    begins = next((word for word in said if word not in ("so", "and", "but", "ok", "hey", "wait", "now")), "")
    if at is None:
        mine = bool({"my", "our", "mine"} & set(said)) or (requested and {"i", "the"} <= set(said))
        mine = mine or (question_mark and begins == "the")
        again = begins in ("my", "our") and "again" in said
        return begins in AUX or (mine and (requested or question_mark or again))
    if (at >= len(said) - 2 and AUX & set(said)) or (at == 0 and not {"i", "my", "we", "our"} & set(said)):
        return True  # "my place is in which city", "which name belongs to me"
    after = said[at + 1 :]
    subject = next((i for i, word in enumerate(after) if word in ("i", "my", "we", "our")), len(after))
    # "Where i live it rains" has no verb before the "i", and is no question by itself.
    return requested or question_mark or "again" in said or bool(AUX & set(after[:subject]))


def question_word(said: Sequence[str]) -> int | None:
    return next((i for i in range(len(said) - 1, -1, -1) if said[i] in WH), None)


@cache
def data() -> dict[str, Any]:
    return dict(load("questions")["matching"])


@cache
def _vocabulary() -> frozenset[str]:
    lists_of = data()
    cues = {word for entries in lists_of["cues"].values() for entry in entries for word in entry.split()}
    same = {word for group in lists_of["same"] for word in group}
    groups = {word for kind, group in lists_of["groups"].items() for word in (kind, *group)}
    people = {joined(kind) for kind in kinds().values()}
    beside = {word for group in lists_of["beside"].values() for word in group}
    return frozenset(
        {*lists_of["frame"], *cues, *beside, *same, *groups, *people, *PRONOUNS, *_OTHERS, "should", "will", "not"}
    )


@cache
def somebody() -> re.Pattern[str]:
    return re.compile(rf"\b({forms()})s?\b")


def joined(kind: str) -> str:
    return kind.replace("-", "_").replace(" ", "_")


def _words(bare: str) -> list[str]:
    """The words in the form that facts are compared in: kin and favorites by one name each."""
    bare = _JOB.sub(lambda match: f"{match[1] or match[2]}job", " ".join(bare.split()))
    bare = _ACTED.sub("acted", bare)
    bare = re.sub(r"\bhome (?:town|city|country|village)\b", "hometown", bare)
    said = [same(word) for word in somebody().sub(lambda match: joined(kinds()[match[1]]), bare).split()]
    people = {joined(kind) for kind in kinds().values()}
    for i, word in enumerate(said[:-1]):
        for age in ("older", "younger"):
            # "My big sister", and not "who is older, me or my sister".
            if word in data()["groups"][age] and said[i + 1] in people:
                said[i] = f"{age}_"
    return said


@cache
def _same_words() -> dict[str, str]:
    return {word: group[0] for group in data()["same"] for word in group}


def same(word: str) -> str:
    return _same_words().get(word, word)


def _mend(word: str, own: set[str]) -> str:
    """own: the words of the facts. A word that is whole English, or a name, is never mended into another."""
    vocabulary = _vocabulary()
    if word in vocabulary or word in own or word in kinds():
        return word
    one = word[:-1] if word.endswith("s") else word
    if one in vocabulary or one in own or one in kinds():
        return one
    if len(word) < 3 or word in common_words() or {word, one} & set(lists()["names"]):
        return word
    return _near(one) or (_nearest(one, sorted(own), 0.85) if len(word) > 4 else "") or word


@lru_cache(maxsize=4096)
def _near(word: str) -> str:
    return _nearest(word, sorted({*_vocabulary(), *kinds()}), 0.8)


def _nearest(word: str, choice: Sequence[str], cutoff: float) -> str:
    near = difflib.get_close_matches(word, choice, n=3, cutoff=cutoff)
    return next((w for w in near if w[0] == word[0] and len(w) > 2 and abs(len(w) - len(word)) < 2), "")
