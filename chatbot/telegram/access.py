"""Who may talk to the bot, and how much: nobody by default, then those on the allow-list and those with an invite."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from datetime import date

from chatbot.settings import TelegramSettings
from chatbot.telegram.inbox import Inbox
from chatbot.telegram.reading import Item

TELL_AGAIN = 3600.0
"""Seconds after which a stranger is told once more that this bot is private."""


class Access:
    """The allow-list of the config, the guests and what they have used today, both of the inbox."""

    def __init__(self, settings: TelegramSettings, inbox: Inbox, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.inbox, self.clock = settings, inbox, clock
        self._allowed = frozenset(settings.allow)

    def allows(self, item: Item) -> bool:
        """Whether this person (or, in a group, this group) may be answered. A right invite lets a person in."""
        if item.sender in self._allowed or self._guest(item.sender):
            return True
        # A private chat has its person's id, but who presses a button there need not be that person.
        if item.group and (item.chat in self._allowed or self._guest(item.chat)):
            return True
        if item.kind == "command" and item.command == "start" and not item.group and self._invited(item.text):
            self._let_in(item.sender)
            return True
        return False

    def moved(self, old: int, new: int) -> None:
        """A group has another id now, and is as welcome as before."""
        if old in self._allowed or self._guest(old):
            self._let_in(new)

    def first_time(self, person: int, what: str, again: float = TELL_AGAIN) -> bool:
        """Whether this was not told to them within so many seconds; from now on it was."""
        now = self.clock()
        row = self.inbox.db.execute("select at from told where person = ? and what = ?", [person, what]).fetchone()
        if row and now - row[0] < again:
            return False
        with self.inbox.writing() as db:
            db.execute("insert or replace into told values (?, ?, ?)", [person, what, now])
        return True

    def spend(self, person: int) -> bool:
        """Take one message from today's budgets; False when there is none left."""
        today = date.fromtimestamp(self.clock()).isoformat()
        with self.inbox.writing() as db:
            db.execute("delete from used where day != ?", [today])
            own = db.execute("select n from used where person = ?", [person]).fetchone()
            everybody = db.execute("select sum(n) from used").fetchone()
            for limit, row in ((self.settings.per_person, own), (self.settings.per_day, everybody)):
                if limit and row and (row[0] or 0) >= limit:
                    return False
            db.execute(
                "insert into used values (?, ?, 1) on conflict do update set n = n + 1",
                [today, person],
            )
        return True

    def _let_in(self, id: int) -> None:
        with self.inbox.writing() as db:
            db.execute("insert or ignore into guest values (?, ?)", [id, self.clock()])

    def _guest(self, person: int) -> bool:
        return bool(self.inbox.db.execute("select 1 from guest where person = ?", [person]).fetchone())

    def _invited(self, code: str) -> bool:
        return any(code and hmac.compare_digest(code.encode(), invite.encode()) for invite in self.settings.invites)
