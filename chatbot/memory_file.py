"""The file that holds one person's memory: where it lies, how it is opened, migrated, set aside and removed.

A file's name is a keyed hash of the person, so that a listing of the folder names nobody. The key is made at random
when the folder is first used; without it the files cannot be told apart, so a folder that has files and no key is
refused. Does not know what the tables mean: chatbot/memory.py does.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database, Migrations

from pipelines.errors import DiskFull, MemoryDamaged, MemoryFileError
from pipelines.turn import ONE_AT_A_TIME

KEY = "key"
BUSY = 30.0
"""Seconds that a writer waits for the others."""

TABLES = ("turn", "vector", "fact", "hidden", "summary", "setting")

migrations = Migrations("memory")


@migrations()  # type: ignore[untyped-decorator, unused-ignore]
def first(db: Database) -> None:
    # A turn's row is never changed in size after it is written, so that SQLite has no reason to move a copy of the
    # words about: `read` is 0 or 1, which take no bytes, and the vector has a table of its own.
    db.execute(
        """create table turn (
            id integer primary key autoincrement, at text not null, role text not null, text text not null,
            answers integer, read integer not null)"""
    )
    db.execute("create index turn_answers on turn(answers) where answers is not null")
    db.execute("create index turn_unread on turn(id) where read = 0")
    db.execute(
        """create table vector (
            id integer primary key autoincrement, turn integer not null unique, encoder text not null,
            data blob not null)"""
    )
    db.execute(
        """create table fact (
            id integer primary key autoincrement, about text not null, slot text not null, value text not null,
            since text, until text, turn integer, closed_by integer, wrong_by integer)"""
    )
    slots = ", ".join(f"'{slot}'" for slot in sorted(ONE_AT_A_TIME))
    db.execute(
        f"""create unique index one_at_a_time on fact(about, slot)
            where until is null and wrong_by is null and slot in ({slots})"""
    )
    # Turns that a correction made worthless: kept for the record, never recalled.
    db.execute("create table hidden (turn integer primary key, by integer not null)")
    db.execute("create table setting (key text primary key, value text not null)")


@migrations()  # type: ignore[untyped-decorator, unused-ignore]
def second(db: Database) -> None:
    # The summaries of finished talks: which of their turns stay when the others are let go.
    db.execute("create table summary (turn integer primary key)")


def locate(folder: Path, person: str) -> Path:
    """The person's file in the folder, which is made (0700) with its key (0600) if need be.

    Raises MemoryFileError for a folder that cannot be used, or that has memories but no key.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        key = _key(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The disk is full, so nothing can be remembered in {folder}.") from error
        raise MemoryFileError(f"The memory folder {folder} cannot be used: {error.strerror}") from error
    name = hmac.new(key, person.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]
    return folder / f"{name}.db"


def _key(folder: Path) -> bytes:
    path = folder / KEY
    if not path.exists():
        if any(folder.glob("*.db")):
            raise MemoryFileError(
                f"{path} is missing. Without it nobody's memory in {folder} can be found: restore it."
            )
        # Written aside and linked into place: of several processes that start at once, one key wins, whole.
        draft = folder / f".{KEY}-{secrets.token_hex(8)}"
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = path.read_bytes()
    if len(key) != 32:
        raise MemoryFileError(f"{path} is not the key that was made: it has {len(key)} bytes, not 32. Restore it.")
    return key


def connect(path: Path) -> Database:
    """Open the file, or make it (0600), and bring its tables up to date.

    Raises MemoryDamaged after setting a damaged file aside, MemoryFileError for a file from a newer version.
    """
    try:
        # Made by hand for its mode, which SQLite then gives to -wal and -shm as well. Never opened by hand when it
        # is there: closing a second handle would drop the locks that SQLite holds on it in this process.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The disk is full, so nothing can be remembered in {path.parent}.") from error
        raise MemoryFileError(f"The memory file {path} cannot be made: {error.strerror}") from error
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        with guarded(path):
            db = Database(connection)
            _prepare(db, path)
    except BaseException:
        connection.close()
        raise
    return db


def _prepare(db: Database, path: Path) -> None:
    db.execute("pragma secure_delete = on")
    db.execute("pragma temp_store = memory")
    db.execute("pragma foreign_keys = off")
    if db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("quick_check failed")
    _write_ahead(db)
    if not migrations.pending(db) and not _unknown(db):
        return
    # Ours, because the library's transactions begin deferred, and two that start at once would collide.
    db.execute("begin immediate")
    try:
        newer = _unknown(db)
        if newer:
            raise MemoryFileError(f"{path} was written by a newer version ({', '.join(newer)}): update this program.")
        migrations.apply(db)
        db.execute("commit")
    except BaseException:
        db.rollback()
        raise


def _unknown(db: Database) -> list[str]:
    ours = {migration.name for migration in migrations._migrations}
    return [m.name for m in migrations.applied(db) if m.name not in ours]


def _write_ahead(db: Database) -> None:
    """Turn WAL on. The switch needs the file alone and does not wait for it, so we do."""
    deadline = time.monotonic() + BUSY
    while db.journal_mode != "wal":
        try:
            db.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """What SQLite says, in this project's errors: DiskFull, MemoryDamaged (the file is set aside), MemoryFileError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name in ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_FSYNC"):
            raise DiskFull(f"The disk is full: {path.parent} has no room for what was just said.") from error
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "quick_check" in str(error):
            aside = set_aside(path)
            what = f"The memory file {path} is damaged. It was set aside as {aside.name}"
            raise MemoryDamaged(f"{what}; remembering starts afresh in a new file.") from error
        if isinstance(error, sqlite3.OperationalError):
            raise MemoryFileError(f"The memory file {path} cannot be used: {error}") from error
        raise


def set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it; gives the new path of the file."""
    aside = path.with_name(f"{path.stem}.damaged-{datetime.now():%Y%m%dT%H%M%S%f}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def remove(path: Path) -> None:
    """Delete the file and what belongs to it, damaged copies of it included."""
    for part in [*path.parent.glob(f"{path.name}*"), *path.parent.glob(f"{path.stem}.damaged-*")]:
        part.unlink(missing_ok=True)
