"""Score the stages of understanding on the project's own chat test: 600 messages as people type to a companion.

tests/models/chat_test.jsonl was written and labelled by hand before any stage had read it. It is never trained or
tuned on, and no message of it is shown here, so that nobody mends what it holds. It was labelled once, by one hand,
which knew how the rules for entities and facts name things: where two people would differ, it is one opinion.
How a message is labelled:

- intents: the names of data/intent_labels.toml, CLINC150's and "out_of_scope", the main one first; any of them counts
  as right. Talk about oneself is "share_about_me", about the world "out_of_scope".
- emotions: GoEmotions' names, the main one first; neutral stands alone.
- entities: names, works, events, money, and points in time ("next week", not "for a week"), with the span and label
  of `models.entities`; value: an ISO value where the time of the message gives it one. Numbers, nationalities and
  languages are not labelled, and a stage's are left out.
- facts: as in tests/models/facts_own.jsonl ("~" a correction, "!" an end, "?" may come or not), with the `profile`
  and the `companion`'s words that they follow from.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.training import evaluate_memory, scores
from models.training.datasets import OUT_OF_SCOPE
from models.training.evaluate import NOISES
from models.training.evaluate_entities import span_f1
from models.training.running import latency
from pipelines.config import Config
from pipelines.errors import StageError, UsageError
from pipelines.pipeline import Pipeline
from pipelines.turn import Turn, Utterance

MESSAGES = Path(__file__).resolve().parents[2] / "tests" / "models" / "chat_test.jsonl"
SLOTS = ("embedding", "intent", "entities", "emotion", "facts")
ENTITIES = frozenset(
    ("PERSON", "PET", "GPE", "LOC", "FAC", "ORG", "PRODUCT", "WORK_OF_ART", "EVENT", "DATE", "TIME", "MONEY")
)
"""The labels that are scored."""

Row = dict[str, Any]


def load(path: Path = MESSAGES) -> list[Row]:
    """The labelled messages. Raises UsageError for a file that is not there or no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}. The chat test comes with a checkout") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if not (row["text"] and row["intents"] and row["emotions"] and {"entities", "facts"} <= set(row)):
                raise ValueError("a message needs text, intents, emotions, entities and facts")
            datetime.fromisoformat(row["at"])
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}:{number}: no labelled message: {error!r}") from None
        rows.append(row)
    if not rows:
        raise UsageError(f"{path}: no messages in it")
    return rows


def understanding(config: Config) -> Pipeline:
    """The stages of a config that understand, built; the rest is not loaded."""
    return dataclasses.replace(config, stages=[s for s in config.stages if s.slot in SLOTS]).build()


def turn(row: Row, text: str | None = None) -> Turn:
    """The message as the stages see it, or another text in its place."""
    at = datetime.fromisoformat(row["at"])
    history = [Utterance("companion", row["companion"], at)] if "companion" in row else []
    profile = [evaluate_memory.fact(f) for f in row.get("profile", ())]
    return Turn(row["text"] if text is None else text, at=at, history=history, profile=profile)


def evaluate(chain: Pipeline, rows: Sequence[Row], noisy: bool = True) -> dict[str, Any]:
    """The report: intent, emotion, entities and facts as far as the chain fills them, and the time; with `noisy`,
    intent and emotion again in lower case, with typos and with emoji. Raises StageError when a stage fails."""
    slots = {step.slot for step in chain.steps}
    report: dict[str, Any] = {}
    for name, change in {"as it is": None, **(NOISES if noisy else {})}.items():
        rng = random.Random(7)
        turns = [turn(row, change(row["text"], rng) if change else None) for row in rows]
        _read(chain, turns)
        if "intent" in slots:
            report[f"chat intents, {name}"] = intents(rows, turns)
        if "emotion" in slots:
            report[f"chat emotions, {name}"] = emotions(rows, turns)
        if change is None and "entities" in slots:
            report["chat entities, as it is"] = entities(rows, turns)
        if change is None and "facts" in slots:
            report["chat facts, as it is"] = facts(rows, turns)
    report["time"] = latency([lambda given: _read(chain, given)], [row["text"] for row in rows])
    return report


def _read(chain: Pipeline, turns: Sequence[Turn]) -> Sequence[Turn]:
    for start in range(0, len(turns), 64):
        chain(turns[start : start + 64])
    failed = next((t.failed for t in turns if t.failed), None)
    if failed:
        raise StageError(f"a stage failed on a message of the chat test: {failed}")
    return turns


def intents(rows: Sequence[Row], turns: Sequence[Turn]) -> dict[str, Any]:
    """A label counts as right when it is among the true ones. macro-F1: the mean over all labels that come first in
    some message; what was said wrong counts against the label said and against the first true one."""
    found = [t.intent for t in turns if t.intent]
    true = [row["intents"] for row in rows]
    said = np.array([i.label if i.in_scope else OUT_OF_SCOPE for i in found])
    truth = np.array([s if s in t else t[0] for s, t in zip(said, true, strict=True)])
    right, n = said == truth, len(rows)
    sure = np.array([i.probability for i in found])
    outside = np.array([t == [OUT_OF_SCOPE] for t in true])
    labels = sorted({t[0] for t in true})
    marks = [np.array([[label == x for label in labels] for x in column]) for column in (truth, said)]
    per_label = scores.f1_per_label(*marks)
    # How sure it is that a message is in scope, and whether the best label there is right.
    best = [i.label if i.in_scope else (i.runners_up[0][0] if i.runners_up else "") for i in found]
    inside = np.array([i.probability if i.in_scope else 1 - i.probability for i in found])
    forced = np.array([b in t for b, t in zip(best, true, strict=True)])
    refused = said == OUT_OF_SCOPE
    pictures: dict[str, Any] = {
        "per label": _named(labels, per_label),
        "reliability": scores.reliability(sure, right),
        "confusion": scores.confusion(truth, said),
    }
    report: dict[str, Any] = {
        "accuracy": scores.with_interval(n, lambda r: float(right[r].mean())),
        "macro-F1": scores.with_interval(n, lambda r: scores.macro_f1(marks[0][r], marks[1][r])),
        "calibration error": scores.with_interval(n, lambda r: scores.calibration_error(sure[r], right[r])),
        "pictures": pictures,
    }
    if outside.any() and not outside.all():
        report["in-scope accuracy"] = scores.with_interval(n, lambda r: _share(right[r], ~outside[r]))
        report["out-of-scope recall"] = scores.with_interval(n, lambda r: _share(refused[r], outside[r]))
        report["out-of-scope precision"] = scores.with_interval(n, lambda r: _share(right[r], refused[r]))
        report["out-of-scope AUROC"] = scores.with_interval(n, lambda r: scores.auroc(-inside[r], outside[r]))
        now = [report["in-scope accuracy"][0], report["out-of-scope recall"][0]]
        pictures["trade-off"] = {"curve": scores.trade_off(inside, forced, outside), "now": now}
    return report


def emotions(rows: Sequence[Row], turns: Sequence[Turn]) -> dict[str, Any]:
    """macro-F1 over the emotions that the test has, of what the stage names; main emotion met: how often the first
    that it names is a true one; main emotion named: how often the first true one is among those it names."""
    found = [t.emotion for t in turns if t.emotion]
    true = [row["emotions"] for row in rows]
    labels = sorted({label for t in true for label in t})
    truth = np.array([[label in t for label in labels] for t in true])
    said = np.array([[label in e.labels for label in labels] for e in found])
    sure = np.array([[e.probabilities.get(label, 0.0) for label in labels] for e in found])
    first = np.array([e.labels[0] for e in found])
    met = np.array([f in t for f, t in zip(first, true, strict=True)])
    named = np.array([t[0] in e.labels for e, t in zip(found, true, strict=True)])
    main = np.array([f if f in t else t[0] for f, t in zip(first, true, strict=True)])
    return {
        "macro-F1": scores.with_interval(len(met), lambda r: scores.macro_f1(truth[r], said[r])),
        "main emotion met": scores.with_interval(len(met), lambda r: float(met[r].mean())),
        "main emotion named": scores.with_interval(len(named), lambda r: float(named[r].mean())),
        "calibration error": scores.with_interval(
            len(met), lambda r: scores.calibration_error(sure[r].ravel(), truth[r].ravel())
        ),
        "pictures": {
            "per label": _named(labels, scores.f1_per_label(truth, said)),
            "reliability": scores.reliability(sure.ravel(), truth.ravel()),
            "confusion": scores.confusion(main, first),
        },
    }


def entities(rows: Sequence[Row], turns: Sequence[Turn]) -> dict[str, Any]:
    """Strict span F1: both ends and the label must be right. values: of the labelled values of dates and times, the
    share that was given for the right span."""
    true = [{(e["start"], e["start"] + len(e["text"]), e["label"]) for e in row["entities"]} for row in rows]
    said = [{(e.start, e.end, e.label) for e in t.entities or () if e.label in ENTITIES} for t in turns]

    def count(label: str = "") -> Any:
        both = zip(true, said, strict=True)
        pairs = [[{s for s in spans if label in ("", s[2])} for spans in pair] for pair in both]
        return np.array([(len(t & f), len(t), len(f)) for t, f in pairs])

    counts = count()
    values = []
    for row, t in zip(rows, turns, strict=True):
        given = {(e.start, e.label): e.value for e in t.entities or ()}
        values += [given.get((e["start"], e["label"])) == e["value"] for e in row["entities"] if "value" in e]
    valued = np.array(values)
    per_label = {label: span_f1(count(label)) for label in sorted({s[2] for t in true for s in t})}
    dated = {"values of dates and times": scores.with_interval(len(valued), lambda r: float(valued[r].mean()))}
    return {
        "span F1": scores.with_interval(len(counts), lambda r: span_f1(counts[r])),
        "precision": scores.with_interval(len(counts), lambda r: _ratio(counts[r], 2)),
        "recall": scores.with_interval(len(counts), lambda r: _ratio(counts[r], 1)),
        **(dated if values else {}),
        "pictures": {"per label": _named(list(per_label), list(per_label.values()))},
    }


def facts(rows: Sequence[Row], turns: Sequence[Turn]) -> dict[str, Any]:
    """Precision and recall over facts: slot, value, whose, and whether it is stated, corrected or ended."""
    found = []
    for row, t in zip(rows, turns, strict=True):
        wanted = {f.casefold() for f in row["facts"] if not f.startswith("?")}
        allowed = {f[1:].casefold() for f in row["facts"] if f.startswith("?")}
        got = {evaluate_memory.label(f) for f in t.facts or ()} - allowed
        found.append((len(got & wanted), len(wanted), len(got)))
    counts = np.array(found)
    return {
        "precision": scores.with_interval(len(counts), lambda r: _ratio(counts[r], 2)),
        "recall": scores.with_interval(len(counts), lambda r: _ratio(counts[r], 1)),
    }


def _ratio(counts: Any, by: int) -> float:
    """Of rows of (right, true, said) counts: the right ones by the true (1) or by the said (2)."""
    return float(counts[:, 0].sum() / max(1, counts[:, by].sum()))


def _share(marks: Any, among: Any) -> float:
    return float(marks[among].mean()) if among.any() else float("nan")


def _named(labels: Sequence[str], f1: Iterable[Any]) -> dict[str, float]:
    return {label: round(float(f), 3) for label, f in zip(labels, f1, strict=True)}
