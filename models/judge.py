"""How well a reply fits a talk: one number from the sentence features of message, companion's last words and reply.

A small network on features that the ranker has anyway, so that judging costs no further pass. It was trained on replies
that really followed in a talk, and then on candidates of our own reply model that readers judged one by one
(models/training/ranker.py). It sees no facts and no words, only what the encoder made of them; what must never be said
is models/outgoing.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import StageError, WeightsError

FILE = "judge.safetensors"
Floats = NDArray[np.float32]


class Judge:
    """Scores replies to one message.

    folder: judge.safetensors with hidden.weight, hidden.bias, out.weight and out.bias; its header names the encoder
    whose features it reads, and the weights of the ranker's measures. Raises WeightsError when it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, framework="numpy") as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})["judge"])
                self.hidden, self.bias, self.out, self.shift = (
                    file.get_tensor(name).astype(np.float32)
                    for name in ("hidden.weight", "hidden.bias", "out.weight", "out.bias")
                )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise WeightsError(f"{folder / FILE}: this is no judge: {error}") from error

    def __call__(self, message: Floats, last: Floats, replies: Floats, encoder: str) -> Floats:
        """(n,) a number for each reply, the higher the better, from features (d,), (d,) and (n, d).

        last: of the companion's utterance before the message; zeros when there is none.
        Raises StageError when the features are another encoder's.
        """
        if encoder != self.about["encoder"]:
            raise StageError(
                f'the judge was trained on the features of "{self.about["encoder"]}", not on those of "{encoder}": set '
                f'stages.reply.judge = "", or train it anew (models/training/ranker.py)'
            )
        hidden = np.maximum(inputs(message, last, replies) @ self.hidden.T + self.bias, 0)
        found: Floats = (hidden @ self.out.T + self.shift)[:, 0]
        return found


def inputs(message: Floats, last: Floats, replies: Floats) -> Floats:
    """(n, 4 d) what the network reads: the reply, the message, and the reply times message and times last words."""
    rows = np.broadcast_to(message, replies.shape)
    return np.concatenate([replies, rows, replies * message, replies * last], axis=1).astype(np.float32)
