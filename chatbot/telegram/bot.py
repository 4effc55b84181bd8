"""The bot: what came from Telegram goes to the conversations, their answers to the sender.

Everything here runs in one event loop; the companion has its own thread (chatbot/worker.py). Knows nothing of how an
update arrives (polling.py, webhook.py) or of how the process starts and stops (running.py).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from telegram import Bot, Update
from telegram.error import TelegramError

from chatbot.companion import LOST, Companion, Message
from chatbot.settings import TelegramSettings
from chatbot.telegram import buttons, commands, files, groups, people, reactions, reminders, text, texts
from chatbot.telegram.access import Access
from chatbot.telegram.conversation import Conversation
from chatbot.telegram.counters import Counters
from chatbot.telegram.inbox import Inbox, Last, Out
from chatbot.telegram.limits import Pace
from chatbot.telegram.people import People
from chatbot.telegram.reading import Item, read, salvaged
from chatbot.telegram.sender import Sender
from chatbot.worker import Worker
from pipelines.turn import Persona, Reply, Turn

log = logging.getLogger(__name__)

MAX_INPUT = 10_000
"""Characters of one burst that are read."""

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
        self._muted: set[int] = set()  # groups in which we may not speak, as far as this run was told

    # -- in

    def take(self, raws: Sequence[dict[str, Any]]) -> None:
        """Write down updates, then begin to answer those that are new."""
        for raw in self.inbox.put(raws):
            self._arrived[raw["update_id"]] = time.monotonic()
            self._dispatch(raw)

    async def catch_up(self) -> None:
        """Take up what an earlier run left: half-heard words are taken back, then everything is answered."""
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
            self._conversation(item.chat).put(item)
            self._start(self._conversation(item.chat))
        elif not self.access.allows(item):
            self._deny(item)
        elif item.group and item.kind != "button" and not groups.addressed(item, self.bot.username, self.persona.name):
            self._silent(item.update)
        elif item.command == "cancel":
            stopped = self._conversation(item.chat).cancel()
            self.done([item], text.outs(texts.CANCELLED if stopped else "I'm not writing anything right now."))
            self._soon(self.flush(item.chat))
        else:
            if item.kind == "button":
                self._soon(self._quietly(self.bot.answer_callback_query(item.callback)))
            conversation = self._conversation(item.chat)
            conversation.put(groups.bare(item, self.bot.username) if item.group else reminders.meant(item))
            self._start(conversation)

    def _silent(self, update: int) -> None:
        self.counters.add("silent")
        self._arrived.pop(update, None)
        self.inbox.done([update])

    def _deny(self, item: Item) -> None:
        self.counters.add("denied")
        outs = []
        if item.kind == "button":
            self._soon(self._quietly(self.bot.answer_callback_query(item.callback, "This bot is private.")))
        elif not item.group and item.kind != "edited" and self.access.first_time(item.sender, "stranger"):
            log.info("event=stranger person=%d", item.sender)
            outs = text.outs(texts.stranger(item.sender))
        self.done([item], outs)
        if outs:
            self._soon(self.flush(item.chat))

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

    async def say(self, burst: Sequence[Item], stop: threading.Event) -> Turn:
        """The companion's turn for what was said in a burst; one without words has an empty reply."""
        item, words = burst[-1], "\n".join(part.text for part in burst if part.text)[:MAX_INPUT]
        chosen = await self.people.get(item.person)
        at = item.at.astimezone(chosen.time_zone(self.settings.time_zone))
        if not words:
            return Turn("", item.person, at, reply=Reply("", "nothing"))
        if not self.access.spend(item.sender):
            return await self._over_budget(item, words, at)
        if chosen.naming == "companion":
            await self.people.change(item.person, naming="")
            if name := people.companion_name(words, self.persona.name):
                return await self.worker.call(
                    partial(people.name_companion, person=item.person, text=words, name=name, at=at)
                )
        turn = await self.worker.say(Message(item.person, words, at, stop))
        if not stop.is_set():
            self.counters.add("turns")
            self.counters.stage(turn.ms)
        return turn

    async def _over_budget(self, item: Item, words: str, at: datetime) -> Turn:
        """No answer from the models, but whoever is in danger is answered all the same."""
        self.counters.add("over_budget")
        turn = Turn(words, item.person, at)
        await self.worker.call(lambda companion: companion.pipeline([turn], until="safety"))
        reply = turn.safety.reply if turn.safety else None
        if not reply:
            reply = texts.OVER_BUDGET if self.access.first_time(item.sender, "budget", 12 * 3600) else ""
        turn.reply = Reply(reply, "budget")
        return turn

    async def reply(self, burst: Sequence[Item], turn: Turn, edit: Sequence[int] = ()) -> list[Out]:
        """The messages that answer a burst; those named by `edit` are replaced, or taken away if they are too many."""
        item = burst[-1]
        said = turn.reply.text if turn.reply else LOST
        # What people wrote (crisis replies, our own lines) is sent as it is; what models wrote may hold Markdown.
        fixed = turn.reply is None or (turn.safety is not None and turn.safety.reply is not None)
        words, spans = (said, []) if fixed else text.markdown(said)
        unseen = [part.unseen for part in burst if part.unseen]
        if unseen and not fixed:
            words = texts.cannot_see(unseen) + ("\n\n" + words if words else "")
            spans = [] if turn.text else spans
        chosen = await self.people.get(item.person)
        if chosen.naming == "person" and not fixed and turn.text:
            named = turn.fact("name") is not None
            await self.people.change(item.person, naming="companion" if named else "")
            if named:
                words += (
                    f"\n\nAnd what will you call me? I'm {turn.companion_name}, unless you like another name better."
                )
        if chosen.reactions and self.settings.reactions and (emoji := self.reactions.choose(item.chat, turn)):
            self.counters.add("reactions")
            self._soon(self._quietly(self.bot.set_message_reaction(item.chat, item.message, emoji)))
        outs = text.outs(words, spans, answers=True, reply_to=item.message if item.group else None)
        for i, (out, old) in enumerate(zip(outs, edit, strict=False)):
            outs[i] = Out(out.text, out.entities, out.buttons, edit=old, answers=True)
        return outs + [Out(kind="delete", edit=old) for old in edit[len(outs) :]]

    async def handle(self, item: Item) -> list[Out]:
        """Answer a command or a button, or move a group's memory to its new id."""
        if item.kind == "button":
            return await buttons.run(self, item)
        if item.kind == "moved":
            return await groups.move(self, item)
        return await commands.run(self, item)

    async def take_back(self, person: str, heard: str) -> str | None:
        """Take back the person's last words, if they are those heard at that time; gives them."""
        return await self.worker.call(partial(_take_back, person=person, heard=heard)) if heard else None

    def heard(self, items: Sequence[Item], at: str) -> None:
        self.inbox.heard([item.update for item in items], at)

    def done(self, items: Sequence[Item], outs: Sequence[Out], last: Last | None = None) -> None:
        """Cross off, with all that is to be sent for it."""
        if items:
            self.inbox.done([item.update for item in items], items[-1].chat, outs, last)
        now = time.monotonic()
        for item in items:
            arrived = self._arrived.pop(item.update, None)
            if arrived is not None and item.kind == "said":
                self.counters.wait(now - arrived)

    def last(self, chat: int) -> Last:
        return self.inbox.last(chat)

    def interrupted(self) -> None:
        self.counters.add("interrupted")

    def sorry(self, item: Item, error: Exception) -> list[Out]:
        """What is said when answering failed."""
        self.counters.add("failed")
        return text.outs(texts.TROUBLE)

    async def typing(self, chat: int) -> None:
        await self._quietly(self.bot.send_chat_action(chat, "typing"))

    async def flush(self, chat: int) -> None:
        await self.sender.flush(chat)

    # -- for commands

    async def only_admins(self, item: Item) -> list[Out]:
        """Nothing, or in a group the refusal for those who are no admins."""
        return await groups.only_admins(self, item)

    def opt(self, person: int, on: bool) -> None:
        """Put a person on the list of those who want check-ins, or take them off."""
        with self.inbox.writing() as db:
            db.execute("delete from opted where person = ?", [person])
            if on:
                db.execute("insert into opted values (?)", [person])

    # -- the end

    async def stop(self, seconds: float) -> None:
        """Finish what runs within so many seconds; the rest stays in the inbox for the next start."""
        for conversation in self._conversations.values():
            conversation.stopping = True
        running = list(self._tasks.values())
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for conversation in self._conversations.values():
                if conversation.stop:
                    conversation.stop.set()
            if late:
                _, late = await asyncio.wait(late, timeout=1.0)
            for task in [*late, *self._small]:
                task.cancel()
            await asyncio.gather(*late, *self._small, return_exceptions=True)
            log.info("event=stopped finished=%d handed_over=%d", len(running) - len(late), self.inbox.depth())

    @property
    def busy(self) -> int:
        """How many chats have something to do."""
        return len(self._tasks)

    # -- small things that may fail

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._small.add(task)
        task.add_done_callback(self._small.discard)

    async def _quietly(self, work: Any) -> None:
        """Do something of which nothing depends: typing, a reaction, the end of a button's spinner."""
        try:
            await work
        except TelegramError as error:
            log.debug("event=small_failure error=%s", type(error).__name__)


def _take_back(companion: Companion, person: str, heard: str) -> str | None:
    memory = companion.memory(person)
    said = [u for u in memory.recent(8) if u.role == "person"]
    if not said or said[-1].at != datetime.fromisoformat(heard):
        return None
    memory.undo()
    return said[-1].text
