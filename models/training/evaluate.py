"""Score the stages of understanding on test splits, as a user gets them: turns in, values out.

Intent: CLINC150 full, where an intent of ours counts as its parent of CLINC150's and a companion's intent as out of
scope; small talk held out by question. Emotion: GoEmotions, 28 labels and the Ekman groups. Each with bootstrap
intervals, calibration, time per message, and again in lower case, with typos and with emoji.
Any stage of the slot can be named, so that swaps are compared: `emotion.lexicon`, `intent.rules`. Nothing is tuned.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.training import datasets, noise, scores, tasks
from models.training.datasets import OUT_OF_SCOPE, Example
from models.training.running import Stage, build, latency, understanding, values
from pipelines.errors import UsageError
from pipelines.turn import Emotion, Intent, Turn

Row = tuple[str, str, float, str]

ANCHORS = {
    "clinc150 in-scope accuracy": "BERT-large 0.969 / 0.962, USE+MLP 0.935, Rasa 0.915",
    "clinc150 out-of-scope recall": "BERT-large 0.403 / 0.523, USE+MLP 0.474, Rasa 0.453",
    "banking77 accuracy": "SPACE-2 0.948 (110M); 0.930 asked",
    "goemotions macro-F1, 28 labels": "BERT-base 0.46 (paper), 0.503 (best public rerun)",
    "goemotions macro-F1, Ekman": "BERT-base 0.64 (paper, trained on the groups)",
}
"""Published by others; Larson et al. 2019 (oos trained / threshold) and Demszky et al. 2020."""

NOISES = {"lower case": noise.lower, "typos": noise.typos, "emoji": noise.with_emoji}


def evaluate_intent(stages: Sequence[Stage], data: Path, noisy: bool = True) -> dict[str, Any]:
    """Scores on CLINC150 test and on small talk test; with `noisy`, of each noise too."""
    clinc = datasets.clinc150(data / "clinc150")
    known = {e.labels[0] for e in clinc["train"]}
    talk = tasks.smalltalk(data)["test"]
    parents = {label: entry.get("parent", label) for label, entry in tasks.intent_labels().items()}
    report: dict[str, Any] = {}
    for name, change in {"as it is": None, **(NOISES if noisy else {})}.items():
        test = _changed(clinc["test"], change)
        found = values(stages, [e.text for e in test])
        report[f"clinc150, {name}"] = _clinc(test, found, known, parents)
        test = _changed(talk, change)
        report[f"small talk, {name}"] = _smalltalk(test, values(stages, [e.text for e in test]))
    return report


def _clinc(
    test: Sequence[Example], found: Sequence[Intent], known: set[str], parents: dict[str, str]
) -> dict[str, Any]:
    truth = np.array([e.labels[0] for e in test])
    names = [parents.get(i.label, i.label) if i.in_scope else OUT_OF_SCOPE for i in found]
    said = np.array([n if n in known else OUT_OF_SCOPE for n in names])
    best = [i.label if i.in_scope else (i.runners_up[0][0] if i.runners_up else i.label) for i in found]
    forced = np.array([parents.get(label, label) for label in best])
    confidence = np.array([i.probability if i.in_scope else 1 - i.probability for i in found])
    outside = truth == OUT_OF_SCOPE
    right = said == truth
    inside = confidence * np.isin(forced, list(known))

    def ratio(rows: Any, which: Any) -> float:
        return float(right[rows][which[rows]].mean())

    n, refused, sure_right = len(test), said == OUT_OF_SCOPE, forced == truth

    def calibration(rows: Any) -> float:
        rows = rows[~outside[rows]]
        return scores.calibration_error(confidence[rows], sure_right[rows])

    report = {
        "in-scope accuracy": scores.with_interval(n, lambda r: ratio(r, ~outside)),
        "out-of-scope recall": scores.with_interval(n, lambda r: ratio(r, outside)),
        "out-of-scope precision": scores.with_interval(n, lambda r: ratio(r, refused)) if refused.any() else [0.0],
        "out-of-scope AUROC": scores.with_interval(n, lambda r: scores.auroc(-inside[r], outside[r])),
        "in-scope accuracy without a threshold": scores.with_interval(
            n, lambda r: float(sure_right[r[~outside[r]]].mean())
        ),
        "calibration error": scores.with_interval(n, calibration),
    }
    now = [report["in-scope accuracy"][0], report["out-of-scope recall"][0]]
    pictures = {
        "per label": _per_label(truth, said),
        "reliability": scores.reliability(confidence[~outside], sure_right[~outside]),
        "confusion": scores.confusion(truth, said),
        "trade-off": {"curve": scores.trade_off(inside, sure_right, outside), "now": now},
    }
    return {**report, "pictures": pictures}


def evaluate_own(stages: Sequence[Stage], data: Path, noisy: bool = True) -> dict[str, Any]:
    """Scores on the test split of one set of a user's own, such as BANKING77. A text that the stage calls out of scope
    counts as wrong where the set has no such label."""
    found = tasks.own_intents(data)
    if not found.splits.get("test"):
        raise UsageError(f"{data}: no test split in it")
    report = {}
    for name, change in {"as it is": None, **(NOISES if noisy else {})}.items():
        test = _changed(found.splits["test"], change)
        said = values(stages, [e.text for e in test])
        truth, labels = np.array([e.labels[0] for e in test]), np.array([i.label for i in said])
        sure = np.array([i.probability for i in said])
        report[f"{data.resolve().name}, {name}"] = {
            **_answers(truth, labels, sure),
            "pictures": {
                "per label": _per_label(truth, labels),
                "reliability": scores.reliability(sure, truth == labels),
                "confusion": scores.confusion(truth, labels),
            },
        }
    return report


def _answers(truth: Any, said: Any, sure: Any) -> dict[str, list[float]]:
    """accuracy, macro-F1 over the labels of the truth, and calibration error, each with its interval."""
    labels, right, n = sorted(set(truth)), truth == said, len(truth)
    marks = [np.array([[label == x for label in labels] for x in found]) for found in (truth, said)]
    return {
        "accuracy": scores.with_interval(n, lambda r: float(right[r].mean())),
        "macro-F1": scores.with_interval(n, lambda r: scores.macro_f1(marks[0][r], marks[1][r])),
        "calibration error": scores.with_interval(n, lambda r: scores.calibration_error(sure[r], right[r])),
    }


def _per_label(truth: Any, said: Any) -> dict[str, float]:
    labels = sorted(set(truth))
    marks = [np.array([[label == x for label in labels] for x in found]) for found in (truth, said)]
    return {label: round(float(f), 3) for label, f in zip(labels, scores.f1_per_label(*marks), strict=True)}


def _smalltalk(test: Sequence[Example], found: Sequence[Intent]) -> dict[str, Any]:
    truth, said = np.array([e.labels[0] for e in test]), np.array([i.label for i in found])
    sure = np.array([i.probability for i in found])
    f1 = _per_label(truth, said)
    return {
        **_answers(truth, said, sure),
        "worst labels": dict(sorted(f1.items(), key=lambda item: item[1])[:12]),
        "pictures": {
            "per label": f1,
            "reliability": scores.reliability(sure, truth == said),
            "confusion": scores.confusion(truth, said),
        },
    }


def evaluate_emotion(stages: Sequence[Stage], data: Path, noisy: bool = True) -> dict[str, Any]:
    """Scores on GoEmotions test. A label counts as said when it reaches its threshold (`thresholds` of the stage, or
    its one `threshold`); "named labels" is what the stage puts into `labels`, where neutral stands alone."""
    folder = tasks.goemotions_folder(data)
    emotions = datasets.goemotions(folder)
    mapping = json.loads((folder / "ekman_mapping.json").read_text(encoding="utf-8"))
    groups = {**mapping, "neutral": ["neutral"]}
    labels = tasks.emotion_labels(data)
    report: dict[str, Any] = {}
    for name, change in {"as it is": None, **(NOISES if noisy else {})}.items():
        test = _changed(emotions["test"], change)
        found = values(stages, [e.text for e in test])
        report[f"goemotions, {name}"] = _emotions(test, found, labels, groups, stages[-1])
    return report


def _emotions(
    test: Sequence[Example], found: Sequence[Emotion], labels: list[str], groups: dict[str, list[str]], stage: Any
) -> dict[str, Any]:
    truth = np.array([[label in e.labels for label in labels] for e in test])
    sure = np.array([[e.probabilities[label] for label in labels] for e in found])
    limits = getattr(stage, "thresholds", None) or dict.fromkeys(labels, stage.threshold)
    said = sure >= np.array([limits[label] for label in labels])
    named = np.array([[label in e.labels for label in labels] for e in found])
    f1 = scores.f1_per_label(truth, said)
    columns = [[labels.index(label) for label in members] for members in groups.values()]

    def grouped(marks: Any) -> Any:
        return np.stack([marks[:, c].any(1) for c in columns], axis=1)

    def interval(a: Any, b: Any) -> list[float]:
        return scores.interval(len(test), lambda r: scores.macro_f1(a[r], b[r]))

    return {
        "macro-F1, 28 labels": [float(f1.mean()), *interval(truth, said)],
        "macro-F1, Ekman": [scores.macro_f1(grouped(truth), grouped(said)), *interval(grouped(truth), grouped(said))],
        "macro-F1, named labels": [scores.macro_f1(truth, named), *interval(truth, named)],
        "calibration error": scores.with_interval(
            len(test), lambda r: scores.calibration_error(sure[r].ravel(), truth[r].ravel())
        ),
        "pictures": {
            "per label": {label: round(float(f), 3) for label, f in zip(labels, f1, strict=True)},
            "reliability": scores.reliability(sure.ravel(), truth.ravel()),
            "confusion": scores.confusion(*_single(truth, named, labels)),
        },
    }


def _single(truth: Any, said: Any, labels: list[str]) -> tuple[Any, Any]:
    """Of the messages with one true and one named label: both, by name."""
    rows = (truth.sum(1) == 1) & (said.sum(1) == 1)
    names = np.array(labels)
    return names[truth[rows].argmax(1)], names[said[rows].argmax(1)]


def evaluate_recall(stage: Stage, path: Path, k: int = 10) -> dict[str, Any]:
    """How much of the evidence for LoCoMo's questions is among the k nearest turns of the conversation, by the vector
    alone (Maharana et al. 2024, "Evaluating Very Long-Term Conversational Memory of LLM Agents"). Measured only: its
    licence is non-commercial. Questions without an answer (category 5) are left out."""
    found = []
    for conversation in json.loads(path.read_text(encoding="utf-8")):
        sessions = [v for v in conversation["conversation"].values() if isinstance(v, list)]
        said = [turn for session in sessions for turn in session]
        rows = {turn["dia_id"]: i for i, turn in enumerate(said)}
        asked = [q for q in conversation["qa"] if q["category"] != 5 and any(e in rows for e in q["evidence"])]
        memory = _vectors(stage, [turn["text"] for turn in said])
        nearest = np.argsort(-_vectors(stage, [q["question"] for q in asked]) @ memory.T, axis=1)[:, :k]
        for question, near in zip(asked, nearest, strict=True):
            evidence = {rows[e] for e in question["evidence"] if e in rows}
            found.append(len(evidence & set(near.tolist())) / len(evidence))
    recall = np.array(found)
    name = f"evidence recall@{k}, {len(found)} questions"
    return {"locomo": {name: [float(recall.mean()), *scores.interval(len(recall), lambda r: float(recall[r].mean()))]}}


def _vectors(stage: Stage, texts: Sequence[str]) -> Any:
    batches = [stage([Turn(text) for text in texts[i : i + 256]]) for i in range(0, len(texts), 256)]
    return np.stack([embedding.vector for batch in batches for embedding in batch])


def _changed(examples: Sequence[Example], change: Callable[[str, random.Random], str] | None) -> list[Example]:
    rng = random.Random(7)
    return [Example(change(e.text, rng) if change else e.text, e.labels) for e in examples]


def table(report: dict[str, Any]) -> str:
    """The report as lines: what, score, interval, the drop under noise, anchor."""
    lines = []
    for what, score, span, drop, anchor in rows(report):
        lines.append(f"{what:68} {score:>7}  {span:16} {drop:>7}  {anchor}".rstrip())
    return "\n".join(lines)


def rows(report: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """What was measured, the score, its interval, the change against the texts as they are, and the anchor."""
    for test, found in report.items():
        data = test.partition(",")[0]
        plain = report.get(f"{data}, as it is", {})
        for name, value in found.items():
            if isinstance(value, list):
                span = f"[{value[1]:.3f}, {value[2]:.3f}]" if len(value) == 3 else ""
                drop = f"{value[0] - plain[name][0]:+.3f}" if plain is not found and name in plain else ""
                anchor = ANCHORS.get(f"{data} {name}", "") if not drop else ""
                yield f"{test}: {name}", f"{value[0]:.3f}", span, drop, anchor
            elif isinstance(value, float):
                yield f"{test}: {name}", f"{value:.2f}", "", "", ANCHORS.get(f"{data} {name}", "")


def run(name: str, slot: str, data: Path, weights: str | None = None, noisy: bool = True) -> dict[str, Any]:
    """The report on one stage, by its name, of the slot "embedding", "intent" or "emotion".

    weights: folder of tuned layers and heads other than the shipped ones. A folder without tuned layers is read with
    the shipped encoder, or the one that its head says it was trained on.
    """
    if name.partition(".")[0] != slot:
        raise UsageError(f"{name} is no stage of the slot {slot}")
    has_layers = weights is not None and (Path(weights) / "encoder.safetensors").is_file()
    tuned = {"tuned": weights} if has_layers else {}
    if slot == "embedding":
        chain = [build(name, **tuned)]
        report = evaluate_recall(chain[0], data / "locomo" / "locomo_dev5.json")
        texts = _messages(data)
        report["time of the encoder, Reddit comments"] = latency(chain, texts)
        chat = [e.text for e in tasks.smalltalk(data)["test"]]
        random.Random(7).shuffle(chat)
        report["time of the encoder, chat messages"] = latency(chain, chat)
        report["time of understanding, Reddit comments"] = understanding(chain[0], weights, texts)
        report["time of understanding, chat messages"] = understanding(chain[0], weights, chat)
        return report
    chain = [build(name, **({"weights": weights} if weights else {}))]
    if "embedding" in getattr(chain[0], "needs", ()):
        head = getattr(chain[0], "head", None)
        if not tuned and head is not None and head.about["encoder"] == "minilm":
            tuned = {"tuned": ""}
        chain.insert(0, build("embedding.minilm", **tuned))
    if slot == "emotion":
        report = evaluate_emotion(chain, data, noisy)
        texts = [e.text for e in datasets.goemotions(tasks.goemotions_folder(data))["test"]]
    elif (data / "clinc150").is_dir():
        report = evaluate_intent(chain, data, noisy)
        texts = [e.text for e in datasets.clinc150(data / "clinc150")["test"]]
    else:
        report = evaluate_own(chain, data, noisy)
        texts = [e.text for e in tasks.own_intents(data).splits["test"]]
    report["time"] = latency(chain, texts)
    return report


def _messages(data: Path) -> list[str]:
    return [e.text for e in datasets.goemotions(tasks.goemotions_folder(data))["test"]]


def main(argv: Sequence[str] | None = None) -> None:
    """python -m models.training.evaluate intent.encoder emotion.encoder --data FOLDER --out report.json"""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "stages",
        nargs="+",
        help="embedding.minilm, intent.encoder, intent.rules, emotion.encoder, emotion.lexicon, ...",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the public data sets")
    parser.add_argument("--weights", help="folder of tuned layers and heads other than the shipped ones")
    parser.add_argument("--no-noise", dest="noisy", action="store_false", help="the texts as they are only")
    parser.add_argument("--out", type=Path, help="write the report as JSON")
    args = parser.parse_args(argv)
    whole: dict[str, Any] = {}
    for name in args.stages:
        slot = name.partition(".")[0]
        if slot not in ("embedding", "intent", "emotion"):
            raise UsageError(f"{name}: only stages of embedding, intent and emotion are evaluated here")
        whole[name] = run(name, slot, args.data, args.weights, args.noisy)
        print(f"{name}\n{table(whole[name])}\n")
    if args.out:
        args.out.write_text(json.dumps(whole, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
