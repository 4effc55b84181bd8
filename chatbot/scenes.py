"""Scenes: whole conversations with what must come out of them, in TOML, run through a real companion.

    title = "is remembered after a restart"
    [[session]]                     # a fresh process each: a new companion on the same data folder
    person = "lena"                 # default "someone"
    at = 2026-03-01T19:00:00+01:00  # optional: the session's clock; each turn is a minute later
    [[session.turn]]
    say = "hi im lena"
    reply = { has = ["Lena"], any = ["hi", "hello"], lacks = ["undefined"] }
    facts = { has = ["name=Lena"] }            # stated in this turn: about.slot=value
    known = { has = ["name=Lena"], lacks = ["home"] }  # holding after it
    recalls = { has = ["chemistry"] }          # words of what was recalled for it
    intent = ["greeting", "introduce_self"]    # one of these
    emotion = ["sadness"]                      # one of these is among its labels
    safety = "none"                            # the level

All checks are optional and ignore case. Knows no test framework: a scene gives the list of what failed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from chatbot.companion import Companion
from pipelines.errors import UsageError
from pipelines.turn import Fact, Turn


class Words(BaseModel, extra="forbid"):
    """has: all of these, any: one of these, lacks: none of these."""

    has: list[str] = []
    any: list[str] = []
    lacks: list[str] = []


class Facts(BaseModel, extra="forbid"):
    """has: all of these, lacks: none of these; "slot=value", or "slot" alone for any value."""

    has: list[str] = []
    lacks: list[str] = []


class Checks(BaseModel, extra="forbid"):
    """One message and what must come of it."""

    say: str
    reply: Words = Words()
    facts: Facts = Facts()
    known: Facts = Facts()
    recalls: Words = Words()
    intent: list[str] = []
    emotion: list[str] = []
    safety: Literal["none", "low", "risk", "now"] = "none"


def problem(turn: Any) -> str | None:
    """What is wrong with one message and its checks, or None."""
    try:
        Checks.model_validate(turn)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            return f"unknown {where}; known: {', '.join(Checks.model_fields)}"
        if first["type"] == "model_type":
            return f'{where}: write it as {{"has": ["..."], "lacks": ["..."]}}'
        return f"{where}: {first['msg']}"
    return None


@dataclass(frozen=True)
class Scene:
    """A title and its sessions, as written in the file."""

    title: str
    sessions: Sequence[Mapping[str, Any]]
    path: Path


def read_scene(path: Path) -> Scene:
    """Read one file. Raises UsageError when it is no scene, naming what it does not know."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        sessions = data["session"]
        for session in sessions:
            for turn in session["turn"]:
                if wrong := problem(turn):
                    raise UsageError(f"{path}: {turn.get('say', 'a turn')!r}: {wrong}")
        return Scene(data["title"], sessions, path)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: this is not a scene: {error!r}") from error


def _standing(at: datetime) -> Callable[[], datetime]:
    """A clock that stands."""
    return lambda: at


def run(scene: Scene, make_companion: Callable[[], Companion]) -> list[str]:
    """Play the scene; every session with a companion of its own, all on one data folder. Gives what failed."""
    failed = []
    for number, session in enumerate(scene.sessions, 1):
        companion = make_companion()
        at = _aware(session.get("at"))
        if at:
            # What is old enough to be let go of is so by the clock of the scene.
            companion.clock = _standing(at)
        try:
            for i, expected in enumerate(session["turn"]):
                when = at + timedelta(minutes=i) if at else None
                person = session.get("person", "someone")
                [turn] = companion.answer([(person, expected["say"])], at=when)
                known = companion.memory(person).facts()
                failed += [
                    f"{scene.title}: session {number}, {expected['say']!r}: {what}"
                    for what in check(turn, known, expected)
                ]
        finally:
            companion.close_memories()
    return failed


def check(turn: Turn, known: Sequence[Fact], expected: Mapping[str, Any]) -> list[str]:
    """What of the expectations does not hold for this turn."""
    reply = turn.reply.text if turn.reply else ""
    failed = [f"stage failed: {label}: {what}" for label, what in turn.failed.items()]
    failed += _words("reply", reply, expected.get("reply", {}))
    for name, facts in (("facts", turn.facts or ()), ("known", known)):
        lines = [f"{f.about}.{f.slot}={f.value}".lstrip(".") for f in facts]
        failed += _lines(name, lines, expected.get(name, {}))
    recalled = " / ".join(memory.moment.text for memory in turn.memories or ())
    failed += _words("recalls", recalled, expected.get("recalls", {}))
    intent = turn.intent.label if turn.intent else "none"
    if "intent" in expected and intent not in expected["intent"]:
        failed.append(f"intent is {intent}, not one of {expected['intent']}")
    labels = turn.emotion.labels if turn.emotion else ()
    if "emotion" in expected and not set(labels) & set(expected["emotion"]):
        failed.append(f"emotion is {', '.join(labels)}, none of {expected['emotion']}")
    level = turn.safety.level if turn.safety else "none"
    if expected.get("safety", level) != level:
        failed.append(f"safety is {level}, not {expected['safety']}")
    return failed


def _words(name: str, text: str, expected: Mapping[str, Sequence[str]]) -> list[str]:
    low = text.lower()
    failed = [f"{name} lacks {w!r}: {text!r}" for w in expected.get("has", ()) if w.lower() not in low]
    failed += [f"{name} has {w!r}: {text!r}" for w in expected.get("lacks", ()) if w.lower() in low]
    if expected.get("any") and not any(w.lower() in low for w in expected["any"]):
        failed.append(f"{name} has none of {expected['any']}: {text!r}")
    return failed


def _lines(name: str, lines: Sequence[str], expected: Mapping[str, Sequence[str]]) -> list[str]:
    """`slot=value` must be there whole; `slot` alone stands for any value of it."""
    low = [line.lower() for line in lines]

    def there(item: str) -> bool:
        item = item.lower()
        return item in low if "=" in item else any(line.split("=")[0] == item for line in low)

    failed = [f"{name} lacks {item!r}: {lines}" for item in expected.get("has", ()) if not there(item)]
    return failed + [f"{name} has {item!r}: {lines}" for item in expected.get("lacks", ()) if there(item)]


def _aware(at: datetime | None) -> datetime | None:
    return at.astimezone() if at and at.tzinfo is None else at
