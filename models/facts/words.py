"""The word lists of models/data/facts.toml, by name."""

from __future__ import annotations

from functools import cache

from models.chatspeak import load


@cache
def listed(name: str) -> frozenset[str]:
    """A list of words; a hyphen in it stands for a space."""
    words = load("facts")["words"][name]
    return frozenset(word.replace("-", " ") for word in (words if isinstance(words, list) else words.split()))
