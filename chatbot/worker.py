"""Order per person, one model thread, and everything that waits is one batch.

The channels live in an event loop; the models in one thread of their own. A person's messages are answered in the
order in which they came, at most one of them per batch, so that nobody's flood makes the others wait for all of it.
Knows no channel. There are no timers: a batch is what waits when the thread is free.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from chatbot.companion import Companion, Message
from pipelines.turn import Turn

log = logging.getLogger(__name__)

MAX_BATCH = 16
"""People answered at once; more would make the first wait for longer than the batch saves."""

T = TypeVar("T")


class Worker:
    """Runs a companion in its own thread.

    make: called in that thread, builds the companion; so the channel can be there while models load.
    Use it as `async with Worker(make) as worker`.
    """

    def __init__(self, make: Callable[[], Companion]) -> None:
        self._make = make
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")
        self._waiting: OrderedDict[str, deque[tuple[Message, asyncio.Future[Turn]]]] = OrderedDict()
        self._running: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Companion] | None = None

    async def __aenter__(self) -> Worker:
        self._ready = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(self._thread, self._make))
        return self

    async def __aexit__(self, *_: object) -> None:
        for queue in self._waiting.values():
            for message, future in queue:
                message.stop.set()
                future.cancel()
        self._waiting.clear()
        if self._running:
            await asyncio.gather(self._running, return_exceptions=True)
        if self._ready and not self._ready.cancelled():
            done = await asyncio.gather(self._ready, return_exceptions=True)
            if isinstance(done[0], Companion):
                await self.call(lambda companion: companion.close())
        self._thread.shutdown()

    async def ready(self) -> Companion:
        """Wait until the models are loaded. Raises what building the companion raised."""
        if self._ready is None:
            raise RuntimeError("use the worker as: async with Worker(make) as worker")
        return await asyncio.shield(self._ready)

    async def say(self, message: Message) -> Turn:
        """The answered turn. Cancelling the wait stops the generation too. Raises what the companion raised."""
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(message.person, deque()).append((message, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            return await future
        except asyncio.CancelledError:
            message.stop.set()
            raise

    async def call(self, action: Callable[[Companion], T]) -> T:
        """Do something with the companion in its thread, between two batches: show a memory, undo, swap a stage."""
        companion = await self.ready()
        return await asyncio.get_running_loop().run_in_executor(self._thread, action, companion)

    async def _run(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            try:
                turns = await self.call(partial(Companion.answer, messages=[message for message, _ in batch]))
            except Exception as error:
                log.error("a batch of %d failed: %s", len(batch), type(error).__name__)
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), turn in zip(batch, turns, strict=True):
                if not future.done():
                    future.set_result(turn)

    def _next_batch(self) -> list[tuple[Message, asyncio.Future[Turn]]]:
        """The oldest message of each of the people who wait, in the order of their turn."""
        batch = []
        for person in list(self._waiting)[:MAX_BATCH]:
            queue = self._waiting.pop(person)
            batch.append(queue.popleft())
            if queue:  # to the end of the line
                self._waiting[person] = queue
        return batch
