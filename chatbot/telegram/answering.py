"""What was said in a chat becomes a turn of the companion, and its reply becomes messages.

Knows nothing of queues and of sending: conversation.py calls it, sender.py delivers what it gives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from chatbot.companion import LOST, Companion, Message
from chatbot.telegram import people, text, texts
from chatbot.telegram.inbox import Out
from chatbot.telegram.reading import Item
from pipelines.turn import Reply, Turn

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram

MAX_INPUT = 10_000
"""Characters of one burst that are read."""


async def say(bot: Telegram, burst: Sequence[Item], stop: threading.Event, hear: Callable[[str], None]) -> Turn:
    """The companion's turn for what was said in a burst; one without words has an empty reply."""
    item, words = burst[-1], "\n".join(part.text for part in burst if part.text)[:MAX_INPUT]
    chosen = await bot.people.get(item.person)
    at = item.at.astimezone(chosen.time_zone(bot.settings.time_zone))
    if not words:
        return Turn("", item.person, at, reply=Reply("", "nothing"))
    if not bot.access.spend(item.sender):
        return await _over_budget(bot, item, words, at)
    if chosen.naming == "companion":
        await bot.people.change(item.person, naming="")
        if name := people.companion_name(words, bot.persona.name):
            return await bot.worker.call(
                partial(people.name_companion, person=item.person, text=words, name=name, at=at)
            )
    turn = await bot.worker.say(Message(item.person, words, at, stop, on_text=hear))
    if not stop.is_set():
        bot.counters.add("turns")
        bot.counters.stage(turn.ms)
    _count_crisis(bot, turn)
    return turn


def _count_crisis(bot: Telegram, turn: Turn) -> None:
    """For whoever runs the bot: how often, and nothing of whom or what."""
    if turn.safety is not None and turn.safety.level in ("risk", "now"):
        bot.counters.add("crisis")


async def _over_budget(bot: Telegram, item: Item, words: str, at: datetime) -> Turn:
    """No answer from the models, but whoever is in danger is answered all the same."""
    bot.counters.add("over_budget")
    turn = Turn(words, item.person, at)
    await bot.worker.call(lambda companion: companion.pipeline([turn], until="safety"))
    reply = turn.safety.reply if turn.safety else None
    _count_crisis(bot, turn)
    if not reply:
        reply = texts.OVER_BUDGET if bot.access.first_time(item.sender, "budget", 12 * 3600) else ""
    turn.reply = Reply(reply, "budget")
    return turn


async def reply(bot: Telegram, burst: Sequence[Item], turn: Turn, edit: Sequence[int] = ()) -> list[Out]:
    """The messages that answer a burst; those named by `edit` are replaced, or taken away if they are too many."""
    item = burst[-1]
    said = turn.reply.text if turn.reply else LOST
    # What people wrote (crisis replies, our own lines) is sent as it is; what models wrote may hold Markdown.
    fixed = turn.reply is None or (turn.safety is not None and turn.safety.reply is not None)
    words, spans = (said, []) if fixed else text.markdown(said)
    unseen = [part.unseen for part in burst if part.unseen]
    if unseen and not fixed:
        before = texts.cannot_see(unseen) + ("\n\n" if words else "")
        words, spans = before + words, text.moved(spans, len(before))
    chosen = await bot.people.get(item.person)
    if chosen.naming == "person" and not fixed and turn.text:
        named = turn.fact("name") is not None
        await bot.people.change(item.person, naming="companion" if named else "")
        if named:
            words += f"\n\nAnd what will you call me? I'm {turn.companion_name}, unless you like another name better."
    if item.group and turn.text:
        bot.names[item.chat] = turn.companion_name
    if chosen.reactions and bot.settings.reactions and (emoji := bot.reactions.choose(item.chat, turn)):
        bot.counters.add("reactions")
        bot.soon(bot.quietly(bot.bot.set_message_reaction(item.chat, item.message, emoji)))
    outs = text.outs(words, spans, answers=True, reply_to=item.message if item.group else None)
    for i, (out, old) in enumerate(zip(outs, edit, strict=False)):
        outs[i] = Out(out.text, out.entities, out.buttons, edit=old, answers=True)
    return outs + [Out(kind="delete", edit=old) for old in edit[len(outs) :]]


def take_back(companion: Companion, person: str, heard: str) -> str | None:
    """Take back the person's last words, if they are those heard at that time; gives them."""
    memory = companion.memory(person)
    said = [u for u in memory.recent(8) if u.role == "person"]
    if not said or said[-1].at != datetime.fromisoformat(heard):
        return None
    memory.undo()
    return said[-1].text
