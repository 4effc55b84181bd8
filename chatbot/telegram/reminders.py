"""Reminders that a person asked for, and, for those who want it, one question a day about a plan they told of.

Both are on the disk and survive restarts. At night in the person's time zone only what was asked for that very time is
sent. Knows English times only.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from chatbot.companion import Companion
from chatbot.telegram.inbox import Inbox, Out
from chatbot.telegram.reading import Item
from chatbot.telegram.text import outs

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram

log = logging.getLogger(__name__)

MOST = 20
"""Reminders that a person may have waiting."""

NIGHT = (22, 8)
EVENING = (18, 21)
"""Hours; a plan is asked after in the evening of its day."""

LATE = 1800
"""Seconds after which a reminder that was held up counts as late, and waits for the morning."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_USAGE = "Tell me when and what, like this: /remind tomorrow 9:00 call mum. Or: /remind in 20 minutes tea"


# -- on the disk


def keep(inbox: Inbox, person: int, due: float, text: str, key: str) -> None:
    """Keep a reminder; the same key twice is one reminder."""
    with inbox.writing() as db:
        row = [person, due, text, key]
        db.execute("insert or ignore into reminder(person, due, text, key) values (?, ?, ?, ?)", row)


def waiting(inbox: Inbox, person: int) -> list[tuple[float, str]]:
    """This person's reminders: when and what, the next one first."""
    rows = inbox.db.execute("select due, text from reminder where person = ? order by due", [person])
    return [(due, text) for due, text in rows]


def _due(inbox: Inbox, now: float) -> list[tuple[int, int, float, str]]:
    """The reminders whose time has come: id, person, when, text."""
    sql = "select id, person, due, text from reminder where due <= ? order by due limit 50"
    return [(id, person, due, text) for id, person, due, text in inbox.db.execute(sql, [now]).fetchall()]


def _fire(inbox: Inbox, id: int, person: int, outs: Sequence[Out]) -> None:
    """Turn a reminder into messages to send."""
    with inbox.writing() as db:
        db.execute("delete from reminder where id = ?", [id])
        inbox.insert(db, person, outs)


def opt(inbox: Inbox, person: int, on: bool) -> None:
    """Put a person on the list of those who want check-ins, or take them off."""
    with inbox.writing() as db:
        db.execute("delete from opted where person = ?", [person])
        if on:
            db.execute("insert into opted values (?)", [person])


def opted(inbox: Inbox) -> list[int]:
    """The people who want check-ins."""
    return [row[0] for row in inbox.db.execute("select person from opted order by person").fetchall()]


# -- what was asked for


async def ask(bot: Telegram, item: Item) -> list[Out]:
    """/remind: write it down. Without words: show what waits."""
    if item.group or not bot.settings.check_ins:
        return outs("Reminders are not available here." if not item.group else "I set reminders in private chats only.")
    mine = waiting(bot.inbox, item.sender)
    chosen = await bot.people.get(item.person)
    zone = chosen.time_zone(bot.settings.time_zone)
    if not item.text:
        lines = [f"{datetime.fromtimestamp(due).astimezone(zone):%a %d %b %H:%M} {text}" for due, text in mine]
        return outs("\n".join(["Waiting:", *lines]) if lines else _USAGE)
    if len(mine) >= MOST:
        return outs(f"You have {MOST} reminders waiting; that's as many as I keep.")
    now = item.at.astimezone(zone)
    found = await asyncio.to_thread(when_and_what, item.text[:300], now)
    if found is None:
        return outs(f"I couldn't make out when. {_USAGE}")
    due, what = found
    if due <= now:
        return outs("That time has passed already.")
    if due > now + timedelta(days=366):
        return outs("That's more than a year away; I'd rather not promise that.")
    keep(bot.inbox, item.sender, due.timestamp(), what, key=f"update:{item.update}")
    return outs(f"I'll remind you on {due:%A %d %B at %H:%M}: {what}")


def meant(item: Item) -> Item:
    """ "Remind me to call mum at 6" is the command without its slash, if it names a time or a day."""
    match = re.match(r"(?:please )?(?:can you |could you )?remind me ", item.text, re.IGNORECASE)
    if item.kind != "said" or item.group or not match or len(item.text) > 300:
        return item
    rest = item.text[match.end() :].rstrip(" ?!.")
    if not re.search(r"\d", rest) and not set(_DAYS.split()[:10]) & set(rest.lower().split()):
        return item
    return replace(item, kind="command", command="remind", text=rest)


def when_and_what(text: str, now: datetime) -> tuple[datetime, str] | None:
    """The time at the beginning or the end of the text, and the rest; the longest stretch that is a time counts."""
    import dateparser

    words = re.sub(r"^(?:me )?(?:to )?", "", text.strip(), flags=re.IGNORECASE).split()
    settings = {
        "PREFER_DATES_FROM": "future", "RELATIVE_BASE": now.replace(tzinfo=None), "RETURN_AS_TIMEZONE_AWARE": False,
    }  # fmt: skip
    for n in range(min(6, len(words) - 1), 0, -1):
        for part, rest in ((words[:n], words[n:]), (words[-n:], words[:-n])):
            if not all(_TIME_WORD.fullmatch(word.strip(",")) for word in part):
                continue  # the parser would step over the words that it does not know
            due = dateparser.parse(" ".join(part), languages=["en"], settings=settings)
            if due is not None:
                if not re.search(r"\d[:.]\d\d|\d ?[ap]m|minute|hour|second|\bmin", " ".join(part), re.IGNORECASE):
                    due = due.replace(hour=9, minute=0, second=0)
                what = re.sub(r"^(?:to|that|about) |[ ,]+(?:at|on|in)$", "", " ".join(rest), flags=re.IGNORECASE)
                return due.replace(tzinfo=now.tzinfo), what
    return None


_TIME_WORD = re.compile(
    r"in|at|on|next|this|an?|and|of|the|from|now|tomorrow|tonight|today|noon|midnight|morning|afternoon|evening|"
    r"(?:mon|tues?|wed(?:nes)?|thurs?|fri|sat(?:ur)?|sun)(?:day)?|(?:jan|febr?)(?:uary)?|mar(?:ch)?|apr(?:il)?|may|june?|"
    r"july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|(?:nov|dec)(?:ember)?|(?:second|sec|minute|min|hour|day|week|month)s?|"
    r"[ap]\.?m\.?|\d{1,4}(?:[:.h/-]\d{1,2}){0,2}(?:[ap]m|st|nd|rd|th|h|min|m)?|one|two|three|five|ten|half",
    re.IGNORECASE,
)
_DAYS = "tomorrow tonight today monday tuesday wednesday thursday friday saturday sunday in at on next"


async def run(bot: Telegram, every: float = 5.0) -> None:
    """Send what is due, until cancelled."""
    asked_at = 0.0
    while True:
        try:
            for id, person, due, text in _due(bot.inbox, time.time()):
                chosen = await bot.people.get(f"telegram:{person}")
                here = datetime.now().astimezone(chosen.time_zone(bot.settings.time_zone))
                if time.time() - due > LATE and _night(here):
                    continue
                _fire(bot.inbox, id, person, outs(f"You asked me to remind you: {text}"))
                await bot.flush(person)
            if time.time() - asked_at > 600:
                asked_at = time.time()
                await check_in(bot)
        except Exception as error:
            log.error("event=reminders_failed error=%s", type(error).__name__)
        await asyncio.sleep(every)


async def check_in(bot: Telegram, now: datetime | None = None) -> None:
    """Ask those who want it how a plan of today went, once a day at most, in the evening."""
    for person in opted(bot.inbox):
        key = f"telegram:{person}"
        chosen = await bot.people.get(key)
        here = (now or datetime.now()).astimezone(chosen.time_zone(bot.settings.time_zone))
        if not chosen.check_ins or not EVENING[0] <= here.hour < EVENING[1]:
            continue
        plan = await bot.worker.call(partial(_plan, person=key, here=here))
        if plan and bot.access.first_time(person, "check_in", 20 * 3600):
            text = f"You told me of {plan} today. How did it go?"
            await bot.worker.call(partial(_said, person=key, text=text))
            bot.inbox.done([], person, outs(text))
            await bot.flush(person)


def _plan(companion: Companion, person: str, here: datetime) -> str | None:
    """What the person planned for today, in their words."""
    memory = companion.memory(person)
    for fact in [] if memory.paused else memory.facts():
        found = _DATE.search(fact.value) if fact.slot == "plan" and not fact.about else None
        if found and found[0] == here.date().isoformat():
            what = re.sub(r"\s*\b(?:on|at|by)?\s*$", "", fact.value[: found.start()]).strip(" ,")
            return f"your {what}" if what else None
    return None


def _said(companion: Companion, person: str, text: str) -> None:
    companion.memory(person).answer(text, companion.clock(), to=0)


def _night(here: datetime) -> bool:
    return here.hour >= NIGHT[0] or here.hour < NIGHT[1]
