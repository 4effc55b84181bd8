"""One memory file held open: its transactions, and the search index that follows what is written to it.

Several processes may hold the same file open; each sees what the others write, forget or erase. Does not know what
the tables mean: chatbot/memory.py does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from chatbot import changes, memory_file
from chatbot.past import Index


class Store:
    """The open file. Safe to share between threads. Every method may raise DiskFull, MemoryDamaged, MemoryFileError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._db: Database | None = None
        self._inode = 0
        self._unclean = False
        self._drop_index()

    def connected(self) -> Database:
        """The connection, opened (again) if need be."""
        if self._db and self._db.conn.in_transaction:
            return self._db
        # Another process may have erased the file: what it left open here would write into nothing.
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            inode = 0
        if self._db is None or inode != self._inode:
            self.close()
            self._db = memory_file.connect(self.path)
            self._inode = self.path.stat().st_ino
        return self._db

    def close(self) -> None:
        """Let go of the file; it is opened again when it is used again."""
        with self.lock:
            if self._db:
                self._db.close()
            self._db = None
            self._drop_index()

    @contextmanager
    def reading(self) -> Iterator[Database]:
        with self.lock, memory_file.guarded(self.path):
            yield self.connected()

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction, begun immediate: a deferred one that turns into a writer late is refused, not queued."""
        with self.lock, memory_file.guarded(self.path):
            db = self.connected()
            db.execute("begin immediate")
            try:
                yield db
                db.execute("commit")
            except BaseException:
                db.rollback()
                raise
            if self._unclean:
                self._scrub()

    @contextmanager
    def forgetting(self) -> Iterator[Database]:
        """A transaction after which nothing of what was deleted is left in the file, its log or the index."""
        with self.writing() as db:
            yield db
            changes.note_forgetting(db)
        with self.lock, memory_file.guarded(self.path):
            self._drop_index()
            self._scrub()

    def _scrub(self) -> None:
        """Empty the log, which holds the old words until then. Readers never stay long; where one does, the next
        change tries again."""
        busy, _, _ = self.connected().execute("pragma wal_checkpoint(truncate)").fetchone()
        self._unclean = bool(busy)

    # -- the index

    def _drop_index(self) -> None:
        self._index, self._seen, self._vectors = Index(), (-1, -1), 0
        self._forgotten: tuple[str] | None = None

    def index(self) -> Index:
        """The index with everything in it that any process has written since. Hold the lock while you use it."""
        with self.reading() as db:
            seen = (db.execute("pragma data_version").fetchone()[0], db.conn.total_changes)
            if seen == self._seen:
                return self._index
            row = db.execute("select value from setting where key = 'forgotten'").fetchone()
            if row != self._forgotten:
                self._drop_index()
                self._forgotten = row
            hidden = frozenset(id for (id,) in db.execute("select turn from hidden").fetchall())
            self._index.add(changes.moments_where(db, "id > ? order by id", self._index.last), hidden)
            newer = "select id, turn, encoder, data from vector where id > ? order by id"
            rows = db.execute(newer, [self._vectors]).fetchall()
            self._index.add_vectors((turn, encoder, data) for _, turn, encoder, data in rows if turn not in hidden)
            self._vectors = rows[-1][0] if rows else self._vectors
            self._seen = seen
            return self._index
