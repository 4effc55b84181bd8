"""What memory brings up: earlier talks when they are asked for, and plans around their day.

Earlier talks are told in the person's own words, as recalled (models/memories.py); a plan is asked about once, when a
talk begins with no more than a hello. It does not know how a plan went, nor what a talk was about beyond its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models import recall_times
from models.chatspeak import load
from models.phrases import choose, shown
from models.prompt import ago
from models.telling import listing
from pipelines.turn import NEW_TALK, Fact, Turn

EVENING = 18
"""The hour from which on a plan of today without a time is taken to be over."""
QUOTES = 3


def talked_about(turn: Turn) -> str | None:
    """The answer to "what did we talk about last time?" and the like; None for anything else."""
    if recall_times.our_talks(turn.text) is None:
        return None
    texts = load("reminding")["talks"]
    told: dict[str, list[str]] = {}
    for memory in sorted((turn.memories or [])[:QUOTES], key=lambda m: m.moment.at):
        if memory.moment.role == "person" and (text := shown(memory.moment.text)):
            when = ago(memory.moment.at, turn.at).replace("today", "earlier today")
            told.setdefault(when, []).append(f"“{text.rstrip('.')}”")
    if not told:
        return choose(turn, texts["nothing"])
    (when, first), *later = told.items()
    quotes = "; ".join([listing(first), *(f"{day}: {listing(said)}" for day, said in later)])
    return choose(turn, texts["told"], When=when.capitalize(), quotes=quotes)


@dataclass(frozen=True)
class Due:
    """A plan of the person whose day is near: what it is, the day, and the time of day if there is one."""

    fact: Fact
    what: str
    day: date
    at: datetime | None

    def state(self, now: datetime) -> str:
        """ "tomorrow", "ahead" (today) or "over"."""
        if self.day > now.date():
            return "tomorrow"
        over = self.at.replace(tzinfo=now.tzinfo) <= now if self.at else now.hour >= EVENING
        return "over" if self.day < now.date() or over else "ahead"


def due(turn: Turn) -> Iterator[Due]:
    """The plans of tomorrow, today and the two days before, when a new talk begins."""
    if turn.history and turn.at - turn.history[-1].at < NEW_TALK:
        return
    for fact in turn.profile:
        match = re.fullmatch(r"(.+) on (\d{4}-\d\d-\d\d)(T\d\d:\d\d)?", fact.value) if fact.slot == "plan" else None
        if match is None or fact.about:
            continue
        day = date.fromisoformat(match[2])
        if timedelta(days=-2) <= day - turn.at.date() <= timedelta(days=1):
            yield Due(fact, match[1], day, datetime.fromisoformat(match[2] + match[3]) if match[3] else None)


def due_plan(turn: Turn) -> str | None:
    """A question about the plan that is next or just over, unless it was spoken of since; None when there is none."""
    for plan in sorted(due(turn), key=lambda plan: plan.day, reverse=True):
        state, what = plan.state(turn.at), shown(plan.what)
        since = plan.day if state == "over" else turn.at.date()
        words = set(re.findall(r"\w{4,}", plan.what.lower()))
        spoken_of = any(
            said.at.astimezone(turn.at.tzinfo).date() >= since and words & set(re.findall(r"\w{4,}", said.text.lower()))
            for said in turn.history
        )
        if what and not spoken_of:
            days = (turn.at.date() - plan.day).days
            day = {0: "today", 1: "yesterday"}.get(days, f"on {plan.day:%A}")
            return choose(turn, load("reminding")["plan"][state], plan=what, Plan=what[:1].upper() + what[1:], day=day)
    return None
