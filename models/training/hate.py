"""Fit the head of models/hate_head.py on the shared encoder's features; run by `python -m models.training.safety`.

Its sentences are made from the project's own templates (hate_examples.py). The limit is chosen on folds that hold
whole templates out, so that it is set for wordings the head has not seen. It knows no public data set.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from models import heads
from models.embedding import MiniLM
from models.training import fitting
from models.training.hate_examples import Sentence, sentences

FOLDS = 6

FALSE = 0.05
"""Harmless sentences of templates that were held out which the head may object to."""


def fold_of(sentence: Sentence) -> int:
    return int(hashlib.sha256(sentence.template.encode()).hexdigest(), 16) % FOLDS


def train(out: Path, encoder: MiniLM) -> dict[str, float]:
    """Write hate.safetensors to `out`; returns what the head alone reaches on templates that it did not see."""
    made = sentences()
    x = encoder.features([s.text for s in made])
    y = np.array([[s.hateful] for s in made], dtype=np.float32)
    fold = np.array([fold_of(s) for s in made])
    score = np.zeros(len(made))
    for k in range(FOLDS):
        weight, bias = _fit(x[fold != k], y[fold != k])
        score[fold == k] = (x[fold == k] @ weight.T + bias)[:, 0]
    hateful = y[:, 0] > 0.5
    limit = float(np.quantile(score[~hateful], 1 - FALSE, method="higher"))
    weight, bias = _fit(x, y)
    about = {"labels": ["hate"], "several": True, "encoder": encoder.name, "limit": round(limit, 3)}
    heads.save(heads.Head(weight, bias, about), out / "hate.safetensors")
    return {"caught": float((score[hateful] > limit).mean()), "false_alarms": float((score[~hateful] > limit).mean())}


def _fit(x: fitting.Floats, y: fitting.Floats) -> tuple[fitting.Floats, fitting.Floats]:
    return fitting.fit(x, y, several=True, epochs=15, learning_rate=0.003, weight_decay=0.01)
