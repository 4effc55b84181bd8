"""Fit a linear head on features that stay as they are, and what is tuned on dev: temperature and thresholds.

Temperature: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.heads import Head
from models.training.scores import f1_per_label, macro_f1  # noqa: F401

Floats = NDArray[np.floating]


def fit(
    features: Floats,
    target: Floats,
    several: bool,
    epochs: int = 60,
    learning_rate: float = 0.02,
    weight_decay: float = 1e-5,
    seed: int = 7,
) -> tuple[Floats, Floats]:
    """weight (labels, features) and bias (labels,) of a softmax, or with `several` of one logistic a label.

    features (n, features); target (n, labels) of zeros and ones. Adam with a falling rate, batches of 512.
    """
    import torch

    torch.manual_seed(seed)
    x, mean, spread = _scaled(features)
    y = torch.from_numpy(target.astype(np.float32))
    layer = torch.nn.Linear(x.shape[1], y.shape[1])
    torch.nn.init.zeros_(layer.weight)
    optimizer = torch.optim.Adam(layer.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    weight = _balance(y) if several else None
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(512):
            logits = layer(x[rows])
            if several:
                loss: Any = torch.nn.functional.binary_cross_entropy_with_logits(logits, y[rows], pos_weight=weight)
            else:
                loss = torch.nn.functional.cross_entropy(logits, y[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    with torch.no_grad():
        folded = layer.weight / spread
        return folded.numpy(), (layer.bias - folded @ mean).numpy()


def fit_hidden(
    features: Floats,
    target: Floats,
    units: int = 64,
    epochs: int = 6,
    dropout: float = 0.4,
    weight_decay: float = 0.02,
    seeds: Sequence[int] = (1, 2, 3),
) -> Head:
    """A head with one logistic a label over a hidden layer of rectified units; features (n, features), target (n,
    labels). Its `about` is empty.

    One network a seed; their mean, which varies less, is written as one network with all their units.
    """
    import torch

    x, mean, spread = _scaled(features)
    y = torch.from_numpy(target.astype(np.float32))
    found: list[tuple[Any, Any, Any, Any]] = []
    for seed in seeds:
        torch.manual_seed(seed)
        first, last = torch.nn.Linear(x.shape[1], units), torch.nn.Linear(units, y.shape[1])
        net = torch.nn.Sequential(torch.nn.Dropout(dropout), first, torch.nn.ReLU(), torch.nn.Dropout(dropout), last)
        optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=weight_decay)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(128):
                loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            folded = first.weight / spread
            found.append((folded, first.bias - folded @ mean, last.weight / len(seeds), last.bias / len(seeds)))
    hidden, hidden_bias, weight, bias = zip(*found, strict=True)
    last_layer = torch.cat(weight, 1).numpy(), torch.stack(bias).sum(0).numpy()
    return Head(*last_layer, {}, torch.cat(hidden).numpy(), torch.cat(hidden_bias).numpy())


def _scaled(features: Floats) -> tuple[Any, Any, Any]:
    """Features of unit variance around 0, for the fit; and the mean and spread that are folded into the weights
    afterwards."""
    import torch

    x = torch.from_numpy(features.astype(np.float32))
    mean, spread = x.mean(0), x.std(0)
    spread = spread.clamp(min=float(spread.median()) / 4)  # MiniLM has a dimension that is always the same
    return (x - mean) / spread, mean, spread


def _balance(target: Any) -> Any:
    """Weight of a positive example per label: the square root of the imbalance, at most 8."""
    count = target.sum(0)
    return ((len(target) - count) / count.clamp(min=1)).sqrt().clamp(1, 8)


def best_temperature(logits: Floats, target: Floats, several: bool) -> float:
    """The temperature with the least negative log-likelihood on dev; (n, labels) each."""
    grid = np.geomspace(0.2, 5, 80)
    return float(grid[np.argmin([_nll(logits / t, target, several) for t in grid])])


def _nll(logits: Floats, target: Floats, several: bool) -> float:
    if several:
        return float((np.logaddexp(0, logits) - target * logits).mean())
    return float(-(log_softmax(logits) * target).sum(1).mean())


def log_softmax(logits: Floats) -> Floats:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def best_thresholds(target: Floats, probabilities: Floats) -> Floats:
    """(labels,) the threshold per label with the best F1, for tuning on dev.

    Scores are smoothed over neighbouring thresholds, and of those within 0.005 of the best the middle one is taken:
    the very peak on a rare label is luck.
    """
    grid = np.linspace(0.02, 0.95, 94)
    found = np.full(target.shape[1], 0.5)
    for label in range(target.shape[1]):
        scores = np.array([f1_per_label(target[:, [label]], probabilities[:, [label]] >= t)[0] for t in grid])
        smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
        good = np.flatnonzero(smooth >= smooth.max() - 0.005)
        found[label] = grid[good[len(good) // 2]]
    return found


def platt(logits: Floats, target: Floats) -> tuple[Floats, Floats]:
    """(labels,) scale and shift per label that make a logistic's probabilities those of dev (Platt 1999).

    Newton's method, steps halved until they help, held near scale 1 and shift 0 by a small penalty, since some labels
    have a dozen examples.
    """
    scale, shift = np.ones(target.shape[1]), np.zeros(target.shape[1])
    for label in range(target.shape[1]):
        x = np.stack([logits[:, label], np.ones(len(logits))], axis=1).astype(np.float64)
        scale[label], shift[label] = _newton(x, target[:, label])
    return scale, shift


def _newton(x: Floats, y: Floats) -> Floats:
    start = np.array([1.0, 0.0])

    def loss(w: Floats) -> float:
        z = x @ w
        return float((np.logaddexp(0, z) - y * z).sum() + ((w - start) ** 2).sum() / 2)

    w = start
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        step = np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + np.eye(2), x.T @ (p - y) + (w - start))
        while loss(w - step) > loss(w) and abs(step).max() > 1e-6:
            step = step / 2
        w = w - step
        if abs(step).max() < 1e-6:
            break
    return w
