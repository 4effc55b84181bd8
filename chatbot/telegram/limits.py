"""The pace that Telegram allows: one message a second per chat, 20 a minute per group, 30 a second over all.

Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this. When Telegram says to wait
(`retry_after`), that holds above all of these.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

PER_GROUP = 20
OVERALL = 28
"""Messages a second to everybody, a little under Telegram's 30."""


class Pace:
    """Tells when the next message to a chat may go. per_chat: seconds between two; clock: seconds, monotonic."""

    def __init__(self, per_chat: float = 1.05, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_chat, self.clock = per_chat, clock
        self._next: dict[int, float] = {}
        self._minute: dict[int, deque[float]] = {}
        self._second: deque[float] = deque(maxlen=OVERALL)
        self._held = 0.0

    async def wait(self, chat: int) -> None:
        """Wait for this chat's turn, and take it."""
        while (seconds := self.take(chat)) > 0:
            await asyncio.sleep(seconds)

    def take(self, chat: int) -> float:
        """0 and the turn is taken, or how many seconds to wait before asking again."""
        now = self.clock()
        ready = max(self._held, self._next.get(chat, 0.0))
        if len(self._second) == OVERALL:
            ready = max(ready, self._second[0] + 1)
        minute = self._minute.setdefault(chat, deque(maxlen=PER_GROUP)) if chat < 0 else None
        if minute is not None and len(minute) == PER_GROUP:
            ready = max(ready, minute[0] + 60)
        if ready > now:
            return ready - now
        if len(self._next) > 10_000:
            self._next = {id: at for id, at in self._next.items() if at > now}
            self._minute = {id: times for id, times in self._minute.items() if times and times[-1] > now - 60}
        self._next[chat] = now + self.per_chat
        self._second.append(now)
        if minute is not None:
            minute.append(now)
        return 0.0

    def hold(self, seconds: float, chat: int | None = None) -> None:
        """Send nothing for so long, to this chat or, without one, to anybody."""
        until = self.clock() + seconds
        if chat is None:
            self._held = max(self._held, until)
        else:
            self._next[chat] = max(self._next.get(chat, 0.0), until)
