"""How well memory finds what was said, and what it costs: LoCoMo evidence recall, and milliseconds by size.

    python -m chatbot.evaluate_memory locomo ../shared/data/locomo/locomo_dev5.json
    python -m chatbot.evaluate_memory speed

LoCoMo (Maharana et al. 2024, CC BY-NC 4.0, for measuring only): five long talks and questions about them, each with
the turns that hold the answer. recall@10 is the share of these turns among the first ten found, over the answerable
questions. It judges the search alone: no reply is written and none is judged. AROUND in chatbot/past.py
and the weight of vectors were chosen for the first two talks, but with the scores of the other three in sight: "rest"
is only half new. Names carry these questions ("When did Ann ..."), so vectors add next to nothing here; what they are
for, other words for the same thing, it hardly asks.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.memory import Memory
from chatbot.past import Index
from pipelines.config import stage_names
from pipelines.turn import Embedding, Fact, Moment, Turn, Vector

AT = datetime(2026, 1, 1, tzinfo=UTC)
K = 10
ANSWERABLE = {1, 2, 3, 4}
TUNED_ON = 2
"""The first talks, which the weights were chosen on."""


@dataclass(frozen=True)
class Question:
    """text and the turns (by index) that hold its answer."""

    text: str
    evidence: frozenset[int]


@dataclass(frozen=True)
class Talk:
    """The turns of one conversation in order, and the answerable questions about it."""

    turns: Sequence[str]
    questions: Sequence[Question]


def talks(path: Path) -> list[Talk]:
    """The conversations of a LoCoMo file. Evidence that names no turn is left out, and so are questions without any."""
    found = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        conversation = entry["conversation"]
        sessions = sorted((k for k in conversation if re.fullmatch(r"session_\d+", k)), key=lambda k: int(k[8:]))
        turns = [turn for session in sessions for turn in conversation[session]]
        index = {turn["dia_id"]: i for i, turn in enumerate(turns)}
        questions = []
        for qa in entry["qa"]:
            named = re.findall(r"D\d+:\d+", " ".join(qa["evidence"]))
            evidence = frozenset(index[name] for name in named if name in index)
            if qa["category"] in ANSWERABLE and evidence:
                questions.append(Question(qa["question"], evidence))
        found.append(Talk([turn["text"] for turn in turns], questions))
    return found


Search = Callable[[str, int], list[int]]


def plain_recipe(talk: Talk) -> Search:
    """What is to be beaten: FTS5 over each turn with the turn before it, all words of the question, any of them."""
    db = sqlite3.connect(":memory:")
    db.execute("create virtual table turn using fts5(text)")
    pairs = zip(["", *talk.turns], talk.turns, strict=False)
    db.executemany("insert into turn(rowid, text) values (?, ?)", enumerate((" ".join(pair) for pair in pairs), 0))

    def search(question: str, k: int) -> list[int]:
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", question.lower())))
        rows = db.execute("select rowid from turn where turn match ? order by rank limit ?", [match, k])
        return [row[0] for row in rows]

    return search


class _Past:
    """A talk as the past of a turn."""

    def __init__(self, talk: Talk, vectors: Sequence[Vector]) -> None:
        self.moments = [Moment(i, "person", text, AT) for i, text in enumerate(talk.turns, 1)]
        self.index = Index()
        self.index.add(self.moments)
        self.index.add_vectors((i, "e", vector.astype("<f4").tobytes()) for i, vector in enumerate(vectors, 1))

    def words(self, query: str, k: int) -> list[tuple[int, float]]:
        return self.index.words(query, k)

    def nearest(self, vector: Vector, k: int, encoder: str = "") -> list[tuple[int, float]]:
        return self.index.nearest(vector, k, "e")

    def between(self, start: datetime, end: datetime, k: int) -> list[int]:
        return []

    def moment(self, id: int) -> Moment:
        return self.moments[id - 1]


def ours(talk: Talk, encoder: Any = None) -> Search:
    """The stage memories.recall with its defaults, but for its floors (small talk is not asked about here) and the
    speaker; with `encoder`, an embedding stage, by vectors too."""
    recall = stage_names()["memories.recall"].load()(k=K, speaker="both", least_words=0.0, least_cosine=-1.0)
    past = _Past(talk, [e.vector for e in _encoded(talk.turns, encoder)])
    texts = [question.text for question in talk.questions]
    asked = dict(zip(texts, _encoded(texts, encoder), strict=False))

    def search(question: str, k: int) -> list[int]:
        turn = Turn(question, at=AT + timedelta(1), past=past, embedding=asked.get(question))
        return [memory.moment.id - 1 for memory in recall([turn])[0]][:k]

    return search


def _encoded(texts: Sequence[str], encoder: Any) -> list[Embedding]:
    batches = [texts[i : i + 16] for i in range(0, len(texts), 16)] if encoder else []
    return [embedding for batch in batches for embedding in encoder([Turn(text) for text in batch])]


def recall(talks: Sequence[Talk], searches: Sequence[Search], k: int = K) -> float:
    """The mean share of a question's evidence among the first k turns found."""
    shares = [
        len(question.evidence & set(search(question.text, k))) / len(question.evidence)
        for talk, search in zip(talks, searches, strict=True)
        for question in talk.questions
    ]
    return float(np.mean(shares)) if shares else 0.0


def locomo(path: Path, with_vectors: bool) -> dict[str, Any]:
    """recall@10 of the plain recipe and of ours: over all talks, the two tuned on, and the rest."""
    found = talks(path)
    scores: dict[str, Any] = {"talks": len(found), "questions": sum(len(t.questions) for t in found)}
    makers: dict[str, Callable[[Talk], Search]] = {"recipe": plain_recipe, "words": ours}
    if with_vectors:
        encoder = stage_names()["embedding.minilm"].load()()
        makers["words and vectors"] = lambda talk: ours(talk, encoder)
    for name, make in makers.items():
        searches = [make(talk) for talk in found]
        parts = {"all": slice(None), "tuned on": slice(TUNED_ON), "rest": slice(TUNED_ON, None)}
        scores[name] = {part: round(recall(found[s], searches[s]), 4) for part, s in parts.items()}
    return scores


# -- speed


def speed(sizes: Sequence[int] = (10, 100, 1000, 5000, 10_000, 50_000), facts: int = 1000) -> list[dict[str, float]]:
    """Milliseconds by the number of moments kept: to search words and vectors, to read the profile, to write an
    exchange down and search again, and to build the index at the first search of a process."""
    return [_speed(size, min(facts, size)) for size in sizes]


def _speed(size: int, facts: int) -> dict[str, float]:
    random = np.random.default_rng(0)
    # Zipf's law, without its head: stop words are never searched for. Seven words are left of a usual message.
    frequency = 1 / (np.arange(8000) + 60)
    frequency /= frequency.sum()

    def sentence() -> str:
        return " ".join(f"word{i}" for i in random.choice(8000, size=7, p=frequency))

    def search() -> None:
        memory.words(sentence(), 100)
        memory.nearest(vector, 1000, "e")

    def profile() -> None:
        memory.facts()
        memory.recent(10)

    def exchange() -> None:
        id = memory.hear(sentence(), AT)
        memory.learn(id, [], vector, "e")
        memory.answer("ok", AT, to=id)
        memory.words("word1", 10)

    with tempfile.TemporaryDirectory() as folder:
        memory = Memory.open(Path(folder), "somebody")
        _fill(memory, [sentence() for _ in range(size)], random)
        memory.learn(memory.hear("facts", AT), [Fact("like", f"thing {i}") for i in range(facts)])
        memory.close()
        vector = random.standard_normal(384).astype(np.float32)
        first = _ms(lambda: memory.words("word1", 10), 1)
        times = {"search": _ms(search), "profile": _ms(profile), "exchange": _ms(exchange)}
        memory.close()
        return {"moments": size, **times, "first search": first}


def _fill(memory: Memory, texts: Sequence[str], random: np.random.Generator) -> None:
    """Many moments in one transaction, as a year of talking would leave them."""
    with memory._writing() as db:
        for i, text in enumerate(texts):
            at = (AT + timedelta(minutes=i)).isoformat()
            row = [at, "person" if i % 2 == 0 else "companion", text]
            db.execute("insert into turn(at, role, text, read) values (?, ?, ?, 1)", row)
            if i % 2 == 0:
                data = random.standard_normal(384).astype("<f4").tobytes()
                db.execute("insert into vector(turn, encoder, data) values (last_insert_rowid(), 'e', ?)", [data])


def _ms(work: Callable[[], Any], times: int = 20) -> float:
    """The median time of one call."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return round(float(np.median(taken)) * 1000, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    by_locomo = commands.add_parser("locomo")
    by_locomo.add_argument("path", type=Path)
    by_locomo.add_argument("--vectors", action="store_true", help="with the sentence vectors, which take minutes")
    commands.add_parser("speed")
    arguments = parser.parse_args()
    results = [locomo(arguments.path, arguments.vectors)] if arguments.what == "locomo" else speed()
    for result in results:
        print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main()
