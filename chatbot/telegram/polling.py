"""Asking Telegram for updates. They are taken raw: one that the library cannot parse must not stop the others.

An update is acknowledged by asking for the next one, which happens only after it was written down.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from chatbot.telegram.counters import Counters
from chatbot.telegram.reading import KINDS
from chatbot.telegram.sender import seconds_of

log = logging.getLogger(__name__)

LONG_POLL = 25
"""Seconds that Telegram may hold a request for which there is nothing new."""

LONGEST_WAIT = 30.0


class Polling:
    """take: writes updates down and begins to answer them."""

    def __init__(self, bot: Bot, counters: Counters, take: Callable[[list[dict[str, Any]]], None]) -> None:
        self.bot, self.counters, self.take = bot, counters, take
        self._offset = 0
        self.trouble = ""

    async def run(self, note: Callable[[list[dict[str, Any]]], object], first: Callable[[], Awaitable[None]]) -> None:
        """Poll until cancelled. Once at the start: `note` writes down what is there, then `first` takes it all up.

        Raises InvalidToken when the token is revoked; waits out everything else."""
        with contextlib.suppress(TelegramError):
            # What came meanwhile is written down before anything is sent: it tells which message ids are taken.
            await self.once(0, note)
        await first()
        wait = 1.0
        while True:
            try:
                await self.once(0 if self.trouble else LONG_POLL, self.take)
                wait = 1.0
                if self.trouble:
                    log.info("event=polling_back after=%s", self.trouble)
                    self.trouble = ""
                continue
            except InvalidToken:
                raise
            except RetryAfter as error:
                await asyncio.sleep(seconds_of(error) + 0.2)
                continue
            except Conflict:
                self._say("conflict", "Another program asks for this bot's updates; only one can. Trying again.")
            except sqlite3.OperationalError as error:
                # Not acknowledged, so Telegram keeps it.
                self._say(type(error).__name__, "The inbox cannot be written (is the disk full?). Trying again.")
            except TelegramError as error:
                self.counters.add("network")
                self._say(type(error).__name__, "Telegram is out of reach. Trying again until it is back.")
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, LONGEST_WAIT)

    async def once(self, seconds: int, take: Callable[[list[dict[str, Any]]], object]) -> None:
        """Ask once, waiting for so many seconds at most."""
        arguments = {"offset": self._offset, "timeout": seconds, "allowed_updates": json.dumps(KINDS), "limit": 100}
        # Spelled so that the raw updates come back: Telegram's methods mind no case, the library's parser would.
        raws = await self.bot.do_api_request("GetUpdates", api_kwargs=arguments, read_timeout=seconds + 10)
        updates = [raw for raw in raws if isinstance(raw, dict)] if isinstance(raws, list) else []
        if updates:
            take(updates)
            self._offset = max(int(raw.get("update_id", 0)) for raw in updates) + 1

    def _say(self, trouble: str, text: str) -> None:
        """Log a trouble once, not at every try."""
        if self.trouble != trouble:
            self.trouble = trouble
            log.warning('event=polling_trouble kind=%s text="%s"', trouble, text)
