"""A person's week as a picture: one bar per day, up when what they wrote felt good, down when it did not.

Nothing about moods is stored: the emotion stage reads the week's messages again when the picture is asked for, so what
was forgotten is not in it. Says how the words sounded to a small model, not how the person was.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from chatbot.companion import Companion
from pipelines.turn import Turn

NOTHING = "There isn't enough in the last seven days for a picture yet. Talk to me a little, then ask again."
MOST = 300
"""Messages of the week that are read, the latest ones."""

_WIDTH, _HEIGHT, _MIDDLE, _BAR = 700, 400, 180, 150
_UP, _DOWN, _GREY, _PAPER, _INK = (244, 162, 97), (92, 128, 188), (214, 210, 204), (252, 249, 244), (110, 105, 100)


@dataclass(frozen=True)
class Day:
    """valence: the mean over its messages, -1 to 1; n: how many there were."""

    day: date
    valence: float
    n: int


def week(companion: Companion, person: str, zone: tzinfo | None) -> list[Day] | None:
    """The last seven days, oldest first; None when there is nothing to draw."""
    if not any(step.slot == "emotion" for step in companion.pipeline.steps):
        return None
    today = companion.clock().astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(6, -1, -1)]
    said = [u for u in companion.memory(person).recent(2 * MOST) if u.role == "person"]
    turns = [Turn(u.text, person, u.at) for u in said if u.at.astimezone(zone).date() >= days[0]][-MOST:]
    for start in range(0, len(turns), 32):
        companion.pipeline(turns[start : start + 32], until="emotion")
    found: dict[date, list[float]] = {day: [] for day in days}
    for turn in turns:
        if turn.emotion is not None:
            found.setdefault(turn.at.astimezone(zone).date(), []).append(turn.emotion.valence)
    if not any(found.values()):
        return None
    return [Day(day, float(np.mean(found[day])) if found[day] else 0.0, len(found[day])) for day in days]


def caption(days: list[Day]) -> str:
    """The same in words, for those who cannot see the picture."""
    parts = [f"{day.day:%a} {_word(day.valence)} ({day.n})" for day in days if day.n]
    return "Your week, by how your words sounded to me: " + ", ".join(parts) + "."


def picture(days: list[Day]) -> bytes:
    """A PNG of the days."""
    image = np.full((_HEIGHT, _WIDTH, 3), _PAPER, np.uint8)
    image[_MIDDLE : _MIDDLE + 2, 30 : _WIDTH - 30] = _GREY
    for i, day in enumerate(days):
        left = 40 + i * 90
        if day.n:
            height = max(6, round(abs(day.valence) * _BAR))
            rows = slice(_MIDDLE - height, _MIDDLE) if day.valence >= 0 else slice(_MIDDLE + 2, _MIDDLE + 2 + height)
            image[rows, left : left + 60] = _UP if day.valence >= 0 else _DOWN
        else:
            image[_MIDDLE - 3 : _MIDDLE + 5, left + 26 : left + 34] = _GREY
        _letter(image, "MTWTFSS"[day.day.weekday()], left + 20, 350)
    return _png(image)


def _word(valence: float) -> str:
    steps = ((0.35, "bright"), (0.1, "good"), (-0.1, "even"), (-0.35, "low"))
    return next((word for above, word in steps if valence > above), "dark")


_GLYPHS = {
    "M": "10001 11011 10101 10001 10001 10001 10001",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "W": "10001 10001 10001 10101 10101 11011 10001",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "S": "01111 10000 10000 01110 00001 00001 11110",
}


def _letter(image: NDArray[np.uint8], letter: str, left: int, top: int) -> None:
    for y, row in enumerate(_GLYPHS[letter].split()):
        for x, dot in enumerate(row):
            if dot == "1":
                image[top + 4 * y : top + 4 * y + 4, left + 4 * x : left + 4 * x + 4] = _INK


def _png(image: NDArray[np.uint8]) -> bytes:
    """Truecolour, 8 bits, no filter: https://www.w3.org/TR/png-3/."""
    height, width, _ = image.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, width * 3)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
