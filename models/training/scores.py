"""Scores of classifiers: F1, calibration, ranking of the out-of-scope, and how sure any of them is.

Confidence intervals: the percentile bootstrap over test rows (Efron and Tibshirani 1993). Calibration: the expected
calibration error over 15 bins of equal width (Guo et al. 2017, "On Calibration of Modern Neural Networks").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


def f1_per_label(target: Floats, predicted: Bools) -> Floats:
    """(labels,) F1 of (n, labels); 0 for a label that is neither there nor predicted."""
    truth = target > 0.5
    both = (truth & predicted).sum(0)
    return np.asarray(2 * both / np.maximum(1, truth.sum(0) + predicted.sum(0)))


def macro_f1(target: Floats, predicted: Bools) -> float:
    """Mean of F1 over the labels that are there; target and predicted are (n, labels). Resampled rows may lack a rare
    label: a 0 for it, or for what was taken for it, would pull the interval below the score."""
    there = (target > 0.5).any(0)
    return float(f1_per_label(target, predicted)[there].mean()) if there.any() else 0.0


def calibration_error(confidence: Floats, correct: Floats, bins: int = 15) -> float:
    """Expected calibration error of n predictions: 0 when what is said with 0.8 is right in 80 %."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[which == b].mean() - correct[which == b].mean()) * (which == b).mean() for b in set(which)]
    return float(np.sum(gaps))


def reliability(confidence: Floats, correct: Bools, bins: int = 15) -> list[tuple[float, float, float]]:
    """For each bin that is not empty: mean confidence, share that is right, share of all predictions."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = [which == b for b in range(bins) if (which == b).any()]
    return [(float(confidence[r].mean()), float(correct[r].mean()), float(r.mean())) for r in rows]


def confusion(truth: NDArray[np.str_], said: NDArray[np.str_], most: int = 12) -> dict[str, list[Any]]:
    """The labels of the most frequent mistakes, and how often each (row) was taken for each (column)."""
    pairs = Counter((t, s) for t, s in zip(truth.tolist(), said.tolist(), strict=True) if t != s)
    labels = list(dict.fromkeys(label for pair, _ in pairs.most_common() for label in pair))[:most]
    found = Counter(zip(truth.tolist(), said.tolist(), strict=True))
    return {"labels": labels, "counts": [[found[a, b] for b in labels] for a in labels]}


def trade_off(sure: Floats, right: Bools, outside: Bools) -> list[tuple[float, float, float]]:
    """For thresholds from 0 to 1 on how sure one is that a text is in scope: threshold, in-scope accuracy, out-of-scope
    recall."""
    grid = np.linspace(0, 1, 51)
    return [(float(t), float((right & (sure >= t))[~outside].mean()), float((sure < t)[outside].mean())) for t in grid]


def auroc(score: Floats, positive: Bools) -> float:
    """The chance that a positive has a higher score than a negative, ties counting half."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    n, m = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")


def interval(rows: int, score: Callable[[NDArray[np.int64]], float], times: int = 500, seed: int = 7) -> list[float]:
    """The 95 % interval of a score over resampled rows; `score` is given row numbers."""
    rng = np.random.default_rng(seed)
    found = [score(rng.integers(0, rows, rows)) for _ in range(times)]
    return [float(np.nanquantile(found, q)) for q in (0.025, 0.975)]


def with_interval(rows: int, score: Callable[[NDArray[np.int64]], float]) -> list[float]:
    """The score over all rows, and its interval."""
    return [score(np.arange(rows)), *interval(rows, score)]
