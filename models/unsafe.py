"""Whether a reply is unsafe as an answer to a message, by a head on the sentence features of both.

The rules of the outgoing check (models/outgoing.py) know phrases; this head hears agreement with what harms, advice
that endangers, and contempt, where the words alone are harmless. It was trained on DiaSafety and on pairs of this
project's own (models/training/unsafe.py), reads features that the ranker has anyway, and knows neither the talk before
nor who is speaking. In talks of danger it also holds back some careful replies, so it is not asked about what people
wrote beforehand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models import heads
from models.hub import fetch
from pipelines.errors import WeightsError

FILE = "unsafe.safetensors"
Floats = NDArray[np.float32]


def inputs(messages: Floats, replies: Floats) -> Floats:
    """(n, 3 d) what the head reads: the reply, the message, and their product; from features (n, d) each."""
    return np.concatenate([replies, messages, replies * messages], axis=1).astype(np.float32)


class Unsafe:
    """weights: the card, or folder, with unsafe.safetensors; encoder: the name of the one whose features it is given.

    Raises WeightsError when the head was trained on another encoder's features.
    """

    def __init__(self, weights: str, encoder: str) -> None:
        self.head = heads.load(fetch(weights) / FILE)
        if self.head.about["encoder"] != encoder:
            raise WeightsError(
                f'{weights} was trained on the features of "{self.head.about["encoder"]}", not of "{encoder}": '
                'set unsafe = "" or run python -m models.training.unsafe'
            )

    def __call__(self, messages: Floats, replies: Floats) -> list[bool]:
        """For each reply whether it is unsafe as an answer to its message, from features (n, d) each."""
        scores = self.head.logits(inputs(messages, replies))[:, 0]
        return [bool(score > self.head.about["limit"]) for score in scores]
