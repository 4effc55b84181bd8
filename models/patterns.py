"""Regular expressions that are skipped when they cannot match, so that hundreds of them cost little.

Each pattern is compiled together with literals of which every match must contain one; a substring test is some
hundred times cheaper than a search. The literals are read off the parsed pattern, so nobody keeps them in step by hand.

Knows no flags: patterns are for text that is in lower case already. Where the parser of the standard library should
ever change its place or shape, patterns are simply always tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

SHORTEST = 3
"""Literals shorter than this are in most texts, so they would not spare a search."""


class Pattern:
    """A pattern, and the literals of which each match contains at least one (none: always try).

    It is compiled when it is first tried, since most never are. Raises re.error for a pattern that cannot be parsed.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.literals = _literals(pattern)

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def possible(self, text: str) -> bool:
        """False when the regex surely does not match."""
        for literal in self.literals:  # a plain loop: this runs hundreds of times a message
            if literal in text:
                return True
        return not self.literals

    def search(self, text: str) -> re.Match[str] | None:
        return self.regex.search(text) if self.possible(text) else None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self.regex.finditer(text) if self.possible(text) else iter(())

    def sub(self, by: str, text: str) -> str:
        return self.regex.sub(by, text) if self.possible(text) else text


def _literals(pattern: str) -> tuple[str, ...]:
    try:
        from re import _parser as parser  # type: ignore[attr-defined]

        found = _required(parser.parse(pattern))
    except (ImportError, AttributeError, TypeError, ValueError):
        return ()
    return tuple(sorted(found or ()))


def _required(tree: Any) -> set[str] | None:
    """Literals of which a match of this sequence contains at least one, or None when nothing is sure."""
    choices: list[set[str]] = []
    run = ""
    for op, value in [*tree, (None, None)]:
        name = str(op)
        if name == "LITERAL":
            run += chr(value)
            continue
        if name == "AT":  # a boundary takes no character, so the run goes on across it
            continue
        if len(run) >= SHORTEST:
            choices.append({run})
        run = ""
        inner: set[str] | None = None
        if name == "SUBPATTERN":
            inner = _required(value[-1])
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and value[0] >= 1:
            inner = _required(value[2])
        elif name == "ATOMIC_GROUP":
            inner = _required(value)
        elif name == "BRANCH":
            parts = [_required(part) for part in value[1]]
            inner = set().union(*(p for p in parts if p)) if all(parts) else None
        if inner:
            choices.append(inner)
    # The rarest choice spares most: long literals, and few of them.
    return max(choices, key=lambda c: min(map(len, c)) - len(c) / 12, default=None)
