"""Choosing among ways to say the same thing, so that nothing is said twice in a row; shared by skills and templates.

The choice is a stable hash of the message and the number of utterances before it: the same talk gives the same
replies, and a new place in the talk another one.
"""

from __future__ import annotations

import re
import string
import unicodedata
import zlib
from collections.abc import Sequence

from pipelines.turn import Turn

LAST = 8
"""How many of the companion's last utterances are not to be repeated."""


HURT = -0.15
"""Valence, of -1 to 1, below which a message tells of a hurt."""


def hurt(turn: Turn) -> bool:
    """Whether the message tells of a hurt: nothing light is said of its subject then, and words written by a person
    are preferred to generated ones, since a small model meets joy better."""
    return turn.emotion is not None and turn.emotion.valence < HURT


def choose(turn: Turn, variants: Sequence[str], /, **values: str) -> str:
    """One variant, filled in. Those that name a value which is empty or missing are left out, and those said lately
    come last. Raises ValueError when none can be filled in."""
    return ranked(turn, variants, **values)[0]


def ranked(turn: Turn, variants: Sequence[str], /, **values: str) -> list[str]:
    """All variants that can be filled in, beginning at a place that the message decides; those said lately last."""
    known = {"companion": turn.companion_name, "name": name_of(turn) or "", **values}
    whole = [_sentence_case(v.format_map(known)) for v in variants if all(known.get(field) for field in _fields(v))]
    if not whole:
        raise ValueError(f"no variant can be filled in with {sorted(k for k, v in known.items() if v)}")
    start = chance(turn, variants[0], len(whole))
    turned = whole[start:] + whole[:start]
    said = [_bare(text) for text in last_replies(turn)]
    return sorted(turned, key=lambda text: any(_bare(text) in other for other in said))


def chance(turn: Turn, salt: str, sides: int) -> int:
    """A number below `sides`, the same for the same message at the same place in the talk."""
    return zlib.crc32(f"{salt}|{turn.text[:500]}|{len(turn.history)}".encode("utf-8", "replace")) % sides


def last_replies(turn: Turn) -> list[str]:
    """The companion's last utterances, latest first."""
    return [said.text for said in reversed(turn.history) if said.role == "companion"][:LAST]


def name_of(turn: Turn) -> str | None:
    """What to call the person, or None: never an empty or made-up name."""
    return shown(turn.fact("nickname") or turn.fact("name") or "", name=True) or None


def shown(value: str, name: bool = False) -> str:
    """A fact's value as it may be said: one line, of bounded length, no control characters; "" when nothing is left.

    name: written large if it was typed small, and nothing that is no name (too long, symbols, "undefined")."""
    clean = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in value[:200])
    clean = " ".join(clean.split())
    if not name:
        return clean if len(clean) <= 80 else clean[:77].rsplit(" ", 1)[0] + "..."
    if not re.fullmatch(r"[^\W\d_][\w .'’\-]{0,39}", clean) or clean.lower() in ("undefined", "null", "none", "nan"):
        return ""
    return string.capwords(clean) if clean.islower() else clean


def _fields(variant: str) -> list[str]:
    return [field for _, field, _, _ in string.Formatter().parse(variant) if field]


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
