"""Search over one person's past, in memory: BM25 over words, cosine over sentence vectors.

BM25 is SQLite's (FTS5: Okapi with k1 = 1.2 and b = 0.75), over postings that grow with every moment, since FTS5 itself
reads the size of every row that it finds, which grew to be most of a turn; it still takes words apart and stems them.
The index is built from the person's file and lives as long as the process: nothing of it is ever written to disk, and
what is forgotten is forgotten by dropping it. Each moment is read together with the one before it and the one after,
at a lower weight, because an answer ("yes, since March") seldom repeats the words of its question. Knows no meaning
beyond what the vectors carry, and stems English only.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from pipelines.turn import Moment, Vector

WORD = re.compile(r"[^\W_]+")
MAX_QUERY_WORDS = 64
AROUND = 0.6
"""What a word in a neighbouring moment counts, against one in the moment itself (chosen on two LoCoMo talks)."""

K1, B = 1.2, 0.75
LEAST_IDF = 1e-6
BLOCK = 8
"""Vectors that are multiplied at once: few enough for BLAS to stay in one thread, up to 1,152 dimensions."""

PADDING = 199
PADDING_WORDS = 20
"""Rows of filler, and the words in each. BM25 gives a word that is in half of all rows no weight, which in a young
memory is every word; with a background that has none of them, a score means the same in a memory of ten moments and of
ten thousand."""

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


Floats = NDArray[np.float64]


class Index:
    """Everything of one person that can be recalled. last: the newest moment in it; grows by `add`, never shrinks."""

    def __init__(self) -> None:
        self._stems = _Stems()
        self._postings: dict[str, _Posting] = {}
        self._ids, self._lengths = array("q"), array("d")  # of the moments: their ids, and how many words each has
        self.last = 0
        self._matrices: dict[tuple[str, int], _Matrix] = {}

    def add(self, moments: Sequence[Moment], hidden: frozenset[int] = frozenset()) -> None:
        """Take in moments newer than `last`, oldest first. Hidden ones cannot be found, not even by their answer."""
        words = [[] if moment.id in hidden else WORD.findall(moment.text.lower()) for moment in moments]
        self._stems.learn(word for own in words for word in own)
        for moment, own in zip(moments, words, strict=True):
            stems = [stem for word in own for stem in self._stems[word]]
            self._ids.append(moment.id)
            self._lengths.append(len(stems))
            self.last = moment.id
            for stem, count in Counter(stems).items():
                posting = self._postings.get(stem)
                if posting is None:
                    posting = self._postings[stem] = _Posting()
                posting.rows.append(len(self._ids))
                posting.counts.append(count)

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
        postings = [self._postings[stem] for stem in self._stems.of(telling(query)) if stem in self._postings]
        if not postings:
            return []
        rows = len(self._ids) + PADDING
        own = np.concatenate([[0.0], self._lengths, [0.0]])  # the first and the last have one neighbour only
        total = 3 * own.sum() - own[1] - own[-2] + PADDING * PADDING_WORDS
        found, scores = zip(*(self._score(posting, own, rows, total / rows) for posting in postings), strict=True)
        unique, place = np.unique(np.concatenate(found), return_inverse=True)
        return _best(np.frombuffer(self._ids, np.int64)[unique - 1], np.bincount(place, np.concatenate(scores)), k)

    def _score(self, posting: _Posting, own: Floats, rows: int, mean: float) -> tuple[NDArray[np.int64], Floats]:
        """The rows (from 1) that have a word or whose neighbour has it, and its BM25 in each. own: the rows' lengths
        between two zeros; mean: of the lengths with both neighbours."""
        at, count = np.array(posting.rows), np.array(posting.counts)
        at, count = np.concatenate([at - 1, at, at + 1]), np.concatenate([AROUND * count, count, AROUND * count])
        there = (at > 0) & (at <= len(self._ids))
        at, place = np.unique(at[there], return_inverse=True)
        weight = np.bincount(place, count[there])
        length = own[at - 1] + own[at] + own[at + 1]
        idf = max(LEAST_IDF, log((rows - len(at) + 0.5) / (len(at) + 0.5)))
        return at, idf * weight * (K1 + 1) / (weight + K1 * (1 - B + B * length / mean))

    def nearest(self, vector: Vector, k: int, encoder: str) -> list[tuple[int, float]]:
        """The k moments that this encoder finds nearest, with their cosine, best first."""
        matrix = self._matrices.get((encoder, len(vector)))
        return matrix.nearest(vector, k) if matrix else []


def telling(query: str) -> list[str]:
    """The words that are searched for, each once. None when only stop words are left."""
    words = dict.fromkeys(word for word in WORD.findall(query.lower()) if word not in STOP_WORDS)
    return list(words)[:MAX_QUERY_WORDS]


def _best(ids: NDArray[np.int64], scores: NDArray[Any], k: int) -> list[tuple[int, float]]:
    """The k best with their scores, best first, the older before the newer where they are equal."""
    if k < len(scores):
        # All that are as good as the k-th, so that of equals the oldest stay.
        best = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
        ids, scores = ids[best], scores[best]
    order = np.argsort(-scores, kind="stable")[:k]
    return list(zip(ids[order].tolist(), scores[order].tolist(), strict=True))


class _Posting:
    """The rows (from 1) that have a word, in order, and how often each does. As arrays, which grow in place."""

    __slots__ = ("counts", "rows")

    def __init__(self) -> None:
        self.rows, self.counts = array("q"), array("d")


class _Stems(dict[str, tuple[str, ...]]):
    """Of each word of the person's, the stems that SQLite's tokenizer makes of it: Porter's, without accents."""

    def __init__(self) -> None:
        self._db = Database(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
        self._db.execute("create virtual table word using fts5(text, tokenize='porter unicode61')")
        self._db.execute("create virtual table stem using fts5vocab(word, instance)")

    def learn(self, words: Iterable[str]) -> None:
        """Know the stems of all these."""
        if new := [word for word in dict.fromkeys(words) if word not in self]:
            self.update(zip(new, self._stem(new), strict=True))

    def of(self, words: Sequence[str]) -> list[str]:
        """The stems of the words of a question, which are not kept."""
        known = {word: self[word] for word in words if word in self}
        new = [word for word in words if word not in known]
        known |= zip(new, self._stem(new), strict=True) if new else ()
        return [stem for word in words for stem in known[word]]

    def _stem(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        stems: list[list[str]] = [[] for _ in words]
        self._db.execute("begin")
        self._db.conn.executemany("insert into word(rowid, text) values (?, ?)", enumerate(words))
        for row, stem in self._db.execute("select doc, term from stem order by doc, offset"):
            stems[row].append(stem)
        self._db.execute("rollback")  # nothing of it stays
        return [tuple(own) for own in stems]


class _Matrix:
    """Vectors as rows, unit length, with room to grow."""

    def __init__(self, size: int) -> None:
        self._ids: NDArray[np.int64] = np.empty(64, np.int64)
        self._rows: NDArray[np.float32] = np.zeros((64, size), np.float32)
        self._count = 0

    def add(self, ids: Sequence[int], rows: NDArray[np.float32]) -> None:
        while self._count + len(ids) > len(self._ids):
            self._ids = np.concatenate([self._ids, np.empty_like(self._ids)])
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        new = slice(self._count, self._count + len(ids))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        self._ids[new], self._rows[new] = ids, rows / np.where(lengths > 0, lengths, 1)
        self._count += len(ids)

    def nearest(self, vector: Vector, k: int) -> list[tuple[int, float]]:
        # In small blocks: for all at once BLAS wakes its threads, which on a busy machine costs twenty times the sum.
        unit = (vector / (float(np.linalg.norm(vector)) or 1.0)).astype(np.float32)
        blocks = self._rows[: -(-self._count // BLOCK) * BLOCK].reshape(-1, BLOCK, len(unit))
        cosines = np.matmul(blocks, unit).ravel()[: self._count]
        return _best(self._ids[: self._count], cosines, k)
