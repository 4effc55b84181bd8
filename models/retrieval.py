"""Written replies of other talks: those that stand behind the messages most like this one, by their sentence vectors.

The classic retrieval-based chatbot (Ji, Lu and Li 2014, "An Information Retrieval Approach to Short Text
Conversation"), as one source of candidates beside the generative model. The store holds exchanges of this project's own
talks (models/training/retrieval.py). A reply is offered only where the words that it took up from its own talk stand in
this one too, so that nobody is asked about a stranger's cat. It knows nothing but the message and the words before
it; whether the reply really fits is for the ranker to judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.candidates import wants_generation
from models.chatspeak import load, plain
from models.embedding import MiniLM
from models.grounding import asks_about_person
from models.hub import fetch
from pipelines.errors import StageError, WeightsError
from pipelines.turn import Candidate, Turn

FILE = "replies.safetensors"

NEAREST = 400
"""Stored messages that are looked at more closely."""

BEFORE = 0.35
"""Weight of what the companion had said before, beside the message itself."""

SHORT = 3
"""Words up to which a message is no more than an answer to what was said before."""

REPLY = 0.6
"""Weight of how near the reply itself is to the message."""

TO_IT = "+you"
"""Stands among the words that a reply needs when it answered something that was said of the companion."""

Floats = NDArray[np.float32]


class Retrieval:
    """Candidates from a store of written exchanges, the nearest first; `near` in their scores says how near.

    weights: the card, or folder, with replies.safetensors: int8 (n, dim) vectors of the messages, of what was said
    before them and of the replies, the replies, and the words that each needs; encoder, tuned: as for embedding.minilm
    (it is in memory once); count: how many candidates; near: the least nearness, of which 0.5 is a message like this
    one (`Store.nearest`).
    Raises WeightsError when the store cannot be read or was made with another encoder.
    """

    needs: ClassVar[tuple[str, ...]] = ("embedding", "safety")
    weights: ClassVar[tuple[str, ...]] = ("weights", "encoder", "tuned")

    def __init__(
        self,
        weights: str = "replies",
        encoder: str = "minilm",
        tuned: str = "minilm-chat",
        count: Annotated[int, Field(ge=1, le=32)] = 6,
        near: Annotated[float, Field(ge=0, le=2)] = 0.6,
    ) -> None:
        self.encoder = MiniLM(encoder, tuned)
        self.store = Store(fetch(weights) / FILE)
        self.count, self.near = count, near
        if self.store.encoder != self.encoder.name:
            raise WeightsError(
                f'{weights} was made with the encoder "{self.store.encoder}", not with "{self.encoder.name}": '
                "run python -m models.training.retrieval, or take the stage out"
            )

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        last = [_last(turn) for turn in turns]
        before = iter(self.encoder.features([text for text in last if text])[:, -self.encoder.width :])
        return [self._offered(turn, next(before) if text else None) for turn, text in zip(turns, last, strict=True)]

    def _offered(self, turn: Turn, before: Floats | None) -> list[Candidate]:
        # After a stop, nothing new is put beside what was being said; and what is asked of this person, no other talk
        # can tell.
        if turn.embedding is None or turn.stop.is_set() or not wants_generation(turn) or asks_about_person(turn):
            return []
        if turn.embedding.encoder != self.encoder.name:
            raise StageError(f'the vectors are of "{turn.embedding.encoder}", the store\'s of "{self.encoder.name}"')
        said = known(turn)
        found: dict[str, Candidate] = {}
        for row, near in self.store.nearest(turn.embedding.vector, before, len(plain(turn.text).split())):
            reply, needs = self.store.replies[row]
            if near < self.near or len(found) == self.count:
                break
            if reply not in found and needs <= said and (TO_IT in needs) == (TO_IT in said):
                found[reply] = Candidate(reply, "retrieval", scores={"near": round(near, 3)})
        return list(found.values())


class Store:
    """The exchanges of a file. Raises WeightsError when it cannot be read."""

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                self.encoder: str = json.loads((file.metadata() or {})["replies"])["encoder"]
                self.messages: Floats = file.get_tensor("messages").astype(np.float32) / 127
                self.before: NDArray[np.int8] = file.get_tensor("before")
                self.vectors: NDArray[np.int8] = file.get_tensor("vectors")
                lines = file.get_tensor("replies").tobytes().decode().split("\n")
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise WeightsError(f"{path}: this is no store of replies: {error}") from error
        self.replies = [(text, frozenset(needs.split())) for text, _, needs in (line.partition("\t") for line in lines)]

    def nearest(self, message: Floats, before: Floats | None, words: int) -> list[tuple[int, float]]:
        """Rows and how near they are, nearest first: the cosine of the messages, REPLY of that of reply and message,
        and for what was said before up to BEFORE more or less. An answer of a word or two means what it was an answer
        to."""
        cosine = self.messages @ message
        rows = np.argpartition(-cosine, min(NEAREST, len(cosine) - 1))[:NEAREST]
        stored = self.before[rows].astype(np.float32) / 127
        answers = stored.any(axis=1)
        score = cosine[rows] + REPLY * (self.vectors[rows].astype(np.float32) / 127 @ message)
        if before is not None:
            weight = 2 * BEFORE if words <= SHORT else BEFORE
            score = score + np.where(answers, weight * (stored @ before - 0.4), -BEFORE / 2 if words <= SHORT else 0.0)
        else:
            score = score - np.where(answers, BEFORE / 2, 0.0)
        order = np.argsort(-score)
        return [(int(rows[i]), float(score[i])) for i in order]


def known(turn: Turn) -> frozenset[str]:
    """What a reply may take up: the stems of the message and the last utterances, whether a he or she is meant, and
    TO_IT."""
    texts = [turn.text, *(said.text for said in list(turn.history)[-4:])]
    return stems(" ".join(texts)) | meant(" ".join(texts)) | to_it(turn.text)


def stems(text: str) -> frozenset[str]:
    """The words of a text without their usual endings."""
    return frozenset(_ENDING.sub("", word) if len(word) > 3 else word for word in re.findall(r"\w+", plain(text)))


_ENDING = re.compile(r"(?:'s|ing|ed|es|s|e|y|ies|ied)$")


def to_it(text: str) -> frozenset[str]:
    """TO_IT when the message speaks of the companion itself: what was said of others is no answer then."""
    return frozenset([TO_IT] if {"you", "your", "yours", "yourself"} & set(plain(text).split()) else [])


def meant(text: str) -> frozenset[str]:
    """ "he", "she": of whom the text speaks, by pronouns and by words such as brother and grandma."""
    words = set(plain(text).split())
    return frozenset(who for who, names in _people().items() if words & names)


@cache
def _people() -> dict[str, frozenset[str]]:
    return {who: frozenset(names) for who, names in load("retrieval").items()}


def _last(turn: Turn) -> str:
    return next((u.text for u in reversed(turn.history) if u.role == "companion"), "")
