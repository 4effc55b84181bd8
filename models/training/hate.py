"""Fit the head of models/hate_head.py on the shared encoder's features; run by `python -m models.training.safety`.

Its sentences are the project's own (hate_examples.py). The limit is chosen on folds that hold out everything made from
one source, so that it is set for wordings the head has not seen. It knows no public data set, and not
tests/safety/hate.jsonl, which it is reported on.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import hate, heads
from models.embedding import MiniLM
from models.hate_head import inputs
from models.training import fitting
from models.training.hate_examples import Sentence, own, sentences

FOLDS = 6

FALSE = 0.15
"""Harmless sentences of hate_own.jsonl, as many as are asked of the whole check, that a head which has not seen them
may object to. The others are made to be hard (speech against hate that quotes it), and would set the limit too high
for what is mostly said."""

OWN = 4
"""How often the written-out sentences count: they are few, and the likest to what people say."""


def fold_of(sentence: Sentence) -> int:
    return int(hashlib.sha256(sentence.source.encode()).hexdigest(), 16) % FOLDS


def train(out: Path, encoder: MiniLM) -> dict[str, float]:
    """Write hate.safetensors to `out`; returns what the head alone reaches on sources that it did not see."""
    made = [s for s in [*sentences(), *own() * (OWN - 1)] if hate.names_group(s.text)]
    x = inputs([hate.read(s.text) for s in made], encoder)
    y = np.array([[s.hateful] for s in made], dtype=np.float32)
    fold = np.array([fold_of(s) for s in made])
    score = np.zeros(len(made))
    for k in range(FOLDS):
        score[fold == k] = fitting.fit_hidden(x[fold != k], y[fold != k]).logits(x[fold == k])[:, 0]
    hateful = y[:, 0] > 0.5
    few = np.isin([s.source for s in made], [s.source for s in own()])
    limit = float(np.quantile(score[few & ~hateful], 1 - FALSE, method="higher"))
    fitted = fitting.fit_hidden(x, y)
    about = {"labels": ["hate"], "several": True, "encoder": encoder.name, "limit": round(limit, 3)}
    heads.save(replace(fitted, about=about), out / "hate.safetensors")
    return {
        f"{what}, {name}": float((score[side & part] > limit).mean())
        for name, part in (("written out", few), ("made", ~few))
        for what, side in (("caught", hateful), ("false alarms", ~hateful))
    }
