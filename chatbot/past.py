"""Search over one person's past, in memory: BM25 (SQLite's FTS5) over words, cosine over sentence vectors.

The index is built from the person's file and lives as long as the process: nothing of it is ever written to disk, and
what is forgotten is forgotten by dropping it. Each moment is read together with the one before it, because an answer
("yes, since March") seldom repeats the words of its question. Knows no meaning beyond what the vectors carry, and
stems English only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from pipelines.turn import Moment, Vector

WORD = re.compile(r"[^\W_]+")
MAX_QUERY_WORDS = 64
PADDING = 200
"""Rows of filler. FTS5 gives a word that is in half of all rows no weight, which in a young memory is every word; with
a background that has none of them, a score means the same in a memory of ten moments and of ten thousand."""

STOP_WORDS = frozenset(
    word
    for line in (
        "a about after again all also am an and any are aren arent as at be because been before being both but by",
        "can cant could couldnt d did didnt do does doesnt doing don dont down during each few for from further get",
        "go going gonna got had has hasnt have havent having he her here hers him his how i id if ill im in into is",
        "isnt it its ive just know let like ll m ma me more most my no nor not now of off ok okay on once one only or",
        "other our out over own re really s same say said she should so some such t tell than that thats the their",
        "them then there these they theyre this those to too u um under until up us ve very want was wasnt we well",
        "were werent what whats when where which while who whos why will with wont would y yeah yes you your youre",
        # What small talk is made of tells nothing apart.
        "lol haha hi hey hello bye thanks thank please good nice cool great fine bad morning night today guess think thing",
        "something anything nothing someone lot much many kinda sure maybe actually still ever never always tell told talk",
    )
    for word in line.split()
)


class Index:
    """Everything of one person that can be recalled. last: the newest moment in it; grows by `add`, never shrinks."""

    def __init__(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db = Database(connection)
        self._db.execute(
            "create virtual table moment using fts5(text, before, content='', tokenize='porter unicode61')"
        )
        filler = " ".join(["filler"] * 8)
        self._db.execute("begin")
        self._db.conn.executemany(
            "insert into moment(rowid, text, before) values (?, ?, ?)",
            [(-i, filler, filler) for i in range(1, PADDING)],
        )
        self._db.execute("commit")
        self._before = ""
        self.last = 0
        self._matrices: dict[str, _Matrix] = {}

    def add(self, moments: Iterable[Moment], hidden: frozenset[int] = frozenset()) -> None:
        """Take in moments newer than `last`, oldest first. Hidden ones cannot be found, not even by their answer."""
        self._db.execute("begin")
        for moment in moments:
            text = "" if moment.id in hidden else moment.text
            if text:
                self._db.execute(
                    "insert into moment(rowid, text, before) values (?, ?, ?)", [moment.id, text, self._before]
                )
            self._before, self.last = text, moment.id
        self._db.execute("commit")

    def add_vectors(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Take in (moment id, encoder, float32 bytes)."""
        for id, encoder, data in rows:
            vector = np.frombuffer(data, dtype="<f4")
            key = f"{encoder}/{len(vector)}"
            self._matrices.setdefault(key, _Matrix(len(vector))).add(id, vector)

    def words(self, query: str, k: int) -> list[tuple[int, float]]:
        """The k moments that share words with the query, with their BM25 (more is better), best first."""
        match = match_any(query)
        if not match:
            return []
        rows = self._db.execute(
            "select rowid, -rank from moment where moment match ? and rowid > 0 order by rank limit ?", [match, k]
        )
        return [(int(id), float(score)) for id, score in rows]

    def nearest(self, vector: Vector, k: int, encoder: str) -> list[tuple[int, float]]:
        """The k moments that this encoder finds nearest, with their cosine, best first."""
        matrix = self._matrices.get(f"{encoder}/{len(vector)}")
        return matrix.nearest(vector, k) if matrix else []


def match_any(query: str) -> str:
    """An FTS5 query for any of the words of the text. Quoted, because FTS5 has operators, and joined by OR, because
    it would otherwise ask for all of them. Empty when only stop words are left."""
    words = dict.fromkeys(word for word in WORD.findall(query.lower()) if word not in STOP_WORDS)
    return " OR ".join(f'"{word}"' for word in list(words)[:MAX_QUERY_WORDS])


class _Matrix:
    """Vectors as rows, unit length, with room to grow."""

    def __init__(self, size: int) -> None:
        self._ids: NDArray[np.int64] = np.empty(64, np.int64)
        self._rows: NDArray[np.float32] = np.empty((64, size), np.float32)
        self._count = 0

    def add(self, id: int, vector: Vector) -> None:
        if self._count == len(self._ids):
            self._ids = np.concatenate([self._ids, np.empty_like(self._ids)])
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._ids[self._count] = id
        self._rows[self._count] = vector / (float(np.linalg.norm(vector)) or 1.0)
        self._count += 1

    def nearest(self, vector: Vector, k: int) -> list[tuple[int, float]]:
        cosines = self._rows[: self._count] @ (vector / (float(np.linalg.norm(vector)) or 1.0))
        k = min(k, self._count)
        best = np.argpartition(-cosines, k - 1)[:k] if k < self._count else np.arange(self._count)
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(int(self._ids[i]), float(cosines[i])) for i in best]
