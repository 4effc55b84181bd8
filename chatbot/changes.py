"""What hearing, learning and forgetting change in a memory file.

Each function works inside a transaction of its caller. Tables: see chatbot/memory_file.py.
"""

# ruff: noqa: S608  (what is put into SQL here are our own constants; values always go as parameters)

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlite_utils import Database

from pipelines.turn import ONE_AT_A_TIME, Fact, Moment, Vector

QUOTED = 40
"""Characters by which a quotation is known: replies shorten what they quote."""

OPEN = "until is null and wrong_by is null"
"""The rows of `fact` that hold now."""


@dataclass(frozen=True)
class Forgotten:
    """What a forgetting took away."""

    facts: tuple[Fact, ...]
    moments: tuple[Moment, ...]


def aware(at: datetime) -> datetime:
    """With a time zone: what has none is taken as local."""
    return at if at.tzinfo else at.astimezone()


def time_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def clean(text: str) -> str:
    """Half of a surrogate pair cannot be stored; it becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def whole_words(text: str) -> re.Pattern[str]:
    """Finds the text in any case, but not inside a longer word: "Tom", not "Tomato"."""
    return re.compile(rf"(?<!\w){re.escape(text.strip())}(?!\w)", re.IGNORECASE)


def insert(db: Database, role: str, text: str, at: datetime, answers: int | None) -> int:
    row = [aware(at).isoformat(), role, clean(text), answers, int(role == "companion")]
    return int(db.execute("insert into turn(at, role, text, answers, read) values (?, ?, ?, ?, ?)", row).lastrowid)


def keep_vector(db: Database, turn: int, vector: Vector | None, encoder: str) -> None:
    if vector is not None:
        data = np.ascontiguousarray(vector, dtype="<f4").tobytes()
        db.execute("insert or replace into vector(turn, encoder, data) values (?, ?, ?)", [turn, encoder, data])


def apply(db: Database, fact: Fact, turn: int, at: str) -> None:
    """Work one fact in: what is true from now on, was never true, or is true no longer."""
    slot, value = [clean(fact.about), clean(fact.slot)], clean(fact.value)
    rows = db.execute("select id, value, until from fact where about = ? and slot = ? and wrong_by is null", slot)
    kept = rows.fetchall()
    same = [(id, until is None) for id, old, until in kept if old.casefold() == value.casefold()]
    held = [id for id, holds in same if holds]
    everything = [id for id, _, until in kept if until is None]
    if fact.change == "end":
        if value and not same:
            # The end of something that was never told: worth knowing, as something past.
            _insert_fact(db, slot, value, None, at, turn)
        _close(db, held if value else everything, turn, at)
    elif not held:
        since = (_take_as_wrong(db, slot, turn) if fact.change == "correct" else None) or at
        if fact.slot in ONE_AT_A_TIME:
            _close(db, everything, turn, at)
        _insert_fact(db, slot, value, since, None, turn)


def _close(db: Database, ids: Sequence[int], turn: int, at: str) -> None:
    for id in ids:
        db.execute(f"update fact set until = ?, closed_by = ? where id = ? and {OPEN}", [at, turn, id])


def _insert_fact(db: Database, slot: list[str], value: str, since: str | None, until: str | None, turn: int) -> None:
    row = [*slot, value, since, until, turn]
    db.execute("insert into fact(about, slot, value, since, until, turn) values (?, ?, ?, ?, ?, ?)", row)


def _take_as_wrong(db: Database, slot: list[str], turn: int) -> str | None:
    """Mark the latest fact of that slot as wrong and hide the words it came from; gives since when it was held."""
    row = db.execute(
        f"select id, since, turn from fact where about = ? and slot = ? and {OPEN} order by id desc limit 1", slot
    ).fetchone()
    if row is None:
        return None
    id, since, source = row
    db.execute("update fact set wrong_by = ? where id = ?", [turn, id])
    if source is not None:
        hide(db, source, by=turn)
    return str(since) if since else None


def hide(db: Database, turn: int, by: int) -> None:
    """Never bring this turn up again, on account of the turn `by`."""
    db.execute("insert or ignore into hidden(turn, by) values (?, ?)", [turn, by])
    db.execute("delete from summary where turn = ?", [turn])
    note_forgetting(db)


def note_forgetting(db: Database) -> None:
    """Tell every process, this one too, that its index holds something that it should not."""
    db.execute("insert into setting values ('forgotten', '1') on conflict do update set value = value + 1")


def forget_turns(db: Database, moments: Sequence[Moment], keep_facts: bool = False, quotes: bool = True) -> Forgotten:
    """Delete these moments, the replies to them and, with `quotes`, replies that quote them, and, unless they are to
    be kept, the facts learned from them. What those facts had closed or corrected then holds again, unless something
    newer stands in its place."""
    ids = [m.id for m in moments]
    replies = moments_where(db, "answers in (select value from json_each(?))", json.dumps(ids))
    if quotes:
        replies += _quoting(db, moments)
    gone = sorted({m.id: m for m in [*moments, *replies]}.values(), key=lambda m: m.id)
    facts: list[Fact] = []
    if not keep_facts:
        listed, these = "in (select value from json_each(?))", json.dumps(ids)
        facts = facts_where(db, f"turn {listed}", these)
        delete(db, "fact", "turn", ids)
        delete(db, "hidden", "by", ids)
        db.execute(f"update fact set wrong_by = null where wrong_by {listed}", [these])
        db.execute(f"update or ignore fact set until = null, closed_by = null where closed_by {listed}", [these])
    for table, column in (("turn", "id"), ("vector", "turn"), ("hidden", "turn"), ("summary", "turn")):
        delete(db, table, column, [m.id for m in gone])
    return Forgotten(tuple(facts), tuple(gone))


def forget_fact(db: Database, fact_id: int) -> Forgotten:
    """Delete the fact and the words it came from; if its value is a name, all other words that say it too."""
    found = facts_where(db, "id = ?", fact_id)
    if not found:
        return Forgotten((), ())
    fact = found[0]
    turns = moments_where(db, "id = ?", fact.turn)
    if fact.value[:1].isupper():
        turns += _mentioning(db, fact.value)
    delete(db, "fact", "id", [fact_id])
    return Forgotten((fact,), forget_turns(db, turns, keep_facts=True).moments)


def forget_text(db: Database, text: str) -> Forgotten:
    """Delete every fact and every moment that says it; of somebody who has that name, all that is known."""
    named = whole_words(text)
    known = facts_where(db, "1")
    owners = {f.about for f in known if f.about and f.slot == "name" and named.search(f.value)}
    facts = [
        f
        for f in known
        if any(f.about == o or f.about.startswith(f"{o}'s ") for o in owners)
        or named.search(f.value)
        or named.search(f.about)
    ]
    sources = json.dumps([f.turn for f in facts])
    turns = _mentioning(db, text) + moments_where(db, "id in (select value from json_each(?))", sources)
    delete(db, "fact", "id", [f.id for f in facts])
    return Forgotten(tuple(facts), forget_turns(db, turns, keep_facts=True).moments)


def _quoting(db: Database, moments: Sequence[Moment]) -> list[Moment]:
    """The companion's replies that tell the beginning of one of these in quotation marks, as it does when asked what
    was said."""
    starts = {f"“{' '.join(m.text.split())[:QUOTED].rstrip('.')}" for m in moments if m.role == "person"} - {"“"}
    replies = moments_where(db, "role = 'companion' and text like '%“%'") if starts else []
    return [reply for reply in replies if any(start in " ".join(reply.text.split()) for start in starts)]


def _mentioning(db: Database, text: str) -> list[Moment]:
    named = whole_words(text)
    return [moment for moment in moments_where(db, "1") if named.search(moment.text)]


def delete(db: Database, table: str, column: str, ids: Sequence[int | None]) -> None:
    db.execute(f"delete from {table} where {column} in (select value from json_each(?))", [json.dumps(ids)])


def moments_where(db: Database, where: str, *values: Any) -> list[Moment]:
    rows = db.execute(f"select id, role, text, at from turn where {where}", values).fetchall()
    return [Moment(id, role, text, datetime.fromisoformat(at)) for id, role, text, at in rows]


def facts_where(db: Database, where: str, *values: Any) -> list[Fact]:
    """Oldest first."""
    columns = "slot, value, about, since, until, turn, id"
    rows = db.execute(f"select {columns} from fact where {where} order by id", values).fetchall()
    return [
        Fact(slot, value, about, "state", time_of(since), time_of(until), turn, id)
        for slot, value, about, since, until, turn, id in rows
    ]
