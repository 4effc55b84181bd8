"""One chat's queue: what came is answered in its order, and messages that come in a burst are read as one.

An answer is begun as soon as the burst seems over. When more of it comes while the answer is being written, the writing
is stopped, what was heard is taken back, and the whole is read anew: so a burst costs nobody else a wait.
Does not know what an answer is: `Answering` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from chatbot.telegram.inbox import Last, Out
from chatbot.telegram.reading import Item
from pipelines.turn import Turn

log = logging.getLogger(__name__)

LONGEST_BURST = 8.0
"""Seconds after which a burst is answered, whatever else comes: who types without end gets answers too."""

FORGETTING = frozenset({"forget", "erase", "pause", "resume"})
"""After these the last words are not kept here either."""

TYPING_AFTER, TYPING_AGAIN = 0.3, 4.5
"""Seconds; Telegram shows "typing" for 5."""


class Answering(Protocol):
    """What a conversation needs of the bot (chatbot/telegram/bot.py)."""

    quiet: float

    async def say(self, burst: Sequence[Item], stop: threading.Event, hear: Callable[[str], None]) -> Turn: ...
    async def take_back(self, person: str, heard: str) -> str | None: ...
    async def reply(self, burst: Sequence[Item], turn: Turn, edit: Sequence[int] = ()) -> list[Out]: ...
    async def handle(self, item: Item) -> list[Out]: ...
    async def typing(self, chat: int) -> None: ...
    async def flush(self, chat: int) -> None: ...
    def heard(self, items: Sequence[Item], at: str) -> None: ...
    def interrupted(self) -> None: ...
    def done(self, items: Sequence[Item], outs: Sequence[Out], last: Last | None = None) -> None: ...
    def last(self, chat: int) -> Last: ...
    def sorry(self, items: Sequence[Item]) -> list[Out]: ...
    def streaming(self, items: Sequence[Item]) -> contextlib.AbstractAsyncContextManager[Callable[[str], None]]: ...
    def shown(self, items: Sequence[Item]) -> list[int]: ...
    def unshow(self, items: Sequence[Item]) -> None: ...


class Conversation:
    """The queue of one chat. `run` lives as long as there is something to do; nothing here outlives a restart."""

    def __init__(self, chat: int, bot: Answering) -> None:
        self.chat, self.bot = chat, bot
        self.queue: deque[Item] = deque()
        self.stop: threading.Event | None = None
        self.stopping = False
        self._arrived = asyncio.Event()
        self._answering = self._cancelled = False
        self._taken: list[Item] = []  # what is being answered right now
        self._said: list[Item] = []  # the last burst, for edits of a part of it and for /retry

    def put(self, item: Item) -> None:
        self.queue.append(item)
        self._arrived.set()

    def cancel(self) -> bool:
        """Stop the answer that is being written, and drop what was said and waits; False when there is nothing."""
        waiting = [item for item in self.queue if item.kind == "said"]
        if not waiting and not self._answering:
            return False
        self.queue = deque(item for item in self.queue if item.kind != "said")
        self.bot.done(waiting, [])
        self._cancelled = self._answering
        if self.stop:
            self.stop.set()
        return True

    async def run(self) -> None:
        """Send what is left from before, then answer all that waits."""
        await self.bot.flush(self.chat)
        while self.queue and not self.stopping:
            item = self.queue.popleft()
            self._taken = [item]
            try:
                await self._one(item)
            except Exception:
                if self.stopping:
                    return  # the inbox still has it
                log.exception("event=failed chat=%d kind=%s", self.chat, item.kind)
                self.bot.done(self._taken, self.bot.sorry(self._taken))
            await self.bot.flush(self.chat)

    async def _one(self, item: Item) -> None:
        if item.kind == "said":
            await self._answer([item])
        elif item.kind == "edited":
            await self._edit(item)
        elif item.command == "retry":
            await self._retry(item)
        else:
            if {item.command, item.button.partition(":")[0]} & FORGETTING:
                self._said = []
            self.bot.done([item], await self.bot.handle(item))

    # -- answers

    async def _answer(self, burst: list[Item], also: Sequence[Item] = (), edit: Sequence[int] = ()) -> None:
        """Answer a burst. also: updates that are crossed off with it; edit: our messages that the answer replaces."""
        self._answering, self._cancelled = True, False
        try:
            async with self._typing():
                if not edit:
                    await self._gather(burst)
                answer = await self._written(burst, also, joining=not edit)
                if answer is None:
                    return
                self._taken = [*burst, *also]
                outs = await self.bot.reply(burst, answer, edit or self.bot.shown(self._taken))
                last = Last(burst[-1].at.isoformat(), tuple(item.message for item in burst))
                self.bot.done([*burst, *also], outs, last)
                self._answering, self._said = False, burst
                await self.bot.flush(self.chat)
        finally:
            self._answering, self.stop = False, None

    async def _written(self, burst: list[Item], also: Sequence[Item], joining: bool) -> Turn | None:
        """The turn that answers all of the burst; None when it is not to be sent."""
        deadline = asyncio.get_running_loop().time() + LONGEST_BURST
        while True:
            self.stop = stop = threading.Event()
            if self._cancelled:
                stop.set()
            at = burst[-1].at.isoformat()
            self._taken = items = [*burst, *also]
            self.bot.heard(items, at)
            # What an earlier run showed of this answer is finished in its place, at once.
            streaming = joining and not self.bot.shown(items)
            async with self.bot.streaming(items) if streaming else contextlib.nullcontext(_deaf) as hear:
                turn = await self._say(burst, stop, deadline if joining else 0.0, hear)
            if not stop.is_set():
                return turn
            if self.stopping:
                return None  # the inbox still has it: the next start answers
            await self.bot.take_back(burst[-1].person, at)
            if self.bot.shown(items):
                self.bot.unshow(items)
                await self.bot.flush(self.chat)
            if self._cancelled:
                self._said = burst
                self.bot.done(items, [], Last())
                return None
            self.bot.interrupted()
            await self._gather(burst)

    async def _say(
        self, burst: Sequence[Item], stop: threading.Event, deadline: float, hear: Callable[[str], None]
    ) -> Turn:
        """The companion's turn; its writing is stopped when more of the burst comes before the deadline."""
        saying = asyncio.create_task(self.bot.say(burst, stop, hear))
        while not saying.done():
            self._arrived.clear()
            arriving = asyncio.create_task(self._arrived.wait())
            await asyncio.wait({saying, arriving}, return_when=asyncio.FIRST_COMPLETED)
            arriving.cancel()
            if not saying.done() and self._next_of(burst) and asyncio.get_running_loop().time() < deadline:
                stop.set()
        return await saying

    async def _gather(self, burst: list[Item]) -> None:
        """Add what follows, until nothing comes for a while."""
        ends = asyncio.get_running_loop().time() + LONGEST_BURST
        while True:
            while item := self._next_of(burst):
                burst.append(item)
                self.queue.popleft()
            self._arrived.clear()
            # A message of full length was cut by the person's own app: the rest follows.
            quiet = 1.0 if len(burst[-1].text) > 4000 else self.bot.quiet
            if self.stopping or self.queue or asyncio.get_running_loop().time() > ends or not quiet:
                return
            try:
                await asyncio.wait_for(self._arrived.wait(), quiet)
            except TimeoutError:
                return

    def _next_of(self, burst: Sequence[Item]) -> Item | None:
        """The next in the queue, if it belongs to the burst."""
        item = self.queue[0] if self.queue else None
        return item if item and item.kind == "said" and item.sender == burst[0].sender else None

    # -- the last one again

    async def _edit(self, item: Item) -> None:
        """Answer the last burst anew, with the edited part in its place; other edits are met with silence."""
        last = self.bot.last(self.chat)
        if item.message not in last.messages:
            self.bot.done([item], [])
            return
        parts = [part for part in self._said if part.message in last.messages]
        parts = parts or [replace(item, kind="said")]
        burst = [replace(part, text=item.text) if part.message == item.message else part for part in parts]
        # The whole is heard at the edit's own time, by which it can be found again.
        burst[-1] = replace(burst[-1], at=item.at)
        self.bot.heard([item], item.at.isoformat())
        await self.bot.take_back(item.person, last.heard)
        await self._answer(burst, [item], last.replies)

    async def _retry(self, item: Item) -> None:
        """Answer the last burst anew, in a new message."""
        last = self.bot.last(self.chat)
        heard = self._said[-1].at.isoformat() if self._said else last.heard
        text = await self.bot.take_back(item.person, heard) if heard else None
        parts = self._said or ([replace(item, kind="said", text=text, message=last.messages[-1])] if text else [])
        if not parts:
            self.bot.done([item], await self.bot.handle(item))
            return
        burst = [*parts[:-1], replace(parts[-1], at=item.at)]
        await self._answer(burst, [item])

    @contextlib.asynccontextmanager
    async def _typing(self) -> AsyncIterator[None]:
        """Show that an answer is being written, again and again, until it is there."""

        async def show() -> None:
            await asyncio.sleep(TYPING_AFTER)
            while True:
                await self.bot.typing(self.chat)
                await asyncio.sleep(TYPING_AGAIN)

        task = asyncio.create_task(show())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _deaf(text: str) -> None:
    """For answers that are not shown while they grow."""
