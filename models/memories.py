"""memories.recall: which moments of the past to bring up for this turn.

Two rankings of all that was ever said with the person, BM25 over words and cosine over sentence vectors (when there is
an embedding), are joined by reciprocal rank (Cormack et al. 2009), with a gentle preference for what is recent. What
is still in sight (the history) or too weak to be about the same thing is left out, so that small talk recalls nothing.
It does not understand what was said: a moment that shares words may still be beside the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.turn import Memory, Moment, Past, Turn

RANK = 60.0
"""The constant of reciprocal rank fusion, as in the paper."""


class Recall:
    """Moments for each turn, best first.

    k: how many at most; least_words: the BM25 below which shared words count for nothing; least_cosine: the same for
    vectors; words_weight: the share of words against vectors in the fusion; half_life: days in which the preference
    for the recent halves; recency: how strong it is; speaker: whose words are brought up.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        k: Annotated[int, Field(ge=1, le=50)] = 4,
        least_words: Annotated[float, Field(ge=0)] = 3.0,
        least_cosine: Annotated[float, Field(ge=-1, le=1)] = 0.45,
        words_weight: Annotated[float, Field(ge=0, le=1)] = 0.6,
        half_life: Annotated[float, Field(gt=0)] = 30.0,
        recency: Annotated[float, Field(ge=0, le=1)] = 0.1,
        speaker: Literal["person", "both"] = "person",
    ) -> None:
        self.k, self.least_words, self.least_cosine, self.words_weight = k, least_words, least_cosine, words_weight
        self.half_life, self.recency, self.speaker = half_life, recency, speaker

    def __call__(self, turns: Sequence[Turn]) -> list[list[Memory]]:
        return [self._recall(turn, turn.past) if turn.past is not None else [] for turn in turns]

    def _recall(self, turn: Turn, past: Past) -> list[Memory]:
        depth = 10 * self.k
        words = [hit for hit in past.words(turn.text, depth) if hit[1] >= self.least_words]
        near: list[tuple[int, float]] = []
        if turn.embedding is not None:
            near = past.nearest(turn.embedding.vector, depth, turn.embedding.encoder)
            near = [hit for hit in near if hit[1] >= self.least_cosine]
        in_sight = {(u.role, u.text) for u in turn.history} | {("person", turn.text)}
        found: list[Memory] = []
        said: set[str] = set()
        for id, score in fuse([(words, self.words_weight), (near, 1 - self.words_weight)]):
            moment = past.moment(id)
            same = moment.text.casefold().strip()
            if (moment.role, moment.text) in in_sight or same in said or moment.at >= turn.at:
                continue
            if self.speaker == "person" and moment.role != "person":
                continue
            said.add(same)
            found.append(Memory(moment, score * self._recent(turn, moment)))
        return sorted(found, key=lambda m: -m.score)[: self.k]

    def _recent(self, turn: Turn, moment: Moment) -> float:
        days = max(0.0, (turn.at - moment.at).total_seconds() / 86400)
        return 1 - self.recency + self.recency * float(0.5 ** (days / self.half_life))


def fuse(rankings: Sequence[tuple[Sequence[tuple[int, float]], float]]) -> list[tuple[int, float]]:
    """Rankings with their weights, joined by reciprocal rank: (id, score), best first."""
    scores: dict[int, float] = {}
    for ranking, weight in rankings:
        for rank, (id, _) in enumerate(ranking):
            scores[id] = scores.get(id, 0.0) + weight / (RANK + rank + 1)
    return sorted(scores.items(), key=lambda item: -item[1])
