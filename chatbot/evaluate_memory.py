"""How good a config's memory is: facts read, evidence found again, and the scenes that ship: `chatbot evaluate memory`.

facts: the config's facts stage on this project's labelled messages that were held out, and beside the persona
sentences of MSC (models/training/evaluate_memory.py says what is counted).

LoCoMo (Maharana et al. 2024, CC BY-NC 4.0, for measuring only): five long talks and questions about them, each with
the turns that hold the answer. recall@10 is the share of these turns among the first ten found, over the answerable
questions. It judges the search alone: no reply is written and none is judged. AROUND in chatbot/past.py
and the weight of vectors were chosen for the first two talks, but with the scores of the other three in sight: "rest"
is only half new. Names carry these questions ("When did Ann ..."), so vectors add next to nothing here; what they are
for, other words for the same thing, it hardly asks.

scenes: whole conversations over several sessions (chatbot/scenes.py), by kind, which is how their file names begin.
"""

from __future__ import annotations

import inspect
import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.companion import Companion
from chatbot.past import Index
from chatbot.scenes import read_scene
from chatbot.scenes import run as play
from chatbot.settings import MemorySettings
from models.training import evaluate_memory as facts_scores
from models.training import scores
from pipelines.config import Config
from pipelines.errors import UsageError
from pipelines.pipeline import Pipeline
from pipelines.stages import Planned, stage_names
from pipelines.turn import Embedding, Moment, Turn, Vector

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

    def last_talk(self, before: datetime, k: int) -> list[int]:
        return []

    def moment(self, id: int) -> Moment:
        return self.moments[id - 1]


Embed = Callable[[Sequence[str]], Sequence[Embedding]]


def ours(talk: Talk, stage: Any, embed: Embed | None = None) -> Search:
    """What a memories stage finds; with `embed`, by vectors too."""
    past = _Past(talk, [e.vector for e in embed(talk.turns)] if embed else [])
    texts = [question.text for question in talk.questions]
    asked = dict(zip(texts, embed(texts), strict=True)) if embed else {}

    def search(question: str, k: int) -> list[int]:
        turn = Turn(question, at=AT + timedelta(1), past=past, embedding=asked.get(question))
        return [memory.moment.id - 1 for memory in stage([turn])[0]][:k]

    return search


def shares(talks: Sequence[Talk], searches: Sequence[Search], k: int = K) -> list[float]:
    """Of each question, the share of its evidence among the first k turns found."""
    return [
        len(question.evidence & set(search(question.text, k))) / len(question.evidence)
        for talk, search in zip(talks, searches, strict=True)
        for question in talk.questions
    ]


def locomo(path: Path, stage: Any, embed: Embed | None = None) -> dict[str, Any]:
    """recall@10 of the plain recipe, of the stage by words alone and, with `embed`, by vectors too: over all talks with
    a 95 % interval, over the two tuned on, and over the rest."""
    found = talks(path)
    report: dict[str, Any] = {"talks": float(len(found)), "questions": float(sum(len(t.questions) for t in found))}
    makers: dict[str, Callable[[Talk], Search]] = {"plain recipe": plain_recipe, "words": lambda t: ours(t, stage)}
    if embed:
        makers["words and vectors"] = lambda t: ours(t, stage, embed)
    tuned = sum(len(talk.questions) for talk in found[:TUNED_ON])
    for name, make in makers.items():
        each = np.array(shares(found, [make(talk) for talk in found]))
        report[f"recall@{K}, {name}"] = [float(each.mean()), *scores.interval(len(each), _mean_of(each))]
        for part, some in (("the talks tuned on", each[:tuned]), ("the rest", each[tuned:])):
            if len(some):
                report[f"recall@{K}, {name}, {part}"] = [float(some.mean())]
    return report


def _mean_of(each: Any) -> Callable[[Any], float]:
    return lambda rows: float(each[rows].mean())


# -- the scenes

MUST = ("own", "people", "group", "forget", "pause", "inject")
"""The kinds of scene of which every one must pass: whose fact, people apart, forgetting, injection."""
OF_THE_REST = 0.95


def scenes(folder: Path, pipeline: Pipeline, tell: Callable[[str], None]) -> tuple[dict[str, Any], list[str]]:
    """The share of passed scenes by kind and over all, and what failed. Raises UsageError for a folder without any."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UsageError(f"{folder}: there are no scenes in it (*.toml). In a checkout they are in tests/scenes/memory")
    passed: dict[str, list[bool]] = {}
    failed: list[str] = []
    for number, file in enumerate(files, 1):
        tell(f"scene {number} of {len(files)}")
        with tempfile.TemporaryDirectory() as people:
            settings = MemorySettings(folder=people)
            wrong = play(read_scene(file), partial(Companion, pipeline, settings=settings))
        passed.setdefault(file.stem.partition("_")[0], []).append(not wrong)
        failed += [f"{file.name}: {what}" for what in wrong]
    groups = {
        "all of whose fact, isolation, forgetting, injection": [ok for kind in MUST for ok in passed.get(kind, ())],
        "the rest": [ok for kind, all_ in passed.items() if kind not in MUST for ok in all_],
    }
    report: dict[str, Any] = {"count": float(len(files))}
    for kind, oks in {**groups, **dict(sorted(passed.items()))}.items():
        if oks:
            report[f"passed, {kind}"] = [sum(oks) / len(oks)]
    return report, failed


def good_enough(report: dict[str, Any]) -> bool:
    """Whether every scene that must pass does, and so many of the rest."""
    kinds = {kind: report.get(f"passed, {kind}", [1.0])[0] for kind in MUST}
    return bool(min(kinds.values()) == 1 and report.get("passed, the rest", [1.0])[0] >= OF_THE_REST)


# -- a config


def run(
    config: Config,
    data: Path | None,
    labelled: Path,
    folder: Path,
    generate: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, Any], list[str]]:
    """The report on a config's memory, and what failed in the scenes.

    data: the folder of the public sets, for MSC and LoCoMo; labelled: messages with their facts; folder: the scenes.
    Unless `generate`, written replies stand in for generated ones, whose wording is no business of memory.
    Raises UsageError for a file that is not there.
    """
    report: dict[str, Any] = {}
    chosen = {slot: _chosen(config, slot) for slot in ("facts", "memories", "embedding")}
    read = reader(config, "facts") if chosen["facts"] else None
    if read:
        tell("reading facts")
        report["facts, held out"] = facts_scores.report(_rows(labelled), read)
        if data and (data / "msc_valid").is_dir():
            tell("reading MSC")
            report["facts, MSC"] = {k: float(v) for k, v in facts_scores.score_msc(data / "msc_valid", read).items()}
    path = data / "locomo" / "locomo_dev5.json" if data else None
    if path and path.is_file() and chosen["memories"]:
        tell("searching LoCoMo")
        embed = embedder(config) if chosen["embedding"] else None
        report["locomo"] = locomo(path, searcher(chosen["memories"]), embed)
    pipeline = (config if generate else without_generation(config)).build(tell)
    report["scenes"], failed = scenes(folder, pipeline, tell)
    pipeline.close()
    return report, failed


def _chosen(config: Config, slot: str) -> Planned | None:
    return next((planned for planned in config.stages if planned.slot == slot), None)


def _rows(labelled: Path) -> list[dict[str, Any]]:
    """The labelled messages that were held out; all of them, where no line says which were."""
    try:
        rows = [json.loads(line) for line in labelled.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise UsageError(f"{labelled}: {error.strerror}. In a checkout it is tests/models/facts_own.jsonl") from error
    except ValueError as error:
        raise UsageError(f"{labelled}: a line is no JSON object: {error}") from error
    return [row for row in rows if row.get("split") == "held_out"] or rows


def reader(config: Config, slot: str) -> Callable[[Sequence[Turn]], list[Any]]:
    """The stage of that slot, run after the stages whose slots it needs, directly or through them."""
    needed: set[str] = {slot}
    for planned in reversed(config.stages):
        if planned.slot in needed:
            needed |= set(getattr(planned.factory, "needs", ()))
    pipeline = replace(config, stages=[p for p in config.stages if p.slot in needed]).build()

    def read(turns: Sequence[Turn]) -> list[Any]:
        pipeline(turns)
        return [getattr(turn, slot) or [] for turn in turns]

    return read


def embedder(config: Config) -> Embed:
    """Texts to embeddings, by the config's stage."""
    read = reader(config, "embedding")
    return lambda texts: [e for i in range(0, len(texts), 16) for e in read([Turn(t) for t in texts[i : i + 16]])]


def searcher(planned: Planned) -> Any:
    """The memories stage as it is set, but that it finds ten of either speaker, and without its floors (small talk is
    not asked about here), where it has such settings."""
    changes = {"k": K, "speaker": "both", "least_words": 0.0, "least_cosine": -1.0}
    known = inspect.signature(planned.factory).parameters
    return planned.factory(**{**planned.settings, **{k: v for k, v in changes.items() if k in known}})


def without_generation(config: Config) -> Config:
    """The config with written replies in the place of every candidates stage but skills and template."""
    template = Planned("candidates", "template", stage_names()["candidates.template"].load(), {})
    stages: list[Planned] = []
    for planned in config.stages:
        kept = planned if planned.slot != "candidates" or planned.name in ("skills", "template") else template
        if kept.slot != "candidates" or all(kept.name != other.name for other in stages if other.slot == "candidates"):
            stages.append(kept)
    return replace(config, stages=stages)
