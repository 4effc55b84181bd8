"""A whole memory as plain values for JSON, and back.

Vectors are left out, since they can be made again. Works inside a transaction of its caller.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlite_utils import Database

from chatbot.changes import aware, clean
from pipelines.errors import UsageError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Moment(_Part):
    id: int
    at: datetime
    role: Literal["person", "companion"]
    text: str
    answers: int | None
    summary: bool = False


class _Fact(_Part):
    about: str
    slot: str
    value: str
    since: datetime | None
    until: datetime | None
    turn: int | None
    closed_by: int | None


class _Saved(_Part):
    format: Literal[1]
    moments: list[_Moment]
    facts: list[_Fact]
    settings: dict[str, str]


def dump(db: Database) -> dict[str, Any]:
    """format, moments, facts and settings."""
    moments = db.execute(
        """select id, at, role, text, answers, exists (select 1 from summary where summary.turn = turn.id)
           from turn order by id"""
    ).fetchall()
    facts = db.execute(
        """select about, slot, value, since, until, turn, closed_by
           from fact where wrong_by is null order by id"""
    ).fetchall()
    return {
        "format": 1,
        "moments": [{**dict(zip(_Moment.model_fields, row, strict=True)), "summary": bool(row[-1])} for row in moments],
        "facts": [dict(zip(_Fact.model_fields, row, strict=True)) for row in facts],
        "settings": dict(db.execute("select key, value from setting where key != 'forgotten'").fetchall()),
    }


def page(data: dict[str, Any], lines: Sequence[str]) -> str:
    """What `dump` gave as a page of text; `lines`: its facts, each in words."""
    parts = ["What is known", *(f"- {line}" for line in lines or ["nothing yet"]), "", "What was said"]
    who = {"person": "you", "companion": "it"}
    for moment in data["moments"]:
        text = moment["text"].replace("\n", "\n    ")
        parts.append(f"{moment['at'][:16].replace('T', ' ')}  {who[moment['role']]}: {text}")
    return "\n".join(parts) + "\n"


def read_file(path: Path) -> object:
    """The JSON in a file. Raises UsageError when it cannot be read or is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: this is no exported memory: it is not JSON") from error


def read(data: object) -> _Saved:
    """What `dump` gave, checked. Raises UsageError when it is not that."""
    try:
        return _Saved.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"this is no exported memory: {where}: {first['msg']}") from error


def load(db: Database, saved: _Saved) -> None:
    """Put it back. Raises UsageError when it contradicts itself, or when this memory is not empty."""
    if db.execute("select 1 from turn union all select 1 from fact limit 1").fetchone():
        raise UsageError("this memory is not empty; erase it first, so that no two pasts are mixed")
    try:
        _insert(db, saved)
    except (sqlite3.IntegrityError, OverflowError) as error:
        raise UsageError(f"this is no exported memory: it contradicts itself ({error})") from error


def _insert(db: Database, saved: _Saved) -> None:
    for m in saved.moments:
        row = [m.id, aware(m.at).isoformat(), m.role, clean(m.text), m.answers]
        db.execute("insert into turn(id, at, role, text, answers, read) values (?, ?, ?, ?, ?, 1)", row)
        if m.summary:
            db.execute("insert into summary values (?)", [m.id])
    for f in saved.facts:
        times = [aware(t).isoformat() if t else None for t in (f.since, f.until)]
        db.execute(
            """insert into fact(about, slot, value, since, until, turn, closed_by)
               values (?, ?, ?, ?, ?, ?, ?)""",
            [clean(f.about), clean(f.slot), clean(f.value), *times, f.turn, f.closed_by],
        )
    for key, value in saved.settings.items():
        db.execute("insert or replace into setting values (?, ?)", [clean(key), clean(value)])
