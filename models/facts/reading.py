"""One reading of one message: what was found in it so far and who it speaks of. Shared by the models/fact_*.py."""

from __future__ import annotations

import re
from typing import Literal

from models.facts import people as fact_people
from models.facts.people import EXCLUSIVE, People
from models.facts.text import Clause, clauses
from models.facts.words import listed
from pipelines.turn import ONE_AT_A_TIME, Fact, Turn


class Reading:
    """turn: the message; people: who is known; found: the facts so far; subject: whose clause was read last, None
    before there was one; moved: somebody changed their home, so that a new one is no correction."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.people = People(list(turn.profile))
        self.found: list[Fact] = []
        self.subject: str | None = None
        self.moved = False
        text = fact_people.without_appositives(turn.text)
        self.clauses = clauses(fact_people.apart(text, self.people.names()))
        self.whole = " ".join(clause.plain for clause in self.clauses)

    def add(self, slot: str, value: str, about: str = "", change: Literal["state", "end"] = "state") -> None:
        """Note a fact; what comes later in the message sees it as known."""
        fact = Fact(slot, value, about, change)
        if fact in self.found:
            return
        self.found.append(fact)
        if change == "state":
            if slot in ONE_AT_A_TIME:
                self.people.known = [f for f in self.people.known if (f.about, f.slot) != (about, slot)]
            self.people.known.append(fact)
        if about and about != "companion":
            self.people.mention(about)

    def end(self, slot: str, about: str) -> None:
        """What is known in that slot is true no longer."""
        for fact in [f for f in self.people.known if (f.about, f.slot) == (about, slot)]:
            self.add(slot, fact.value, about, "end")

    def introduce(self, about: str, name: str) -> None:
        """Somebody of that kind has that name."""
        kind = about.removeprefix("older ").removeprefix("younger ").removesuffix(f" {name}")
        if about in EXCLUSIVE:
            old = self.people.name_of(about)
            if old and old.casefold() != name.casefold():
                # Another one: what was known of the one before is not true of this one.
                for fact in [f for f in self.people.known if f.about == about and f.slot != "name"]:
                    self.add(fact.slot, fact.value, about, "end")
        if kind in fact_people.pet_kinds():
            self.add("pet", kind)
        if kind in listed("partners"):
            self.add("partner", name)
        self.add("name", name, about)

    def after(self, clause: Clause) -> list[Clause]:
        """The clauses that follow in the same sentence and are meant."""
        following = self.clauses[self.clauses.index(clause) + 1 :]
        return [c for c in following if c.sentence == clause.sentence and not c.unreal]


def index_at(plain: str, position: int) -> int:
    """The number of the word that begins at plain[position]."""
    return plain[:position].count(" ")


def position_of(clause: Clause, index: int) -> int:
    """Where in plain the first `index` words end."""
    return len(" ".join(word.plain for word in clause.words[:index]))


def after(pattern: re.Pattern[str], text: str, start: int = 0) -> int:
    """Where the pattern, standing at text[start:], ends; `start` if it does not stand there."""
    match = pattern.match(text, start)
    return match.end() if match else start


def ends(clause: Clause, index: int) -> bool:
    """Whether a value may end before words[index]: nothing follows, or what begins something else."""
    return index >= len(clause.words) or clause.words[index].plain in listed("cut") - _VERBS


_VERBS = frozenset({"s", "am", "is", "was", "has", "had"})
