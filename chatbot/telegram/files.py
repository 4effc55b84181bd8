"""What is sent as a file: everything that is kept of a person, and the picture of their week.

Made when it is sent, not before, so that nothing of it waits on the disk.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chatbot.telegram.inbox import Out

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram


async def send(bot: Telegram, chat: int, out: Out) -> int:
    """Send it; gives the message's id."""
    person = f"telegram:{chat}" if chat > 0 else f"telegram-group:{chat}"
    if out.kind == "mood":
        from chatbot.telegram import mood

        chosen = await bot.people.get(person)
        zone = chosen.time_zone(bot.settings.time_zone)
        week = await bot.worker.call(lambda companion: mood.week(companion, person, zone))
        if week is None:
            return (await bot.bot.send_message(chat, mood.NOTHING)).message_id
        return (await bot.bot.send_photo(chat, mood.picture(week), caption=mood.caption(week))).message_id
    kept = await bot.worker.call(lambda companion: companion.memory(person).export())
    data = json.dumps(kept, ensure_ascii=False, indent=2, default=str).encode()
    return (await bot.bot.send_document(chat, data, filename="memory.json", caption=out.text)).message_id
