"""Recognising questions about the person and the companion, by the patterns of `data/questions.toml`.

"What's my name?", "where do i live", "what's my dog called", "how old is my sister", "what do you know about me". It
tells what is asked for and whose it is, and knows no answer. A question put in words that no pattern has is missed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from models.chatspeak import clauses, load
from pipelines.turn import Fact, Turn

_TAG = re.compile(
    r"(?: (?:right|now|yeah|yes|again|correct|do not you|huh|though|please|haha|lol|then|at the moment|exactly|"
    r"or not|i mean))+$"
)
"""What may follow a question: "you know my name, right?"."""


@dataclass(frozen=True)
class Question:
    """kind: "own" (a slot of the person), "theirs" (a slot of whom `word` says), "of_named", "all", "favorite", "has",
    "pets", "likes", "partner", "named" (who is ...), "remember" or "fact" (anything else); word: the group of the
    pattern."""

    kind: str
    slot: str = ""
    word: str = ""


def question(clause: str) -> Question | None:
    """What a clause in plain words (without "?") asks about the person; None when it does not.

    Mistyped key words are put right first: "what is my nmae"; what trails after it is left out: "..., right"."""
    mended = mend(clause)
    found = [asked for text in dict.fromkeys((mended, clause, bare(mended))) if (asked := _question(text))]
    return next((asked for asked in found if asked.kind not in ("remember", "fact")), found[0] if found else None)


def bare(clause: str) -> str:
    """The clause without what trails after a question: "you know my name, right"."""
    return _TAG.sub("", clause)


def matches(group: str, kind: str, text: str) -> re.Match[str] | None:
    """The first match of the patterns of that kind: matches("kept", "pause", clause)."""
    return next((match for pattern in _patterns(group, kind) if (match := pattern.search(text))), None)


def words(name: str) -> list[str]:
    """One of the word lists."""
    return list(load("questions")["words"][name])


def mend(clause: str) -> str:
    """The clause with the mistyped key words of a question put right."""
    known = {*words("keys"), *words("confusable"), *words("stop")}
    tokens = clause.split()
    for i, word in enumerate(tokens if len(tokens) <= 12 else ()):
        if len(word) > 2 and word not in known:
            near = difflib.get_close_matches(word, words("keys"), n=1, cutoff=0.75)
            if near and near[0][0] == word[0] and abs(len(near[0]) - len(word)) <= 1:
                tokens[i] = near[0]
    return " ".join(tokens)


def is_question(turn: Turn, text: str) -> bool:
    """Whether a question mark stands behind the clause of the message in which the text ends."""
    return any(clause.endswith(" ?") and text.endswith(clause.removesuffix(" ?")) for clause in clauses(turn.text))


def owners(facts: Sequence[Fact], one: str) -> set[str]:
    """The values of `about` that are meant by a word such as "sister" or "pet"."""
    told = {f.about for f in facts if f.about and f.about != "companion"}
    if one == "family":
        return {about for about in told if about.split()[-1] in load("entities")["relations"]}
    if one in ("pet", "animal"):
        return told & animals()
    if one == "sibling":
        return {about for about in told if about.split()[-1] in ("sister", "brother")}
    if one in ("kid", "child", "children"):
        return {about for about in told if about.split()[-1] in ("kid", "child", "son", "daughter", "baby")}
    kin = next((group for group in load("questions")["words"]["kin"] if one in group), [one])
    # "My friend's dog" is nobody's but the friend's.
    return (told & set(kin)) or {about for about in told if about.split()[-1] in kin and "'s " not in about}


def animals() -> set[str]:
    return {*load("entities")["pets"], "animal"}


def known_kin(one: str) -> bool:
    return one in load("entities")["relations"] or one in (*words("partners"), "sibling", "kid", "child", "children")


def singular(who: str) -> str:
    """ "sisters" (which may be "sister's") to "sister"; "little sister" stays as it is."""
    who = who.removesuffix(" s")
    if known_kin(who) or who in animals() or len(who) <= 3 or who.endswith("ss"):
        return who
    return who.removesuffix("s")


def _question(clause: str) -> Question | None:
    data = load("questions")
    if matches("person", "all", clause):
        return Question("all")
    for slot in data["own"]:
        if matches("own", slot, clause):
            return Question("own", slot)
    for kind in ("favorite", "has", "likes"):
        if match := matches("person", kind, clause):
            return Question(kind, word=match[1])
    for kind in ("partner", "pets"):
        if matches("person", kind, clause):
            return Question(kind)
    for slot in data["theirs"]:
        if match := matches("theirs", slot, clause):
            return Question("theirs", slot, match[1])
    for slot in data["named"]:
        if match := matches("named", slot, clause):
            return Question("of_named", slot, match[1])
    if match := matches("person", "their_name", clause):
        return Question("theirs", "name", match[1])
    if match := matches("person", "named", clause):
        return Question("named", word=match[1])
    for kind in ("remember", "fact"):
        if matches("person", kind, clause) and not matches("person", "rhetorical", clause):
            return Question(kind)
    return None


@cache
def _patterns(group: str, kind: str) -> list[re.Pattern[str]]:
    data = load("questions")
    prefix = "<ask>(?:{})" if group in ("own", "theirs", "named") else "{}"
    compiled = []
    for pattern in data[group][kind]:
        text = prefix.format(pattern)
        for macro in ("ask", "know", "is", "who"):
            text = text.replace(f"<{macro}>", data["macros"][macro])
        compiled.append(re.compile(text))
    return compiled
