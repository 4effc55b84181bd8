"""The outgoing check: what a companion must not say, whoever wrote it. First cut."""

from __future__ import annotations

import re

from pipelines.turn import Turn

_PATTERNS = {
    "claims_human": r"\bi(?:'m| am) (?:a )?(?:real (?:person|human)|human|person)\b|\bmy (?:mom|mum|dad|wife|husband|kids?)\b",
    "as_an_ai": r"\bas an ai\b|\blanguage model\b",
    "placeholder": r"\[[a-z_ ]{2,20}\]|\bundefined\b|\bnone\b[.!]?$",
    "clinging": r"\b(?:please (?:stay|don'?t go)|don'?t leave me)\b",
}
_COMPILED = {reason: re.compile(pattern, re.IGNORECASE) for reason, pattern in _PATTERNS.items()}


def objections(text: str, turn: Turn) -> list[str]:
    """Why this reply must not be sent in this turn: short reasons, none when it may."""
    return [reason for reason, pattern in _COMPILED.items() if pattern.search(text[:2000])]
