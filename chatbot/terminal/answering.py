"""An answer under way: what is shown of it above the prompt, and how it is stopped.

A single candidate is shown while it is written; of several, the one that leads. Both are told from the models' thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from chatbot.companion import Message
from chatbot.terminal import show
from pipelines.turn import Candidate

QUIET = 0.25
"""Seconds after which an answer under way is shown as such: a faster one needs no notice."""

LINES = 8
"""Of what is written so far that are shown, the last ones."""


class Answering:
    """One message and what is written so far; changed: called from any thread when there is more to show."""

    def __init__(self, person: str, text: str, changed: Callable[[], None]) -> None:
        self.message = Message(person, text, on_text=self._text, on_candidate=self._candidate)
        self._since = time.monotonic()
        self._written = ""
        self._leads = False
        self._changed = changed

    def stop(self) -> None:
        """Ctrl-C: the reply ends where it is."""
        self.message.stop.set()

    @property
    def stopped(self) -> bool:
        return self.message.stop.is_set()

    def lines(self, name: str, width: int) -> list[str]:
        """What stands above the prompt: the reply so far, and a line that says what goes on."""
        written = show.wrapped(f"{name}: {self._written}", width - 1).split("\n")[-LINES:] if self._written else []
        if self.stopped:
            return [*written, "stopping"]
        seconds = time.monotonic() - self._since
        if seconds < QUIET and not self._written:
            return []
        dots = "." * (1 + int(seconds * 3) % 3)
        doing = "is choosing; this leads" if self._leads else "is writing" if self._written else "is thinking"
        status = f"{show.plain(name)} {doing}{dots:<3} {seconds:.0f} s (Ctrl-C stops)"
        if len(status) >= width:
            status = f"{dots:<3} {seconds:.0f} s (Ctrl-C stops)"
        return [*written, status[: width - 1]]

    def _text(self, text: str) -> None:
        self._written, self._leads = text, False
        self._changed()

    def _candidate(self, candidate: Candidate) -> None:
        self._written, self._leads = candidate.text, True
        self._changed()
