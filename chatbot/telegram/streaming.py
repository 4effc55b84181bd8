"""A long reply is shown while it grows: one message, edited at the pace that Telegram allows, never the last word.

The first words go out through the inbox, so that after a kill the next start finishes that message and sends no second
one. The frames after it may be lost; the final text comes from conversation.py, when no frame is on its way any more.
Only a pipeline that writes a single candidate has words to show early (see `Message.on_text`): of several, the best is
known at the end. In groups nothing is shown early, since every edit counts against their 20 messages a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from chatbot.telegram import text
from chatbot.telegram.reading import Item

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram

AFTER = 2.0
"""Seconds in which an answer is simply sent."""

LONG = 80
"""Characters below which an answer counts as short, and is sent whole however long it takes."""

EVERY = 1.5
"""Seconds between two frames."""

MORE = " …"
"""What a frame ends in, as long as more comes."""


class Growing:
    """What was written so far; `hear` may be called from any thread."""

    def __init__(self) -> None:
        self.text = ""

    def hear(self, text: str) -> None:
        self.text = text


@contextlib.asynccontextmanager
async def streaming(bot: Telegram, items: Sequence[Item]) -> AsyncIterator[Callable[[str], None]]:
    """Shows what `hear`, which it gives, is told. On the way out, no frame is on its way any more."""
    growing, over = Growing(), asyncio.Event()
    showing = asyncio.create_task(_show(bot, items, growing, over))
    try:
        yield growing.hear
    finally:
        over.set()
        await showing


async def _show(bot: Telegram, items: Sequence[Item], growing: Growing, over: asyncio.Event) -> None:
    """Show the frames until it is over. items: what is answered."""
    chat, last = items[-1].chat, ""
    if items[-1].group or await _passed(over, AFTER):
        return
    while True:
        now = growing.text
        if now != last and len(now) >= LONG:
            words, spans = text.markdown(now)
            frame = text.outs(words + MORE, spans)[0]  # what does not fit into one message waits for the end
            if last:
                if await bot.sender.frame(chat, replace(frame, edit=bot.shown(items)[0])):
                    last = now
            else:
                bot.inbox.show([item.update for item in items], chat, frame)
                await bot.flush(chat)
                if not bot.shown(items):
                    return  # it cannot be sent; the sender has said why
                last = now
        if await _passed(over, EVERY):
            return


async def _passed(over: asyncio.Event, seconds: float) -> bool:
    """Whether it was over within so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
    return over.is_set()
