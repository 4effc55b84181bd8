"""A linear head on an encoder's features, as intent and emotion read it from one safetensors file.

The file holds `weight` (labels, features) and `bias` (labels,), and in its header, under "head", JSON with the labels,
the encoder whose features it was trained on, and what was tuned: a temperature, thresholds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import StageError, WeightsError
from pipelines.turn import Turn

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """weight (labels, features), bias (labels,); about: labels, encoder, temperature, threshold(s), scores."""

    weight: Floats
    bias: Floats
    about: dict[str, Any]

    @property
    def labels(self) -> list[str]:
        return list(self.about["labels"])

    def logits(self, features: Floats) -> Floats:
        """(n, labels), divided by the temperature, from features (n, features)."""
        return np.asarray((features @ self.weight.T + self.bias) / self.about.get("temperature", 1.0))

    def probabilities(self, turns: Sequence[Turn], stage: str) -> Floats:
        """(n, labels) for n turns: a softmax, or with `several` one logistic a label.

        Raises StageError when a turn has no embedding, or one of another encoder.
        """
        for turn in turns:
            if turn.embedding is None:
                raise StageError(f"{stage}: the turn has no embedding, because the embedding stage failed on it")
            if turn.embedding.encoder != self.about["encoder"]:
                raise StageError(
                    f'{stage} was trained on the features of "{self.about["encoder"]}", but [stages.embedding] gives '
                    f'those of "{turn.embedding.encoder}". Use that encoder, or retrain: chatbot train'
                )
        logits = self.logits(np.stack([turn.embedding.features for turn in turns if turn.embedding]))
        if self.about["several"]:
            return np.asarray(1 / (1 + np.exp(-logits)))
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def load(path: Path) -> Head:
    """Read a head. Raises WeightsError when the file is not one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["head"])
            weight, bias = (file.get_tensor(name).astype(np.float32) for name in ("weight", "bias"))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path}: this is not a head: {error}") from error
    if weight.shape != (len(about["labels"]), weight.shape[1]) or bias.shape != (len(about["labels"]),):
        raise WeightsError(f"{path}: {len(about['labels'])} labels, but weights of shape {weight.shape}")
    return Head(weight, bias, about)


def save(head: Head, path: Path) -> None:
    """Write a head, its weights in float16."""
    from safetensors.numpy import save_file

    tensors = {"weight": head.weight.astype(np.float16), "bias": head.bias.astype(np.float16)}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"head": json.dumps(head.about)})
