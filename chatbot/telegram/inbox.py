"""What came from Telegram and what is still to be sent, on disk, so that a kill -9 neither loses nor repeats.

    came    one row per update, written before Telegram is told that we have it; its text goes when it is answered;
            growing: the row of `out` in which its answer is shown while it is being written
    out     one row per message to send: waiting -> sending -> sent; its text goes when it is sent
    chat    per chat the last exchange, by time and message ids (no text), for edits and /retry

Ids of what is done stay for two days, longer than Telegram repeats an update. Does not know what an update means.
"""

# ruff: noqa: S608  (what is put into SQL here are our own constants; values always go as parameters)

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

KEEP = 2 * 86400
"""Seconds for which the ids of what is done are kept; Telegram forgets an update after one day."""

migrations = Migrations("telegram")


@migrations()  # type: ignore[untyped-decorator, unused-ignore]
def first(db: Database) -> None:
    for sql in (
        """create table came (id integer primary key, chat integer, space integer, message integer, at real,
            raw text, heard text, done integer not null default 0)""",
        "create index came_open on came(id) where done = 0",
        """create table out (id integer primary key autoincrement, chat integer not null, space integer not null,
            at real, payload text, state text not null, after integer, message integer)""",
        "create index out_open on out(chat, id) where state != 'sent'",
        "create table chat (id integer primary key, heard text, messages text, replies text)",
        "create table guest (person integer primary key, at real)",
        "create table used (day text, person integer, n integer, primary key (day, person))",
        "create table told (person integer, what text, at real, primary key (person, what))",
        """create table reminder (id integer primary key autoincrement, person integer, due real, text text,
            key text unique)""",
        "create table opted (person integer primary key)",
    ):
        db.execute(sql)


@migrations()  # type: ignore[untyped-decorator, unused-ignore]
def growing(db: Database) -> None:
    db.execute("alter table came add column growing integer")


@dataclass(frozen=True)
class Out:
    """A message to send, as plain values. entities: as Telegram's JSON has them; buttons: rows of (label, data);
    edit: the id of our own message that it replaces; answers: whether it is the reply to something said;
    kind: "text", "export" or "mood" (both made when they are sent), or "delete" (takes `edit` away)."""

    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    buttons: list[list[tuple[str, str]]] = field(default_factory=list)
    edit: int | None = None
    reply_to: int | None = None
    answers: bool = False
    kind: str = "text"


@dataclass(frozen=True)
class Row:
    """An `Out` on its way. after: the highest message id that was known when sending began."""

    id: int
    chat: int
    out: Out
    state: str
    after: int


@dataclass(frozen=True)
class Last:
    """A chat's last exchange. heard: the time that its words have in memory; messages, replies: message ids."""

    heard: str = ""
    messages: tuple[int, ...] = ()
    replies: tuple[int, ...] = ()


def space(chat: int) -> int:
    """Which sequence of message ids a chat belongs to: supergroups have their own, all else shares the bot's."""
    return chat if chat < -1_000_000_000_000 else 0


class Inbox:
    """The file. Every method is a short transaction; errors of the disk are raised as sqlite3.OperationalError."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.db = Database(sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False))
        for pragma in ("journal_mode = wal", "synchronous = normal", "secure_delete = on", "temp_store = memory"):
            self.db.execute(f"pragma {pragma}").fetchall()
        migrations.apply(self.db)

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """A transaction. It outlives this process at once, and a power cut after the next `put` at the latest."""
        self.db.execute("begin immediate")
        try:
            yield self.db
            self.db.execute("commit")
        except BaseException:
            self.db.execute("rollback")
            raise

    # -- in

    def put(self, raws: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write down updates; gives those that are new, oldest first. After this Telegram may be told."""
        new = []
        # Telegram will be told, and then it forgets: this must reach the disk itself, with all that was before it.
        self.db.execute("pragma synchronous = full")
        with self.writing() as db:
            for raw in sorted((r for r in raws if isinstance(r.get("update_id"), int)), key=lambda r: r["update_id"]):
                chat, message = _where(raw)
                row = [raw["update_id"], chat, space(chat), message, time.time(), json.dumps(raw)]
                sql = "insert or ignore into came(id, chat, space, message, at, raw) values (?, ?, ?, ?, ?, ?)"
                if db.execute(sql, row).rowcount:
                    new.append(raw)
        self.db.execute("pragma synchronous = normal")
        return new

    def unanswered(self) -> list[tuple[dict[str, Any], str | None]]:
        """The updates that are not crossed off, oldest first, each with the time its words may have in memory."""
        rows = self.db.execute("select raw, heard from came where done = 0 order by id").fetchall()
        return [(json.loads(raw), heard) for raw, heard in rows]

    def depth(self) -> int:
        """How many updates wait for their answer."""
        return int(self.db.execute("select count(*) from came where done = 0").fetchone()[0])

    def heard(self, ids: Sequence[int], at: str) -> None:
        """Note the time under which the words of these updates are about to be put into a memory."""
        with self.writing() as db:
            db.execute(f"update came set heard = ? where id {_IN}", [at, json.dumps(list(ids))])

    def done(self, ids: Sequence[int], chat: int = 0, outs: Sequence[Out] = (), last: Last | None = None) -> None:
        """Cross off updates, with all that is to be sent for them, in one transaction."""
        with self.writing() as db:
            self._close_growing(db, ids)
            db.execute(f"update came set done = 1, raw = null, heard = null where id {_IN}", [json.dumps(list(ids))])
            self.insert(db, chat, outs)
            if last:
                self._keep_last(db, chat, last)

    # -- answers that are shown while they grow

    def show(self, ids: Sequence[int], chat: int, out: Out) -> None:
        """Write down the first words of an answer to these updates, to be sent before it is whole."""
        with self.writing() as db:
            self.insert(db, chat, [out])
            row = db.execute("select max(id) from out").fetchone()[0]
            db.execute(f"update came set growing = ? where id {_IN}", [row, json.dumps(list(ids))])

    def shown(self, ids: Sequence[int]) -> list[int]:
        """The message in which the answer to these updates is growing; none, or more if they were two answers."""
        sql = f"""select distinct out.message from came join out on out.id = came.growing
            where came.id {_IN} and out.message is not null order by out.message"""
        return [id for (id,) in self.db.execute(sql, [json.dumps(list(ids))]).fetchall()]

    def unshow(self, ids: Sequence[int], chat: int) -> None:
        """Take what was shown of an answer away again."""
        with self.writing() as db:
            self.insert(db, chat, [Out(kind="delete", edit=message) for message in self.shown(ids)])
            self._close_growing(db, ids)

    @staticmethod
    def _close_growing(db: Database, ids: Sequence[int]) -> None:
        rows = f"(select growing from came where id {_IN} and growing is not null)"
        db.execute(f"update came set growing = null where growing in {rows}", [json.dumps(list(ids))])

    @staticmethod
    def insert(db: Database, chat: int, outs: Sequence[Out]) -> None:
        """Put messages at the end of what is to be sent to a chat."""
        for out in outs:
            row = [chat, space(chat), time.time(), json.dumps(asdict(out))]
            db.execute("insert into out(chat, space, at, payload, state) values (?, ?, ?, ?, 'waiting')", row)

    # -- out

    def waiting(self, chat: int) -> list[Row]:
        """What is to be sent to this chat, in order."""
        sql = "select id, chat, payload, state, after from out where chat = ? and state != 'sent' order by id"
        return [
            Row(id, to, Out(**json.loads(payload)), state, after or 0)
            for id, to, payload, state, after in self.db.execute(sql, [chat]).fetchall()
        ]

    def chats_waiting(self) -> list[int]:
        return [row[0] for row in self.db.execute("select distinct chat from out where state != 'sent' order by chat")]

    def sending(self, row: Row) -> int:
        """Note that a message is about to be sent; gives the highest id known in its sequence."""
        after = self.top(row.chat)
        with self.writing() as db:
            db.execute("update out set state = 'sending', after = ? where id = ?", [after, row.id])
        return after

    def sent(self, row: Row, message: int | None) -> None:
        """Note that it is out (or, without an id, that it never will be), and let its text go."""
        with self.writing() as db:
            db.execute(
                "update out set state = 'sent', payload = null, message = ?, at = ? where id = ?",
                [message, time.time(), row.id],
            )
            if message and row.out.answers:
                last = self.last(row.chat)
                replies = tuple(dict.fromkeys([*last.replies, message]))
                self._keep_last(db, row.chat, Last(last.heard, last.messages, replies))

    def top(self, chat: int) -> int:
        """The highest message id known in the sequence of this chat."""
        found = [
            self.db.execute(f"select max(message) from {table} where space = ?", [space(chat)]).fetchone()[0]
            for table in ("came", "out")
        ]
        return max(id or 0 for id in found)

    def gaps(self, row: Row) -> list[int]:
        """The ids that a message may have whose sending was cut off: after what was known then, and nobody else's."""
        known = {
            id
            for table in ("came", "out")
            for (id,) in self.db.execute(
                f"select message from {table} where space = ? and message > ?", [space(row.chat), row.after]
            )
        }
        cut = self.db.execute("select count(*) from out where state = 'sending' and space = ?", [space(row.chat)])
        end = max([row.after, *known]) + cut.fetchone()[0] + 2
        return [id for id in range(row.after + 1, end + 1) if id not in known]

    # -- chats

    def last(self, chat: int) -> Last:
        row = self.db.execute("select heard, messages, replies from chat where id = ?", [chat]).fetchone()
        return Last(row[0] or "", tuple(json.loads(row[1])), tuple(json.loads(row[2]))) if row else Last()

    def groups(self) -> list[int]:
        """The groups that ever had an answer."""
        return [row[0] for row in self.db.execute("select id from chat where id < 0 order by id").fetchall()]

    def _keep_last(self, db: Database, chat: int, last: Last) -> None:
        row = [chat, last.heard, json.dumps(last.messages), json.dumps(last.replies)]
        db.execute("insert or replace into chat(id, heard, messages, replies) values (?, ?, ?, ?)", row)

    # -- the end of things

    def forget(self, chat: int) -> None:
        """Let go of everything of a chat but its place on the list of guests."""
        with self.writing() as db:
            db.execute("delete from chat where id = ?", [chat])
            db.execute("delete from reminder where person = ?", [chat])
            db.execute("delete from opted where person = ?", [chat])
            db.execute("update out set payload = null, state = 'sent' where chat = ?", [chat])
        self.sweep()

    def sweep(self) -> None:
        """Drop old ids, and empty the log in which SQLite still holds what was deleted."""
        with self.writing() as db:
            db.execute("delete from came where done = 1 and at < ?", [time.time() - KEEP])
            db.execute("delete from out where state = 'sent' and at < ?", [time.time() - KEEP])
            db.execute("delete from told where at < ?", [time.time() - KEEP])
        self.db.execute("pragma wal_checkpoint(truncate)").fetchall()

    def close(self) -> None:
        self.db.close()


_IN = "in (select value from json_each(?))"


def _where(raw: dict[str, Any]) -> tuple[int, int | None]:
    """The chat (0 when there is none) and the message id that an update brings news of."""
    for key in ("message", "edited_message"):
        if isinstance(message := raw.get(key), dict):
            chat = message.get("chat")
            id, number = (chat or {}).get("id"), message.get("message_id")
            return (id if isinstance(id, int) else 0), (number if isinstance(number, int) else None)
    return 0, None
