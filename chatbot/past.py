"""Search over one person's past, in memory: BM25 (SQLite's FTS5) over words, cosine over sentence vectors.

The index is built from the person's file and lives as long as the process: nothing of it is ever written to disk, and
what is forgotten is forgotten by dropping it. Each moment is read together with the one before it and the one after,
at a lower weight, because an answer ("yes, since March") seldom repeats the words of its question. Knows no meaning
beyond what the vectors carry, and stems English only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from pipelines.turn import Moment, Vector

WORD = re.compile(r"[^\W_]+")
MAX_QUERY_WORDS = 64
AROUND = 0.6
"""What a word in a neighbouring moment counts, against one in the moment itself (chosen on two LoCoMo talks)."""

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
        "lol haha hi hey hello bye thanks thank please good nice cool great fine bad morning night today guess think",
        "thing something anything nothing someone lot much many kinda sure maybe actually still ever never always tell",
        "told talk went came love loves feel feels feeling",
    )
    for word in line.split()
)


class Index:
    """Everything of one person that can be recalled. last: the newest moment in it; grows by `add`, never shrinks."""

    def __init__(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db = Database(connection)
        self._db.execute("create virtual table moment using fts5(text, around, tokenize='porter unicode61')")
        self._db.execute("insert into moment(moment, rank) values ('rank', ?)", [f"bm25(1.0, {AROUND})"])
        filler = " ".join(["filler"] * 10)
        self._insert((-i, filler, filler) for i in range(1, PADDING))
        self._newest = ["", ""]  # the texts of the last two moments
        self.last = 0
        self._matrices: dict[tuple[str, int], _Matrix] = {}

    def add(self, moments: Sequence[Moment], hidden: frozenset[int] = frozenset()) -> None:
        """Take in moments newer than `last`, oldest first. Hidden ones cannot be found, not even by their answer."""
        if not moments:
            return
        texts = ["" if moment.id in hidden else moment.text for moment in moments]
        if self.last:
            around = f"{self._newest[0]} {texts[0]}"
            self._db.execute("update moment set around = ? where rowid = ?", [around, self.last])
        before = [self._newest[1], *texts]
        after = [*texts[1:], ""]
        self._insert(
            (moment.id, text, f"{previous} {following}")
            for moment, text, previous, following in zip(moments, texts, before, after, strict=False)
        )
        self._newest, self.last = [*self._newest, *texts][-2:], moments[-1].id

    def _insert(self, rows: Iterable[tuple[int, str, str]]) -> None:
        self._db.execute("begin")
        self._db.conn.executemany("insert into moment(rowid, text, around) values (?, ?, ?)", rows)
        self._db.execute("commit")

    def add_vectors(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Take in (moment id, encoder, float32 bytes)."""
        kinds: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
        for id, encoder, data in rows:
            kinds.setdefault((encoder, len(data) // 4), []).append((id, data))
        for (encoder, size), same in kinds.items():
            vectors = np.frombuffer(b"".join(data for _, data in same), dtype="<f4").reshape(len(same), size)
            self._matrices.setdefault((encoder, size), _Matrix(size)).add([id for id, _ in same], vectors)

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
        matrix = self._matrices.get((encoder, len(vector)))
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

    def add(self, ids: Sequence[int], rows: NDArray[np.float32]) -> None:
        while self._count + len(ids) > len(self._ids):
            self._ids = np.concatenate([self._ids, np.empty_like(self._ids)])
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        new = slice(self._count, self._count + len(ids))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        self._ids[new], self._rows[new] = ids, rows / np.where(lengths > 0, lengths, 1)
        self._count += len(ids)

    def nearest(self, vector: Vector, k: int) -> list[tuple[int, float]]:
        # Not `@`: BLAS wakes its threads for it, which on a busy machine costs twenty times the sum itself.
        unit = (vector / (float(np.linalg.norm(vector)) or 1.0)).astype(np.float32)
        cosines = np.einsum("ij,j->i", self._rows[: self._count], unit)
        k = min(k, self._count)
        best = np.argpartition(-cosines, k - 1)[:k] if k < self._count else np.arange(self._count)
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(int(self._ids[i]), float(cosines[i])) for i in best]
