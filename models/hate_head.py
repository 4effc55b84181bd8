"""Whether a reply degrades people for their group, by a head on the sentence embedding beside the rules.

The rules (models/hate.py) know words and shapes; the head, trained on this project's own sentences
(models/training/hate_examples.py), also hears contempt in words that are on no list. It reads the text in plain words
with "those people" for whatever group is named, so that no group counts more than another, and is told what the rules
saw. It is asked only about texts that name a group, so ordinary replies cost nothing and are never held back by it. It
knows neither the talk nor irony.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import hate, heads
from models.embedding import MiniLM
from models.hub import fetch
from pipelines.errors import WeightsError

_ONE = re.compile(r"\b(?:a|an|every|any|another|one|this|that|each) (?:grp|grq|slr)\b")


def masked(reading: hate.Reading) -> str:
    """The text as the head's encoder reads it: no group is named in it."""
    plain = _ONE.sub("one of those people", reading.plain).replace("grp", "those people").replace("slr", "scum")
    return plain.replace("grq", "those people").replace(" . ", ". ").strip()


def inputs(readings: Sequence[hate.Reading], encoder: MiniLM) -> NDArray[np.float32]:
    """(n, features + signs): the encoder's features of the masked text, and what the rules saw."""
    signs = np.array([reading.signs for reading in readings], dtype=np.float32)
    return np.hstack([encoder.features([masked(reading) for reading in readings]), signs])


class Hate:
    """weights: the card, or folder, with hate.safetensors; encoder: whose features it reads.

    Raises WeightsError when the head was trained on another encoder's features.
    """

    def __init__(self, weights: str, encoder: MiniLM) -> None:
        self.encoder = encoder
        self.head = heads.load(fetch(weights) / "hate.safetensors")
        if self.head.about["encoder"] != encoder.name:
            raise WeightsError(
                f'{weights} was trained on the features of "{self.head.about["encoder"]}", not of "{encoder.name}": '
                'set hate = "" or run python -m models.training.safety'
            )

    def __call__(self, texts: Sequence[str]) -> list[bool]:
        """For each text whether the rules or the head object to it."""
        readings = [hate.read(text) for text in texts]
        found = [reading.hateful for reading in readings]
        asked = [i for i, reading in enumerate(readings) if not found[i] and reading.names_group]
        if asked:
            scores = self.head.logits(inputs([readings[i] for i in asked], self.encoder))[:, 0]
            for i, score in zip(asked, scores, strict=True):
                found[i] = bool(score > self.head.about["limit"])
        return found
