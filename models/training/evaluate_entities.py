"""Score an entities stage on WNUT17 test, as a user gets it: turns in, spans out; strict span F1.

A span is right when both of its ends and its label are. `MAPPING` says what each label of a stage counts as; what it
does not name (dates, money, pets) is no entity of WNUT17 and is left out. `en_core_web_sm` names that model by itself,
without this project's stage around it. Tokens are joined by one space, so the text differs a little from the tweet's.
Data: Derczynski et al. 2017, "Results of the WNUT2017 Shared Task on Novel and Emerging Entity Recognition".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.training import datasets, noise, scores
from models.training.running import Stage, build, latency, values
from pipelines.errors import UsageError
from pipelines.turn import Entity, Turn

Span = tuple[int, int, str]
MAPPING = {
    "PERSON": "person",
    "GPE": "location",
    "LOC": "location",
    "FAC": "location",
    "ORG": "group",
    "NORP": "group",
    "PRODUCT": "product",
    "WORK_OF_ART": "creative-work",
    "corporation": "group",
}
"""OntoNotes to WNUT17. An ORG may be a corporation or a group there, so these two count as one on both
sides: five labels instead of the official six, which makes numbers of others only nearly comparable."""
PLAIN = "en_core_web_sm"
FILES = {"dev": "dev/emerging.dev.conll", "test": "test/emerging.test.annotated"}


def plain() -> Stage:
    """en_core_web_sm by itself. Raises WeightsError when it cannot be had."""
    import spacy

    from models.hub import fetch

    nlp: Any = spacy.load(fetch("en-core-web-sm"), exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])

    def read(turns: Sequence[Turn]) -> list[list[Entity]]:
        docs = nlp.pipe([turn.text for turn in turns], batch_size=64)
        return [[Entity(e.text, e.label_, e.start_char, e.end_char) for e in doc.ents] for doc in docs]

    return read


def run(name: str, data: Path, noisy: bool = True, split: str = "test") -> dict[str, Any]:
    """The report of a stage by name, on WNUT17's split under the folder `data`."""
    path = data / "ner/WNUT17/CONLL-format/data" / FILES[split]
    if not path.is_file():
        raise UsageError(f"{data}: no ner/WNUT17 in it (github.com/leondz/emerging_entities_17)")
    stage = plain() if name == PLAIN else build(name)
    sentences = datasets.conll(path)
    report: dict[str, Any] = {}
    rng = random.Random(7)
    changes: dict[str, Callable[[str], str] | None] = {"as it is": None}
    if noisy:
        changes |= {
            "lower case": str.lower,
            "typos": lambda word: noise.slip(word, rng) if rng.random() < 1 / 6 else word,
        }
        changes |= {"emoji": None}
    for change, alter in changes.items():
        texts, truth = [], []
        for tokens, tags in sentences:
            text, spans = spans_of([alter(t) for t in tokens] if alter else tokens, tags)
            texts.append(noise.with_emoji(text, rng) if change == "emoji" else text)
            truth.append(spans)
        said = [mapped(found) for found in values([stage], texts)]
        report[f"wnut17 {split}, {change}"] = _scores(truth, said)
    texts = [" ".join(tokens) for tokens, _ in sentences]
    report["time"] = latency([stage], texts)
    return report


def spans_of(tokens: Sequence[str], tags: Sequence[str]) -> tuple[str, set[Span]]:
    """The tokens as one text, and the spans of the BIO (or plain I) tags by character, corporations as groups."""
    spans: list[list[Any]] = []
    at, before = 0, "O"
    for token, tag in zip(tokens, tags, strict=True):
        kind = MAPPING.get(tag[2:], tag[2:])
        if tag.startswith("I-") and before[2:] == tag[2:]:
            spans[-1][1] = at + len(token)
        elif tag != "O":
            spans.append([at, at + len(token), kind])
        at, before = at + len(token) + 1, tag
    return " ".join(tokens), {(a, b, kind) for a, b, kind in spans}


def mapped(found: Sequence[Entity]) -> set[Span]:
    """Entities as spans with WNUT17's labels; what `MAPPING` does not name is left out."""
    return {(e.start, e.end, MAPPING[e.label]) for e in found if e.label in MAPPING}


def span_f1(counts: Any) -> float:
    """F1 of rows of (right, true, said) counts."""
    right, true, said = np.asarray(counts).sum(0)
    return float(2 * right / max(1, true + said))


def _scores(truth: Sequence[set[Span]], said: Sequence[set[Span]]) -> dict[str, Any]:
    def count(label: str = "") -> Any:
        pairs = [
            ({s for s in t if label in ("", s[2])}, {s for s in f if label in ("", s[2])})
            for t, f in zip(truth, said, strict=True)
        ]
        return np.array([(len(t & f), len(t), len(f)) for t, f in pairs])

    def interval(measure: Callable[[Any], float]) -> list[float]:
        return scores.interval(len(rows), lambda r: measure(rows[r]))

    rows = count()
    per_label = {label: span_f1(count(label)) for label in sorted({s[2] for t in truth for s in t})}
    return {
        "span F1": [span_f1(rows), *interval(span_f1)],
        "precision": [_share(rows, 2), *interval(lambda r: _share(r, 2))],
        "recall": [_share(rows, 1), *interval(lambda r: _share(r, 1))],
        **{f"span F1, {label}": [f1] for label, f1 in per_label.items()},
        "pictures": {"per label": {label: round(f1, 3) for label, f1 in per_label.items()}},
    }


def _share(counts: Any, of: int) -> float:
    """The right ones of all that are true (1) or said (2), over rows of counts."""
    total = np.asarray(counts).sum(0)
    return float(total[0] / max(1, total[of]))
