"""Requests for means and methods of self-harm, suicide and eating disorders, in whatever order their words come.

A topic of data/means.toml is a few word lists that must all be found in one sentence (what is asked, by what, to which
end), and words that make it harmless. Several searches for lists of words need no gaps between them, so that the order
does not matter and the time stays linear.

It knows words alone: not who asks or why, nor a means that is only hinted at. `models.safety` asks it where its own
patterns found no alarm.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.patterns import Pattern

FILE = Path(__file__).parent / "data" / "means.toml"

WINDOW = 30
"""Words that are read together: longer sentences are read in pieces that overlap by half."""


@dataclass(frozen=True)
class Topic:
    """words: the lists of which each must be found; unless: those that make it harmless."""

    kind: str
    words: tuple[str, ...]
    unless: tuple[str, ...]


@cache
def lists() -> dict[str, Pattern]:
    """The word lists of the file by name, each a pattern."""
    return {name: Pattern(rf"\b(?:{words})\b") for name, words in _data()["words"].items()}


@cache
def topics() -> tuple[Topic, ...]:
    return tuple(Topic(row["kind"], tuple(row["all"]), tuple(row["unless"])) for row in _data()["topic"])


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def asked(plain: str) -> tuple[str, str] | None:
    """The kind of what is asked for in a folded text, and the piece of it that asks; None when nothing is."""
    for piece in _pieces(plain):
        for kind in _kinds(piece):
            return kind, piece
    return None


def _kinds(piece: str) -> Iterator[str]:
    seen: dict[str, bool] = {}  # most lists belong to several topics

    def has(name: str) -> bool:
        if name not in seen:
            seen[name] = bool(lists()[name].search(piece))
        return seen[name]

    for topic in topics():
        if all(map(has, topic.words)) and not any(map(has, topic.unless)):
            yield topic.kind


def _pieces(plain: str) -> Iterator[str]:
    for sentence in plain.split(" . "):
        words = sentence.split()
        for start in range(0, max(1, len(words) - WINDOW // 2), WINDOW // 2):
            yield " ".join(words[start : start + WINDOW])
