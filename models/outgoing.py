"""The outgoing check: what a reply must not hold, whoever or whatever wrote it.

`objections` gives the reasons against one reply in one turn. Most are patterns (data/outgoing.toml); some need the
turn: agreeing with self-hate, approving of what endangers, making light of a low mood, a hook on a goodbye, romance
toward a minor, numbers that are nobody's business. Hate is models/hate.py.

It knows phrases, not meanings: a harm said politely gets through, and a harmless quotation may be held back. It leans
toward holding back, because another candidate or a written fallback takes the place of what is dropped. It reads
English only.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from models import hate, safety, safety_replies
from models.patterns import Pattern
from pipelines.turn import Turn

DATA = Path(__file__).parent / "data"

LIMIT = 4000
"""Characters that are read of a reply; no reply is that long, and a longer one is objected to."""

_APOSTROPHES = str.maketrans(dict.fromkeys("'`´ʼ′‘", "’"))
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_DIGITS = re.compile(r"\+?\d(?:[\d\-. ()/]{5,24})\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,3}(?:,\d{3})+|\d{4} ?[-–] ?\d{4}|\d+\.\d+")
_NONE = re.compile(
    r"(?:^|[,!.] |\b(?:[Hh]i|[Hh]ey|[Hh]ello|[Tt]hanks|[Bb]ye|name is|called|you,) )None\b"
    r"(?! (?:of|at all|whatsoever|taken|needed)\b)|\bNaN\b"
)


@cache
def _patterns() -> dict[str, dict[str, list[Pattern]]]:
    """The patterns per reason, by part of the file."""
    data = tomllib.loads((DATA / "outgoing.toml").read_text(encoding="utf-8"))
    return {
        part: {reason: [Pattern(pattern) for pattern, _why in pairs] for reason, pairs in reasons.items()}
        for part, reasons in data.items()
    }


def _matches(patterns: list[Pattern], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def objections(text: str, turn: Turn) -> list[str]:
    """Why this reply must not be sent in this turn: short reasons, none when it may. Never raises."""
    parts = _patterns()
    reply = _plain(text[:LIMIT])
    for span in parts["allowed"]["spans"]:
        reply = span.sub(" _ ", reply)
    said = _plain(turn.text[:LIMIT])
    found = _reasons("always", reply)
    if len(text) > LIMIT:
        found.append("too_long")
    if _NONE.search(text):
        found.append("placeholder")
    if hate.hateful(text[:LIMIT]):
        found.append("hate")
    if _private(text, turn):
        found.append("private_data")
    agrees = _matches(parts["turn"]["agrees"], reply)
    if agrees and _matches(parts["turn"]["self_hate"], said):
        found.append("agrees_with_self_hate")
    if agrees and "hate" not in found and hate.hateful(turn.text[:LIMIT]):
        found.append("agrees_with_hate")
    if _matches(parts["turn"]["hazard"], said) and _matches(parts["turn"]["approves"], reply):
        found.append("encourages_danger")
    if is_low(turn):
        found += _reasons("to_low", reply)
    if is_goodbye(turn):
        found += _reasons("on_goodbye", reply)
    if is_minor(turn):
        found += _reasons("to_minor", reply)
    return list(dict.fromkeys(found))


def is_goodbye(turn: Turn) -> bool:
    """Whether the person takes their leave: in so many words, in a short message, without asking anything."""
    said = _plain(turn.text[:LIMIT])
    return len(said.split()) <= 16 and "?" not in said and _matches(_patterns()["turn"]["farewell"], said)


def is_low(turn: Turn) -> bool:
    """Whether the person is low or in danger, as far as the safety stage or their own words tell."""
    if turn.safety is not None:
        return turn.safety.level != "none"
    return _matches(_patterns()["turn"]["self_hate"], _plain(turn.text[:LIMIT]))


def is_minor(turn: Turn) -> bool:
    """Whether the person is known to be under 18, or says so now or in the recent history."""
    return safety.is_minor(turn, [turn.text, *(u.text for u in turn.history[-12:] if u.role == "person")])


def _plain(text: str) -> str:
    return text.translate(_APOSTROPHES).lower()


def _reasons(part: str, reply: str) -> list[str]:
    return [reason for reason, patterns in _patterns()[part].items() if _matches(patterns, reply)]


def _private(text: str, turn: Turn) -> bool:
    """An e-mail address, or a number as long as a telephone's or a card's, that neither the person gave nor the list
    of helplines holds."""
    if "@" not in text and sum(c.isdigit() for c in text) < 7:
        return False
    own = " ".join([turn.text, *(fact.value for fact in turn.profile), *(u.text for u in turn.history[-12:])])
    if any(mail[0] not in own for mail in _EMAIL.finditer(text)):
        return True
    given = _digits(own)
    known = {_digits(contact) for contact in safety_replies.contacts()} | {"741741"}
    for number in _DIGITS.finditer(_DATE.sub(" ", text)):
        digits = _digits(number[0])
        if len(digits) >= 7 and digits not in known and digits not in given:
            return True
    return False


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isdigit())
