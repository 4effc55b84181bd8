"""What the tests of memory share: a day, an exchange that is remembered, facts in short, what is left in files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatbot.memory import Memory
from pipelines.turn import Fact

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


def say(memory: Memory, text: str, *facts: Fact, minutes: int = 0, reply: str = "ok") -> int:
    """One exchange; gives the id of what the person said."""
    at = AT + timedelta(minutes=minutes)
    id = memory.hear(text, at)
    memory.learn(id, facts)
    memory.answer(reply, at + timedelta(seconds=5), to=id)
    return id


def values(facts: list[Fact]) -> list[str]:
    return [f"{f.about + '.' if f.about else ''}{f.slot}={f.value}" for f in facts]


def left(folder: Path, words: list[str]) -> list[str]:
    found = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    return [word for word in words if word.encode() in found or word.title().encode() in found]
