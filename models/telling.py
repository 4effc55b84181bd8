"""Facts in words: what a companion says when it tells what it knows. Knows the slots of `facts.rules`, no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from models.phrases import shown
from models.questions import words
from pipelines.turn import Fact, Turn

_OWN = {
    "name": "your name is {}",
    "nickname": "I may call you {}",
    "home": "you live in {}",
    "home_town": "you come from {}",
    "age": "you're {}",
    "birthday": "your birthday is {}",
    "family": "you have {}",
    "language": "you speak {}",
    "plan": "you have this coming up: {}",
    "note": "you asked me to keep in mind: {}",
}
_THEIRS = {
    "name": "is called",
    "home": "lives in",
    "home_town": "comes from",
    "age": "is",
    "work": "works:",
    "school": "studies:",
    "like": "likes",
    "dislike": "doesn't like",
    "birthday": "has their birthday on",
}


def sentences(turn: Turn) -> list[str]:
    """Each known fact as the rest of "I know that ...", the likes in one; never the facts about the companion."""
    known = [f for f in turn.known() if f.about != "companion"]
    told = [text for f in known if not f.about and (text := sentence(f, known, turn.at))]
    for slot, verb in (("like", "you like"), ("dislike", "you don't like")):
        values = [spoken(f.value, turn.at) for f in known if f.slot == slot and not f.about]
        if values:
            told.append(f"{verb} {listing(values[-5:])}")
    told += [text for f in known if f.about and (text := sentence(f, known, turn.at))]
    return list(dict.fromkeys(told))


def sentence(fact: Fact, known: Sequence[Fact], at: datetime) -> str:
    """One fact, "" for what is better told with another one of `known` or cannot be told."""
    value = shown(fact.value, name=True) if fact.slot in ("name", "nickname") else spoken(fact.value, at)
    if not value:
        return ""
    if fact.about and fact.slot == "name" and fact.value.lower() in dead(known):
        return f"your {shown(fact.about)} {value} died"
    if fact.about:
        partner = fact.about in words("partners") and any(f.slot == "partner" and f.value == fact.value for f in known)
        verb = "" if fact.slot == "name" and partner else _THEIRS.get(fact.slot, "")
        return f"your {shown(fact.about)} {verb} {value}" if verb else ""
    if fact.slot in _OWN:
        return _OWN[fact.slot].format(value)
    small = value[0].islower()
    if fact.slot == "pet":
        named = any(f.about == fact.value and f.slot == "name" for f in known)
        return "" if named else f"you have {value}" if value.endswith("s") else f"you have {_a(value)}"
    if fact.slot == "partner":
        return f"you have {_a(value)}" if value.lower() in words("partners") else f"your partner is {value}"
    if fact.slot == "work":
        return f"you work as {_a(value)}" if small else f"you work at {value}"
    if fact.slot == "school":
        return f"you study {value}" if small else f"you go to {value}"
    return f"your {shown(fact.slot)} is {value}" if fact.slot.startswith("favorite ") else ""


def dead(facts: Sequence[Fact]) -> set[str]:
    """The names, in lower case, of those whose death was told."""
    return {f.value.lower().removesuffix(" died") for f in facts if f.slot == "event" and f.value.endswith(" died")}


def spoken(value: str, at: datetime) -> str:
    """A value with its ISO dates as people say them: "exam on 2026-11-27" to "exam on Friday 27 November"."""

    def day(match: re.Match[str]) -> str:
        try:
            date = datetime.fromisoformat(match[0])
        except ValueError:
            return match[0]
        near = {0: "today", 1: "tomorrow"}.get((date.date() - at.date()).days)
        return near or f"{date:%A} {date.day} {date:%B}" + ("" if date.year == at.year else f" {date.year}")

    def week(match: re.Match[str]) -> str:
        try:
            monday = datetime.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError:
            return match[0]
        weeks = (monday.date() - (at - timedelta(days=at.weekday())).date()).days // 7
        return {0: "this week", 1: "next week"}.get(weeks) or f"the week of {monday.day} {monday:%B}"

    value = re.sub(r"\b(\d{4})-W(\d\d)\b", week, shown(value))
    value = re.sub(r"\b\d{4}-\d\d-\d\d\b(?:T\d\d:\d\d)?", day, value)
    return re.sub(r"\b(?:on|in) (today|tomorrow|this week|next week)\b", r"\1", value)


def listing(values: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
