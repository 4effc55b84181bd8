"""The `safety` slot by rules and a head: what is said between the lines, where no phrase of the rules is.

The rules (models/safety.py) run first and in full; a small head on the sentence embedding reads the same message, and
the graver of the two decides. The head was trained on messages of this project's own (models/training/safety.py). It
knows this message alone, English best, and neither irony nor who is speaking; what it adds is a guess, and the
thresholds are set so that it seldom alarms over everyday talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from models import heads
from models.folding import fold
from models.hub import fetch
from models.safety import KINDS, Finding, judged, of_another
from pipelines.turn import Risk, Turn


class Encoder:
    """`safety.encoder`: the rules, and beside them a small head on the embedding's features; the graver decides.

    weights: the card, or folder, with safety.safetensors; history: as for `safety.rules`. The head reads this message
    alone. A turn without an embedding, because that stage failed on it, is judged by the rules; one with another
    encoder's features raises StageError, so that the companion does not talk with half its safety.
    """

    needs: ClassVar[tuple[str, ...]] = ("embedding",)
    weights: ClassVar[tuple[str, ...]] = ("weights",)

    def __init__(self, weights: str = "safety", history: Annotated[int, Field(ge=0, le=20)] = 6) -> None:
        self.head = heads.load(fetch(weights) / "safety.safetensors")
        self.history = history

    def __call__(self, turns: Sequence[Turn]) -> list[Risk]:
        embedded = [turn for turn in turns if turn.embedding is not None]
        found = iter(self.head.probabilities(embedded, "safety.encoder") if embedded else ())
        return [
            judged(turn, self.history, self._finding(turn, next(found)) if turn.embedding is not None else Finding())
            for turn in turns
        ]

    def _finding(self, turn: Turn, probabilities: heads.Floats) -> Finding:
        sure = dict(zip(self.head.labels, map(float, probabilities), strict=True))
        limits = self.head.about["limits"]
        kind = max(KINDS, key=lambda kind: sure[kind])
        if sure["alarm"] < limits["alarm"]:
            return Finding("low", kind) if sure["low"] >= limits["low"] else Finding()
        third = kind == "self_harm" and of_another("", fold(turn.text))
        return Finding("now" if sure["now"] >= limits["now"] else "risk", kind, "friend" if third else "")
