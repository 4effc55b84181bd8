"""/settings: what a person can switch, by buttons, and their time zone."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from chatbot.telegram import reminders
from chatbot.telegram.inbox import Out
from chatbot.telegram.reading import Item
from chatbot.telegram.text import outs, plain

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram


async def show(bot: Telegram, item: Item, edit: int | None = None) -> list[Out]:
    """The switches as they stand; with text behind the command, that is a time zone to set."""
    if item.text and item.kind == "command":
        zone, near = _zone(item.text)
        if zone is None:
            return outs(f"I don't know that time zone. Write it like this: /settings {near}")
        await bot.people.change(item.person, zone=zone)
    chosen = await bot.people.get(item.person)
    text, spans = plain(
        ("Settings", "bold"), f"\n\nTime zone: {chosen.zone or bot.settings.time_zone or 'this computer’s'}"
    )
    text += "\nTo change it: /settings Europe/Berlin"
    buttons = [[(f"Reactions: {_on(chosen.reactions)}", "set:reactions")]]
    if bot.settings.check_ins and not item.group:
        text += "\nCheck-ins: I ask how a plan went that you told me of, at most once a day and never at night."
        buttons.append([(f"Check-ins: {_on(chosen.check_ins)}", "set:check_ins")])
    return outs(text, spans, buttons=buttons, edit=edit)


async def switch(bot: Telegram, item: Item, name: str) -> list[Out]:
    """Turn a switch over."""
    chosen = await bot.people.get(item.person)
    if name == "reactions":
        await bot.people.change(item.person, reactions=not chosen.reactions)
    elif name == "check_ins" and bot.settings.check_ins and not item.group:
        await bot.people.change(item.person, check_ins=not chosen.check_ins)
        reminders.opt(bot.inbox, item.sender, not chosen.check_ins)
    else:
        return []
    return await show(bot, item, edit=item.message)


def _zone(text: str) -> tuple[str | None, str]:
    """The IANA name that was meant ("tokyo" and "Asia/Tokyo" alike), or None; and one that is near."""
    wanted = text.strip().replace(" ", "_").lower()
    names = {name.lower(): name for name in sorted(available_timezones())}
    names = {name.rsplit("/", 1)[-1]: full for name, full in names.items() if "/" in name} | names
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    return names.get(wanted), names[near[0]] if near else "Europe/Berlin"


def _on(value: bool) -> str:
    return "on" if value else "off"
