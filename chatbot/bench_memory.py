"""What memory costs, in milliseconds by how much is kept: `chatbot bench memory`.

The words are made up, drawn by Zipf's law, and the vectors lie around topics, so that words are shared and vectors are
near as in a talk. It times what memory and the recall stage do, and no model: an embedding comes on top, once a turn.
Beside the time on the clock stands the processor's, since a busy machine makes the first several times as long.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.memory import Memory
from pipelines.stages import stage_names
from pipelines.turn import Embedding, Fact, Turn, Vector

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = (10, 100, 1000, 5000, 10_000, 50_000)
DIMENSIONS = 384
WORDS = 8000

Row = dict[str, float]
"""utterances, facts, and the milliseconds, each on the clock and of the processor, of each that is timed."""

TIMED = ("recall", "writing", "turn", "first recall")


def run(sizes: Sequence[int] = SIZES, facts: int = 1000, tell: Callable[[str], None] = lambda line: None) -> list[Row]:
    """A row for each number of utterances kept, all with so many facts."""
    rows = []
    for size in sizes:
        tell(f"filling a memory with {size} utterances")
        rows.append(_row(size, facts))
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as lines."""
    heads = "".join(f"  {f'{what}, ms':>16}  {'processor':>9}" for what in TIMED)
    lines = [f"{'utterances':>10}  {'facts':>5}{heads}"]
    for row in rows:
        times = "".join(f"  {row[what]:>16.2f}  {row[f'{what}, processor']:>9.2f}" for what in TIMED)
        lines.append(f"{row['utterances']:>10.0f}  {row['facts']:>5.0f}{times}")
    return "\n".join(lines)


def _row(size: int, facts: int) -> Row:
    """recall: the stage memories.recall on one message; writing: a message, what it taught and the answer put on the
    disk; turn: both, and the profile and the history read; first recall: the same recall in a fresh process, which
    builds the index. Medians of 20, the first recall once."""
    made = _Made()
    stage = stage_names()["memories.recall"].load()()
    clock = iter(AT + timedelta(days=400, minutes=i) for i in range(10**6))

    def turn() -> Turn:
        vector = made.vector()
        profile, history = memory.facts(), memory.talk(12)
        embedding = Embedding(vector, vector, "e")
        return Turn(made.sentence(), at=next(clock), history=history, profile=profile, past=memory, embedding=embedding)

    def write(heard: Turn) -> None:
        id = memory.hear(heard.text, heard.at)
        memory.learn(id, [Fact("like", heard.text)], made.vector(), "e")
        memory.answer("ok", heard.at, to=id)

    def whole() -> None:
        heard = turn()
        stage([heard])
        write(heard)

    with tempfile.TemporaryDirectory() as folder:
        memory = Memory.open(Path(folder), "somebody")
        _fill(memory, size, made)
        memory.learn(memory.hear("facts", AT), [Fact("like", f"thing {i}") for i in range(facts)])
        memory.close()
        times = {
            "first recall": _ms(lambda turn: stage([turn]), iter([turn()])),
            "recall": _ms(lambda turn: stage([turn]), (turn() for _ in range(20))),
            "writing": _ms(write, (turn() for _ in range(20))),
            "turn": _ms(lambda _: whole(), iter(range(20))),
        }
        memory.close()
    row = {"utterances": float(size), "facts": float(facts)}
    for what, (clock_ms, processor_ms) in times.items():
        row |= {what: clock_ms, f"{what}, processor": processor_ms}
    return row


class _Made:
    """Sentences of seven words, since stop words are never searched for, and vectors around fifty topics."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        frequency = 1 / (np.arange(WORDS) + 60)
        self.frequency = frequency / frequency.sum()
        self.topics = self.random.standard_normal((50, DIMENSIONS))

    def sentence(self) -> str:
        return " ".join(f"word{i}" for i in self.random.choice(WORDS, size=7, p=self.frequency))

    def vector(self) -> Vector:
        topic = self.topics[self.random.integers(len(self.topics))]
        vector: Vector = (topic + self.random.standard_normal(DIMENSIONS)).astype(np.float32)
        return vector


def _fill(memory: Memory, size: int, made: _Made) -> None:
    """Many utterances in one transaction, as a year of talking would leave them."""
    with memory.store.writing() as db:
        for i in range(size):
            at = (AT + timedelta(minutes=10 * i)).isoformat()
            row = [at, "person" if i % 2 == 0 else "companion", made.sentence()]
            db.execute("insert into turn(at, role, text, read) values (?, ?, ?, 1)", row)
            if i % 2 == 0:
                data = made.vector().astype("<f4").tobytes()
                db.execute("insert into vector(turn, encoder, data) values (last_insert_rowid(), 'e', ?)", [data])


def _ms(work: Callable[[Any], Any], over: Iterator[Any]) -> tuple[float, float]:
    """The median time of one call, on the clock and of the processor; what is worked on is made outside of it."""
    taken = []
    for item in over:
        started, processor = time.perf_counter(), time.process_time()
        work(item)
        taken.append((time.perf_counter() - started, time.process_time() - processor))
    on_clock, of_processor = np.median(taken, axis=0) * 1000
    return round(float(on_clock), 2), round(float(of_processor), 2)
