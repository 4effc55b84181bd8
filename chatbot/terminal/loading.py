"""What is being loaded, and how far: told while the prompt is already there.

Called from the worker's thread, read from the event loop. Knows the number of stages, not how long each takes.
"""

from __future__ import annotations

import time
from pathlib import Path

from pipelines.errors import ChatbotError

WIDTH = 10
"""Cells of the bar."""


class Left(ChatbotError):
    """The person left while the models were still loading."""


class Loading:
    """Give `stage` to the builder as its progress; `line` says in one line how far it is."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.label = ""
        self.at = 0
        self.left = False
        self.finished = False
        self.started = time.monotonic()
        self._fetching: tuple[str, float, int] | None = None  # what, when it was last looked at, bytes then

    def stage(self, label: str) -> None:
        """The next stage begins to load. Raises Left when there is nobody to load it for any more."""
        if self.left:
            raise Left("left before the models were loaded")
        self.label = label
        self.at += 1
        self._fetching = None

    def note(self, line: str) -> None:
        """A line that loading wrote to stderr: what is being fetched is worth showing."""
        if line.startswith("Fetching "):
            self._fetching = (line, 0.0, 0)

    def line(self, width: int) -> str:
        """Such as `waking up ███████▒▒▒ 7/10 candidates.transformers 2 s`, not longer than the width."""
        full = round(WIDTH * max(0, self.at - 1) / max(1, self.total))
        bar = "█" * full + "▒" * (WIDTH - full)
        seconds = time.monotonic() - self.started
        text = f"waking up {bar} {self.at}/{self.total} {self.label} {seconds:.0f} s"
        if self._fetching:
            text = f"{self._fetching[0].replace('Fetching ', 'fetching ')}: {self._megabytes()} so far"
        return text if len(text) < width else text[: max(1, width - 2)] + "…"

    def _megabytes(self) -> str:
        what, looked, size = self._fetching or ("", 0.0, 0)
        now = time.monotonic()
        if now - looked > 0.5:
            from models.hub import cache_folder

            size = sum(bytes_of(path) for folder in cache_folder().glob(".*") for path in folder.rglob("*"))
            self._fetching = (what, now, size)
        return f"{size / 1e6:.0f} MB"


def bytes_of(path: Path) -> int:
    """The size of a file that may vanish while it is looked at."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
