"""Groups: the bot speaks only when it is addressed, and keeps a memory of the group apart from everybody's own."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from telegram import ChatMember

from chatbot.companion import Companion
from chatbot.telegram import texts
from chatbot.telegram.inbox import Out
from chatbot.telegram.reading import Item
from chatbot.telegram.text import outs

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram

ADMINS = (ChatMember.OWNER, ChatMember.ADMINISTRATOR)


def addressed(item: Item, bot_name: str, *names: str) -> bool:
    """Whether it was said to us: a command, a mention, a reply to us, or a name of ours as a word of its own."""
    if item.kind == "command" or item.reply_to_us:
        return True
    called = rf"(?<!\w)(?:{'|'.join(map(re.escape, (f'@{bot_name}', *names)))})(?!\w)"
    return re.search(called, item.text, re.IGNORECASE) is not None


def bare(item: Item, bot_name: str) -> Item:
    """Without the mention, which is no word of what was said."""
    if item.kind == "command":
        return item
    text = re.sub(rf"@{re.escape(bot_name)}(?!\w)[,:]?[ ]?", "", item.text, flags=re.IGNORECASE).strip()
    return replace(item, text=text or "hello")


async def learn_names(bot: Telegram) -> None:
    """What each group calls us, from their memories: at the start, since it decides what is read at all."""

    def look(companion: Companion, chat: int) -> str | None:
        facts = companion.memory(f"telegram-group:{chat}").facts()
        return next((f.value for f in reversed(facts) if f.slot == "name" and f.about == "companion"), None)

    for chat in bot.inbox.groups():
        if name := await bot.worker.call(partial(look, chat=chat)):
            bot.names[chat] = name


async def only_admins(bot: Telegram, item: Item) -> list[Out]:
    """What a group's memory holds is everybody's, so only admins may take it away or out."""
    if not item.group:
        return []
    member = await bot.bot.get_chat_member(item.chat, item.sender)
    return [] if member.status in ADMINS else outs(texts.ADMINS_ONLY)


async def move(bot: Telegram, item: Item) -> list[Out]:
    """The group became a supergroup, with another id: its memory moves along."""

    def carry(companion: Companion, old: str, new: str) -> None:
        there, here = companion.memory(new), companion.memory(old)
        if not there.recent(1) and not there.facts():
            there.import_(here.export())
            here.erase()

    if item.chat not in bot.inbox.groups():
        return []  # nothing was ever said to us there
    await bot.worker.call(partial(carry, old=item.person, new=f"telegram-group:{item.moved_to}"))
    if name := bot.names.pop(item.chat, None):
        bot.names[item.moved_to] = name
    return []
