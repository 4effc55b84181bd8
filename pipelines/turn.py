"""Turn, the one object that travels through the pipeline, and the values that stages put in it.

A turn is one utterance of one person, with what is known when it arrives and one field per slot, empty until
the stage of that slot has run. The values are frozen: a stage makes its own and touches nobody else's.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SLOTS = ("safety", "embedding", "intent", "entities", "emotion", "facts", "memories", "candidates", "reply")
"""The slots in their usual running order; a config may leave some out."""

ONE_AT_A_TIME = frozenset({"name", "age", "birthday", "home", "home_town", "work", "school", "partner"})
"""Fact slots of which a person has one at a time: a newer statement closes the older one."""

NEW_TALK = timedelta(hours=3)
"""A pause after which a new talk begins: what was said before it is no longer in sight."""

Vector = NDArray[np.float32]

SAYS_AI = re.compile(r"\ban AI\b")
"""Finds in a reply that the companion says what it is."""


@dataclass(frozen=True)
class Persona:
    """Who the companion is. The person may give it another name; that is a fact about "companion"."""

    name: str = "Juno"
    traits: tuple[str, ...] = ("warm", "curious", "a little playful")
    likes: tuple[str, ...] = ("rain on windows", "bad puns", "other people's stories")


@dataclass(frozen=True)
class Utterance:
    """Something said earlier: by the "person" or by the "companion"."""

    role: Literal["person", "companion"]
    text: str
    at: datetime


@dataclass(frozen=True)
class Moment:
    """An utterance as memory keeps it, with the id that recall and facts refer to."""

    id: int
    role: Literal["person", "companion"]
    text: str
    at: datetime


class Past(Protocol):
    """All that was ever said with this person, searchable. One person's only, by construction."""

    def words(self, query: str, k: int) -> list[tuple[int, float]]:
        """The k moments that share the query's words (each read with the moment before it): id, BM25, best first."""

    def nearest(self, vector: Vector, k: int, encoder: str = "") -> list[tuple[int, float]]:
        """The k moments whose embedding by this encoder is nearest: id, cosine, best first."""

    def between(self, start: datetime, end: datetime, k: int) -> list[int]:
        """The k moments of the person that tell most of the time from `start` until `end`, best first."""

    def last_talk(self, before: datetime, k: int) -> list[int]:
        """The k moments of the person that tell most of the last talk but the one that goes on at that time."""

    def moment(self, id: int) -> Moment:
        """The moment of that id. Raises KeyError."""


# -- what the stages put in a turn


@dataclass(frozen=True)
class Risk:
    """What the safety stage found.

    level: how soon help is needed; kind: what about; reply: the fixed, human-written reply, when there is one:
    with it, nothing is generated.
    """

    level: Literal["none", "low", "risk", "now"] = "none"
    kind: str | None = None
    reply: str | None = None


@dataclass(frozen=True)
class Embedding:
    """One encoder pass over the text.

    vector: (dim,), unit length, for recall and ranking; features: (n,), what the heads read;
    encoder: the name of what made them, so that a head refuses features that it was not trained on.
    """

    vector: Vector
    features: Vector
    encoder: str


@dataclass(frozen=True)
class Intent:
    """label: the likeliest intent, or "out_of_scope"; runners_up: the next ones with their probabilities."""

    label: str
    probability: float
    runners_up: tuple[tuple[str, float], ...] = ()
    in_scope: bool = True


@dataclass(frozen=True)
class Entity:
    """A span of the text: text == turn.text[start:end]. value: normalised (an ISO date for a date), else None."""

    text: str
    label: str
    start: int
    end: int
    value: str | None = None


@dataclass(frozen=True)
class Emotion:
    """probabilities: per label, independent of each other; labels: those over their threshold, likeliest first
    ("neutral" alone when there is none); valence: -1 to 1."""

    probabilities: Mapping[str, float]
    labels: tuple[str, ...]
    valence: float


@dataclass(frozen=True)
class Fact:
    """Something the person said of themself (about == "") or of somebody else (about == "sister", "dog", ...,
    or "companion" for what they say of the companion, such as the name they gave it).

    change: "state" (true from now), "correct" (what was kept was wrong: forget it) or "end" (true no longer).
    since, until, turn, id: filled by memory; turn is the id of the moment it was said in.
    """

    slot: str
    value: str
    about: str = ""
    change: Literal["state", "correct", "end"] = "state"
    since: datetime | None = None
    until: datetime | None = None
    turn: int | None = None
    id: int | None = None


@dataclass(frozen=True)
class Memory:
    """A moment recalled for this turn, with the score that it was chosen by."""

    moment: Moment
    score: float


@dataclass(frozen=True)
class Candidate:
    """A possible reply. sure: a skill that knows the answer, which no generated reply should overrule.
    finished: False when the text was cut off by the length limit or by a stop."""

    text: str
    source: str
    sure: bool = False
    finished: bool = True
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """The reply that is sent. why: one line on why it won. ranked: all candidates with their scores, best first."""

    text: str
    source: str
    why: str = ""
    ranked: tuple[Candidate, ...] = ()


@dataclass
class Turn:
    """One utterance on its way through the pipeline. Only `text` is needed to make one by hand.

    person: an opaque key, never a handle; at: aware, in the person's time zone; history: the latest utterances,
    oldest first, without this one; untold: for how long this talk has gone on without the companion saying that it is
    an AI, None when it never said so to this person; profile: the facts that hold now; past: all that was ever said,
    or None; stop: set to end generation early; on_text: called from the models' thread with all of the reply so far,
    while a single candidate is being written; on_candidate: called there when, of several that are being written, one
    is finished and likelier than all before it; ms: milliseconds per stage; failed: what went wrong, per stage.
    """

    text: str
    person: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    persona: Persona = field(default_factory=Persona)
    history: Sequence[Utterance] = ()
    untold: timedelta | None = timedelta()
    profile: Sequence[Fact] = ()
    past: Past | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    on_text: Callable[[str], None] | None = None
    on_candidate: Callable[[Candidate], None] | None = None

    safety: Risk | None = None
    embedding: Embedding | None = None
    intent: Intent | None = None
    entities: list[Entity] | None = None
    emotion: Emotion | None = None
    facts: list[Fact] | None = None
    memories: list[Memory] | None = None
    candidates: list[Candidate] | None = None
    reply: Reply | None = None

    ms: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def known(self) -> list[Fact]:
        """The facts that hold once this message is heard: the profile with the facts just stated worked in."""
        facts = list(self.profile)
        for new in self.facts or ():
            if new.change == "end":
                facts = [f for f in facts if not _ends(new, f)]
                continue
            if new.slot in ONE_AT_A_TIME:
                facts = [f for f in facts if (f.about, f.slot) != (new.about, new.slot)]
            else:
                facts = [f for f in facts if (f.about, f.slot, f.value.lower()) != _key(new)]
            facts.append(new)
        return facts

    def fact(self, slot: str, about: str = "") -> str | None:
        """The value of the latest known fact of that slot, or None."""
        values = [f.value for f in self.known() if f.slot == slot and f.about == about]
        return values[-1] if values else None

    @property
    def companion_name(self) -> str:
        """What the companion is called by this person."""
        return self.fact("name", about="companion") or self.persona.name

    def as_dict(self) -> dict[str, Any]:
        """The turn for programs: plain values, one key per slot, without vectors."""
        return {
            "text": self.text,
            "safety": _plain(self.safety),
            "intent": _plain(self.intent),
            "entities": _plain(self.entities),
            "emotion": _plain(self.emotion),
            "facts": _plain(self.facts),
            "memories": _plain(self.memories),
            "candidates": _plain(self.reply.ranked if self.reply and self.reply.ranked else self.candidates),
            "reply": self.reply.text if self.reply else None,
            "why": self.reply.why if self.reply else None,
            "ms": {name: round(ms, 2) for name, ms in self.ms.items()},
            "failed": dict(self.failed),
        }


def _key(fact: Fact) -> tuple[str, str, str]:
    return fact.about, fact.slot, fact.value.lower()


def _ends(end: Fact, fact: Fact) -> bool:
    """An ending names a value, or none to end all of that slot."""
    return (end.about, end.slot) == (fact.about, fact.slot) and end.value.lower() in ("", fact.value.lower())


def _plain(value: Any) -> Any:
    """Dataclasses, dates and containers as JSON can hold them; numbers to four places; empty fields left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(item) for name, item in items if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float | np.floating):
        return round(float(value), 4)
    return value
