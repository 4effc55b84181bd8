"""The bot: what came from Telegram goes to the conversations, their answers to the sender.

Everything here runs in one event loop; the companion has its own thread (chatbot/worker.py). Knows nothing of how an
update arrives (polling.py, webserver.py) or of how the process starts and stops (running.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from telegram import Bot, Update
from telegram.error import TelegramError

from chatbot.settings import TelegramSettings
from chatbot.telegram import (
    answering,
    buttons,
    commands,
    files,
    groups,
    reactions,
    reminders,
    streaming,
    text,
    texts,
)
from chatbot.telegram.access import Access
from chatbot.telegram.conversation import Conversation
from chatbot.telegram.counters import Counters
from chatbot.telegram.inbox import Inbox, Last, Out
from chatbot.telegram.limits import Pace
from chatbot.telegram.people import People
from chatbot.telegram.reading import Item, read, salvaged
from chatbot.telegram.sender import Sender
from chatbot.worker import Worker
from pipelines.turn import Persona, Turn

log = logging.getLogger(__name__)

CONVERSATIONS = 2000
"""How many chats' last bursts are kept at hand."""


class Telegram:
    """Implements what a `Conversation` asks for. bot: initialised, so that it knows its own name."""

    def __init__(
        self,
        bot: Bot,
        worker: Worker,
        inbox: Inbox,
        settings: TelegramSettings,
        persona: Persona,
    ) -> None:
        self.bot, self.worker, self.inbox, self.settings, self.persona = bot, worker, inbox, settings, persona
        self.quiet = settings.quiet
        self.counters = Counters()
        self.access = Access(settings, inbox)
        self.people = People(worker)
        self.reactions = reactions.Reactions()
        self.sender = Sender(bot, inbox, Pace(settings.pace), self.counters, partial(files.send, self))
        self._conversations: OrderedDict[int, Conversation] = OrderedDict()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._small: set[asyncio.Task[Any]] = set()
        self._arrived: dict[int, float] = {}
        self.names: dict[int, str] = {}  # what groups call us, where that is another name than the persona's
        self._muted: set[int] = set()  # groups in which we may not speak, as far as this run was told

    # -- in

    def take(self, raws: Sequence[dict[str, Any]]) -> None:
        """Write down updates, then begin to answer those that are new."""
        for raw in self.inbox.put(raws):
            self._arrived[raw["update_id"]] = time.monotonic()
            self._dispatch(raw)

    async def catch_up(self) -> None:
        """Take up what an earlier run left: half-heard words are taken back, then everything is answered."""
        await groups.learn_names(self)
        left = self.inbox.unanswered()
        for raw, heard in left:
            # What was written down as heard was read by this program before.
            if heard and (item := self._read(raw)):
                await self.take_back(item.person, heard)
        for chat in self.inbox.chats_waiting():
            self._start(self._conversation(chat))
        for raw, _ in left:
            self._dispatch(raw)

    def _read(self, raw: dict[str, Any]) -> Item | None:
        unseen = ""
        try:
            update = Update.de_json(raw, self.bot)
        except Exception:
            # Older or newer than the library. What can be read of it is.
            raw, unseen = salvaged(raw)
            update = Update.de_json(raw, self.bot)
        return read(update, self.bot.id, self.bot.username, unseen)

    def _dispatch(self, raw: dict[str, Any]) -> None:
        self.counters.add("updates")
        try:
            item = self._read(raw)
        except Exception as error:
            # It was written down and is crossed off; otherwise it would be asked for again for ever.
            log.warning("event=unreadable update=%d error=%s", raw["update_id"], type(error).__name__)
            self.counters.add("unreadable")
            self._silent(raw["update_id"])
            return
        if item is not None and item.kind == "member":
            (self._muted.add if item.muted else self._muted.discard)(item.chat)
            item = None
        if item is None or (item.chat in self._muted and item.group):
            self._silent(raw["update_id"])
        elif item.kind == "moved":
            self.access.moved(item.chat, item.moved_to)
            # In the queue of the new chat: whatever is said there comes after its memory.
            self._conversation(item.moved_to).put(item)
            self._start(self._conversation(item.moved_to))
        elif not self.access.allows(item):
            self._deny(item)
        elif item.group and item.kind != "button" and not self._addressed(item):
            self._silent(item.update)
        elif item.command == "cancel":
            stopped = self._conversation(item.chat).cancel()
            self.done([item], text.outs(texts.CANCELLED if stopped else "I'm not writing anything right now."))
            self.soon(self.flush(item.chat))
        else:
            if item.kind == "button":
                self.soon(self.quietly(self.bot.answer_callback_query(item.callback)))
            conversation = self._conversation(item.chat)
            conversation.put(groups.bare(item, self.bot.username) if item.group else reminders.meant(item))
            self._start(conversation)

    def _addressed(self, item: Item) -> bool:
        """Whether this was said to us, in a group that may have a name of its own for us."""
        names = {self.persona.name, self.names.get(item.chat, self.persona.name)}
        return groups.addressed(item, self.bot.username, *names)

    def _silent(self, update: int) -> None:
        self.counters.add("silent")
        self._arrived.pop(update, None)
        self.inbox.done([update])

    def _deny(self, item: Item) -> None:
        self.counters.add("denied")
        outs = []
        if item.kind == "button":
            self.soon(self.quietly(self.bot.answer_callback_query(item.callback, "This bot is private.")))
        elif not item.group and item.kind != "edited" and self.access.first_time(item.sender, "stranger"):
            log.info("event=stranger person=%d", item.sender)
            outs = text.outs(texts.stranger(item.sender))
        self.done([item], outs)
        if outs:
            self.soon(self.flush(item.chat))

    def _conversation(self, chat: int) -> Conversation:
        found = self._conversations.pop(chat, None) or Conversation(chat, self)
        self._conversations[chat] = found
        for other in [c for c in list(self._conversations)[:-CONVERSATIONS] if c not in self._tasks]:
            del self._conversations[other]
        return found

    def _start(self, conversation: Conversation) -> None:
        if conversation.chat not in self._tasks:
            task = self._tasks[conversation.chat] = asyncio.create_task(conversation.run())
            task.add_done_callback(partial(self._ended, conversation))

    def _ended(self, conversation: Conversation, task: asyncio.Task[None]) -> None:
        self._tasks.pop(conversation.chat, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("event=conversation_failed chat=%d error=%s", conversation.chat, type(error).__name__)
            self.counters.add("failed")
        elif conversation.queue and not conversation.stopping and not task.cancelled():
            self._start(conversation)  # something came while it ended

    # -- what conversations ask for

    async def say(self, burst: Sequence[Item], stop: threading.Event, hear: Callable[[str], None]) -> Turn:
        """The companion's turn for what was said in a burst; hear: told the reply while it grows, from any thread."""
        return await answering.say(self, burst, stop, hear)

    async def reply(self, burst: Sequence[Item], turn: Turn, edit: Sequence[int] = ()) -> list[Out]:
        """The messages that answer a burst; those named by `edit` are replaced, or taken away if they are too many."""
        return await answering.reply(self, burst, turn, edit)

    def streaming(self, items: Sequence[Item]) -> contextlib.AbstractAsyncContextManager[Callable[[str], None]]:
        """Shows a reply in the chat while it grows; gives what is to be told the text so far."""
        return streaming.streaming(self, items)

    def shown(self, items: Sequence[Item]) -> list[int]:
        """The message in which the answer to these is growing, if there is one."""
        return self.inbox.shown([item.update for item in items])

    def unshow(self, items: Sequence[Item]) -> None:
        """Take away what was shown of an answer that will not be finished."""
        self.inbox.unshow([item.update for item in items], items[-1].chat)

    async def handle(self, item: Item) -> list[Out]:
        """Answer a command or a button, or move a group's memory to its new id."""
        if item.kind == "button":
            return await buttons.run(self, item)
        if item.kind == "moved":
            return await groups.move(self, item)
        return await commands.run(self, item)

    async def take_back(self, person: str, heard: str) -> str | None:
        """Take back the person's last words, if they are those heard at that time; gives them."""
        return await self.worker.call(partial(answering.take_back, person=person, heard=heard)) if heard else None

    def heard(self, items: Sequence[Item], at: str) -> None:
        self.inbox.heard([item.update for item in items], at)

    def done(self, items: Sequence[Item], outs: Sequence[Out], last: Last | None = None) -> None:
        """Cross off, with all that is to be sent for it."""
        if items:
            self.inbox.done([item.update for item in items], items[-1].chat, outs, last)
            self.counters.add("silent", 0 if outs else len(items))
        now = time.monotonic()
        for item in items:
            arrived = self._arrived.pop(item.update, None)
            if arrived is not None and item.kind == "said":
                self.counters.wait(now - arrived)

    def last(self, chat: int) -> Last:
        return self.inbox.last(chat)

    def interrupted(self) -> None:
        self.counters.add("interrupted")

    def sorry(self, items: Sequence[Item]) -> list[Out]:
        """What is said when answering failed."""
        self.counters.add("failed")
        return text.outs(texts.TROUBLE, edit=next(iter(self.shown(items)), None))

    async def typing(self, chat: int) -> None:
        await self.quietly(self.bot.send_chat_action(chat, "typing"))

    async def flush(self, chat: int) -> None:
        await self.sender.flush(chat)

    # -- for commands

    async def only_admins(self, item: Item) -> list[Out]:
        """Nothing, or in a group the refusal for those who are no admins."""
        return await groups.only_admins(self, item)

    # -- the end

    async def stop(self, seconds: float) -> None:
        """Finish what runs within so many seconds; the rest stays in the inbox for the next start."""
        for conversation in self._conversations.values():
            conversation.stopping = True
        running = {*self._tasks.values(), *self._small}
        late = (await asyncio.wait(running, timeout=seconds))[1] if running else running
        for conversation in self._conversations.values():
            if conversation.stop:
                conversation.stop.set()
        if late:
            _, late = await asyncio.wait(late, timeout=1.0)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        log.info("event=stopped finished=%d handed_over=%d", len(running) - len(late), self.inbox.depth())

    @property
    def busy(self) -> int:
        """How many chats have something to do."""
        return len(self._tasks)

    # -- small things that may fail

    def soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._small.add(task)
        task.add_done_callback(self._small.discard)

    async def quietly(self, work: Any) -> None:
        """Do something of which nothing depends: typing, a reaction, the end of a button's spinner."""
        try:
            await work
        except TelegramError as error:
            log.debug("event=small_failure error=%s", type(error).__name__)
