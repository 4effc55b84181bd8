"""What the person wants with a message: one intent of a fixed list, or "out_of_scope".

`Encoder` reads the sentence embedding with a head trained on CLINC150 and small talk: it knows its 228 intents and
says out_of_scope to the rest; it does not see earlier turns. Its probabilities are calibrated.
`Rules` knows the phrases of `data/intents.toml` and nothing else: no paraphrase, no context of earlier turns. Its
probabilities say how much of the message the phrase covers; they are set by hand and not calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from models import heads
from models.hub import fetch
from models.intent_rules import scores
from pipelines.turn import Intent, Turn

OUT_OF_SCOPE = "out_of_scope"


class Encoder:
    """Intent by a linear head on the embedding's features; labels in `data/intent_labels.toml` and CLINC150.

    weights: the card, or folder, with intent.safetensors; threshold: when the likeliest intent is less likely than
    this, the answer is "out_of_scope" (None: the operating point that was chosen on the validation set);
    runners_up: how many further intents to name. The probability of an out_of_scope answer is that of none of the
    intents being meant: 1 minus the likeliest one's.
    Raises WeightsError, and StageError when the embedding is another encoder's than the head was trained on.
    """

    needs: ClassVar[tuple[str, ...]] = ("embedding",)
    weights: ClassVar[tuple[str, ...]] = ("weights",)

    def __init__(
        self,
        weights: str = "intent",
        threshold: Annotated[float, Field(ge=0, le=1)] | None = None,
        runners_up: Annotated[int, Field(ge=0, le=20)] = 3,
    ) -> None:
        self.head = heads.load(fetch(weights) / "intent.safetensors")
        self.threshold = self.head.about["threshold"] if threshold is None else threshold
        self.runners_up = runners_up

    def __call__(self, turns: Sequence[Turn]) -> list[Intent]:
        return [self._intent(row) for row in self.head.probabilities(turns, "intent.encoder")]

    def _intent(self, probabilities: heads.Floats) -> Intent:
        labels = self.head.labels
        best = [int(i) for i in np.argsort(-probabilities) if labels[i] != OUT_OF_SCOPE][: self.runners_up + 1]
        named = [(labels[i], float(probabilities[i])) for i in best]
        label, probability = named[0]
        if probability >= self.threshold:
            return Intent(label, probability, tuple(named[1:]))
        return Intent(OUT_OF_SCOPE, 1 - probability, tuple(named[: self.runners_up]), in_scope=False)


class Rules:
    """Intent by phrases written for this project. No weights.

    threshold: below this probability the answer is "out_of_scope", with the likeliest as runners-up.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, threshold: Annotated[float, Field(ge=0, le=1)] = 0.4) -> None:
        self.threshold = threshold

    def __call__(self, turns: Sequence[Turn]) -> list[Intent]:
        return [self._intent(turn) for turn in turns]

    def _intent(self, turn: Turn) -> Intent:
        found = scores(turn.text, turn.companion_name.lower())
        ranked = sorted(found.items(), key=lambda s: -s[1])
        if ranked and ranked[0][1] >= self.threshold:
            label, probability = ranked[0]
            return Intent(label, probability, tuple(ranked[1:4]))
        rest = 1 - (ranked[0][1] if ranked else 0.3)
        return Intent(OUT_OF_SCOPE, round(rest, 3), tuple(ranked[:3]), in_scope=False)
