"""A head on an encoder's features, linear or with one hidden layer, as stages read it from one safetensors file.

The file holds `weight` (labels, features) and `bias` (labels,); where there is a hidden layer also `hidden` (units,
features) and `hidden_bias` (units,), and `weight` is (labels, units). In its header stands, under "head", JSON with the
labels, the encoder whose features it was trained on, and what was tuned: a temperature, thresholds.
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
    """weight (labels, features or units), bias (labels,); about: labels, encoder, temperature, threshold(s), scores;
    hidden (units, features) and hidden_bias (units,), or neither."""

    weight: Floats
    bias: Floats
    about: dict[str, Any]
    hidden: Floats | None = None
    hidden_bias: Floats | None = None

    @property
    def labels(self) -> list[str]:
        return list(self.about["labels"])

    def logits(self, features: Floats) -> Floats:
        """(n, labels), divided by the temperature, from features (n, features)."""
        if self.hidden is not None and self.hidden_bias is not None:
            features = np.maximum(features @ self.hidden.T + self.hidden_bias, 0)
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
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        weight, bias = tensors["weight"], tensors["bias"]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path}: this is not a head: {error}") from error
    if weight.shape != (len(about["labels"]), weight.shape[1]) or bias.shape != (len(about["labels"]),):
        raise WeightsError(f"{path}: {len(about['labels'])} labels, but weights of shape {weight.shape}")
    hidden, hidden_bias = tensors.get("hidden"), tensors.get("hidden_bias")
    if (hidden is None) != (hidden_bias is None) or (hidden is not None and len(hidden) != weight.shape[1]):
        raise WeightsError(f"{path}: the hidden layer does not fit the weights")
    return Head(weight, bias, about, hidden, hidden_bias)


def save(head: Head, path: Path) -> None:
    """Write a head, its weights in float16."""
    from safetensors.numpy import save_file

    layers = {"weight": head.weight, "bias": head.bias, "hidden": head.hidden, "hidden_bias": head.hidden_bias}
    tensors = {name: layer.astype(np.float16) for name, layer in layers.items() if layer is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"head": json.dumps(head.about)})
