"""Replies on their way out: in order per chat, at Telegram's pace, each exactly once.

Telegram has no idempotent sending, so a cut connection leaves open whether a message went out. Then Telegram itself is
asked: changing the buttons of a message to what they are gives "message is not modified" when it is there, and an error
of another kind when it is not. Where it would stand is known, since message ids are given out in sequence.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError

from chatbot.telegram.counters import Counters
from chatbot.telegram.inbox import Inbox, Out, Row
from chatbot.telegram.limits import Pace

log = logging.getLogger(__name__)

NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""What went wrong before a request was on its way: nothing can have been sent."""

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
AT_ONCE = 8
"""Requests that send, at once: so many at most are in doubt when the line is cut or the process is killed."""

LASTING = 5.0
"""Seconds after which a loss of the network is worth a line in the log."""

LONGEST_WAIT = 30.0
"""Seconds between two tries while the network is away."""


class Sender:
    """Delivers what the inbox says is to be sent. make: builds what is not text ("export", "mood") and sends it;
    gives the id of the message."""

    def __init__(
        self, bot: Bot, inbox: Inbox, pace: Pace, counters: Counters, make: Callable[[int, Out], Awaitable[int]]
    ) -> None:
        self.bot, self.inbox, self.pace, self.counters, self.make = bot, inbox, pace, counters, make
        self._locks: dict[int, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._mending = asyncio.Lock()
        self._failing = 0.0  # since when nothing went out, 0 when all is well
        self._said = False

    async def flush(self, chat: int) -> None:
        """Send all that waits for this chat, in order; comes back when it is out, however long the network is away."""
        async with self._locks.setdefault(chat, asyncio.Lock()):
            while rows := self.inbox.waiting(chat):
                for row in rows:
                    await self._deliver(row)

    async def frame(self, chat: int, out: Out) -> bool:
        """Replace our message `out.edit` by the next frame of a reply that grows; whether it was tried at all, since
        what Telegram's pace does not allow now is skipped. One that fails is let be: the end comes anyway."""
        if self.pace.take(chat) > 0:
            return False
        try:
            await self._send(chat, out)
        except RetryAfter as error:
            self.counters.add("flood")
            self.pace.hold(seconds_of(error) + 0.2, chat)
        except TelegramError as error:
            log.debug("event=frame_lost chat=%d error=%s", chat, type(error).__name__)
        return True

    async def _deliver(self, row: Row) -> None:
        unsure = row.state == "sending"
        while True:
            try:
                await self.pace.wait(row.chat)
                async with self._mending:
                    pass  # while the network is away, one asks whether it is back, and all others wait for that
                async with self._slots:
                    if unsure and (found := await self._find(row)):
                        self.inbox.sent(row, found)
                        return
                    after = self.inbox.sending(row)
                    row, unsure = Row(row.id, row.chat, row.out, "sending", after), False
                    self.inbox.sent(row, await self._send(row.chat, row.out))
                self.counters.add("sent")
                self._back()
                return
            except RetryAfter as error:
                self.counters.add("flood")
                log.warning("event=flood chat=%d wait=%d", row.chat, seconds_of(error))
                self.pace.hold(seconds_of(error) + 0.2, row.chat)
            except ChatMigrated as error:
                self.inbox.done([], error.new_chat_id, [row.out])
                self.inbox.sent(row, None)
                await self.flush(error.new_chat_id)
                return
            except Forbidden as error:
                log.info("event=unreachable chat=%d error=%s", row.chat, type(error).__name__)
                self.inbox.sent(row, None)
                return
            except BadRequest as error:
                if not self._mend(row, error):
                    return
                row = Row(row.id, row.chat, Out(row.out.text, answers=row.out.answers), row.state, row.after)
            except NetworkError as error:
                unsure = not isinstance(error.__cause__, NEVER_LEFT)
                await self._restored(error)
            except TelegramError as error:
                log.error("event=unsendable chat=%d error=%s", row.chat, type(error).__name__)
                self.counters.add("failed")
                self.inbox.sent(row, None)
                return

    def _mend(self, row: Row, error: BadRequest) -> bool:
        """Whether to try again as bare text; if not, the message is crossed off (in a group that muted us, quietly)."""
        gone = any(words in str(error).lower() for words in ("not modified", "rights", "chat_write_forbidden"))
        if gone or row.out == Out(row.out.text, answers=row.out.answers) or row.out.kind != "text":
            if not gone and row.out.kind != "delete":
                log.error("event=refused chat=%d kind=%s", row.chat, row.out.kind)
                self.counters.add("failed")
            self.inbox.sent(row, row.out.edit)
            return False
        return True

    async def _send(self, chat: int, out: Out) -> int | None:
        """Send it; gives the message's id."""
        if out.kind == "delete":
            await self.bot.delete_message(chat, out.edit or 0)
            return None
        if out.kind != "text":
            return await self.make(chat, out)
        entities = [MessageEntity(**entity) for entity in out.entities]
        markup = _markup(out)
        if out.edit:
            await self.bot.edit_message_text(
                out.text, chat, out.edit, entities=entities, reply_markup=markup, link_preview_options=NO_PREVIEW
            )
            return out.edit
        reply = ReplyParameters(out.reply_to, allow_sending_without_reply=True) if out.reply_to else None
        message = await self.bot.send_message(
            chat,
            out.text,
            entities=entities,
            reply_markup=markup,
            reply_parameters=reply,
            link_preview_options=NO_PREVIEW,
        )
        return message.message_id

    async def _find(self, row: Row) -> int | None:
        """The id of the message if it went out after all, else None. Edits and deletions need no search: they may be
        done twice."""
        if row.out.edit or row.out.kind == "delete":
            return None
        for id in self.inbox.gaps(row):
            try:
                await self.bot.edit_message_reply_markup(row.chat, id, reply_markup=_markup(row.out))
            except BadRequest as error:
                if "not modified" not in str(error).lower():
                    continue
            return id
        return None

    # -- the network

    async def _restored(self, error: TelegramError) -> None:
        """Wait until the network is back."""
        self._gone(error)
        async with self._mending:
            wait = 0.2
            while True:
                try:
                    await self.bot.get_me()
                    self._back()
                    return
                except RetryAfter as again:
                    await asyncio.sleep(seconds_of(again))
                except NetworkError as again:
                    self._gone(again)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT)

    def _gone(self, error: TelegramError) -> None:
        """Log a loss once, and only if it lasts: single requests get lost all the time."""
        self.counters.add("network")
        self._failing = self._failing or time.monotonic()
        if not self._said and time.monotonic() - self._failing > LASTING:
            self._said = True
            log.warning("event=network_lost error=%s", type(error).__name__)

    def _back(self) -> None:
        if self._said:
            log.info("event=network_back")
        self._failing, self._said = 0.0, False


def _markup(out: Out) -> InlineKeyboardMarkup | None:
    if not out.buttons:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(a, callback_data=b) for a, b in row] for row in out.buttons])


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram says to wait."""
    wait = error.retry_after
    return wait if isinstance(wait, int | float) else wait.total_seconds()
