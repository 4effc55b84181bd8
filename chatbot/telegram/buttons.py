"""What the buttons under our messages do. Their data is what?:id:..., at most 64 bytes, and holds no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatbot.telegram import memory_pages, settings_menu
from chatbot.telegram.inbox import Out
from chatbot.telegram.reading import Item
from chatbot.telegram.text import outs

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram


async def run(bot: Telegram, item: Item) -> list[Out]:
    """Answer a press; data that is not ours, or is from an older version, is met with silence."""
    what, *rest = item.button.split(":")
    numbers = [int(part) for part in rest if part.isdecimal() and len(part) < 16]
    if what in ("forget", "erase") and (refusal := await bot.only_admins(item)):
        return refusal
    if what == "memory" and numbers:
        return await memory_pages.page(bot, item, numbers[0], edit=item.message)
    if what == "why" and numbers:
        return await memory_pages.why(bot, item, numbers[0])
    if what == "forget" and rest == ["last"]:
        return await memory_pages.forget_last(bot, item)
    if what == "forget" and numbers:
        return await memory_pages.forget_fact(bot, item, numbers[0], numbers[1] if len(numbers) > 1 else 0)
    if what == "erase":
        return await _erase(bot, item, rest == ["yes"])
    if what == "set" and rest:
        return await settings_menu.switch(bot, item, rest[0])
    return []


async def _erase(bot: Telegram, item: Item, sure: bool) -> list[Out]:
    if not sure:
        return outs("Nothing was erased.", edit=item.message)
    await bot.worker.call(lambda companion: companion.memory(item.person).erase())
    bot.people.drop(item.person)
    bot.names.pop(item.chat, None)
    bot.inbox.forget(item.chat)
    return outs("Everything I kept about you is erased. If you write again, we start anew.", edit=item.message)
