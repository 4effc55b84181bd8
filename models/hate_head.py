"""Whether a reply degrades people for their group, by a head on the sentence embedding beside the rules.

The rules (models/hate.py) know words and shapes; the head, linear and trained on this project's own templates
(models/training/hate_examples.py), also hears contempt in words that are on no list. It is asked only about texts that
name a group, so ordinary replies cost nothing and are never held back by it. It knows neither the talk nor irony.
"""

from __future__ import annotations

from collections.abc import Sequence

from models import hate, heads
from models.embedding import MiniLM
from models.hub import fetch
from pipelines.errors import WeightsError


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
        found = [hate.hateful(text) for text in texts]
        asked = [i for i, text in enumerate(texts) if not found[i] and hate.names_group(text)]
        if asked:
            scores = self.head.logits(self.encoder.features([texts[i] for i in asked]))[:, 0]
            for i, score in zip(asked, scores, strict=True):
                found[i] = bool(score > self.head.about["limit"])
        return found
