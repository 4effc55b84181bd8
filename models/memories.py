"""memories.recall: which moments of the past to bring up for this turn.

Two searches over all that was ever said with the person, BM25 over words and cosine over sentence vectors (when there
is an embedding), are joined as a weighted sum, with a gentle preference for what is recent. Time words in the message
("last week", "in May") narrow it, and a plan comes up around its day. What was said in this talk, what the
companion just brought up, and what is too weak to be about the same thing is left out, so that small talk recalls
nothing. It does not understand what was said: a moment that shares words may still be beside the point.

The sum was measured against reciprocal rank fusion (Cormack et al. 2009) on LoCoMo: see chatbot/evaluate_memory.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models import recall_times
from models.reminding import due
from pipelines.turn import NEW_TALK, Memory, Moment, Past, Turn, Utterance

DEPTH, NEAR = 100, 1000
"""How many moments the searches by words and by vectors give before they are joined: what words found needs its
cosine too, so the vectors give more."""


class Recall:
    """Moments for each turn, best first.

    k: how many at most; least_words: the BM25 below which shared words count for nothing; least_cosine: the same for
    vectors; vectors: their weight in the sum, words have the rest; half_life: days in which the preference for the
    recent halves; recency: how strong it is; speaker: whose words are brought up.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        k: Annotated[int, Field(ge=1, le=50)] = 4,
        least_words: Annotated[float, Field(ge=0)] = 2.5,
        least_cosine: Annotated[float, Field(ge=-1, le=1)] = 0.45,
        vectors: Annotated[float, Field(ge=0, le=1)] = 0.4,
        half_life: Annotated[float, Field(gt=0)] = 30.0,
        recency: Annotated[float, Field(ge=0, le=1)] = 0.1,
        speaker: Literal["person", "both"] = "person",
    ) -> None:
        self.k, self.least_words, self.least_cosine, self.vectors = k, least_words, least_cosine, vectors
        self.half_life, self.recency, self.speaker = half_life, recency, speaker

    def __call__(self, turns: Sequence[Turn]) -> list[list[Memory]]:
        return [self._recall(turn, turn.past) if turn.past is not None else [] for turn in turns]

    def _recall(self, turn: Turn, past: Past) -> list[Memory]:
        # The floor keeps small talk from recalling anything; who asks for a word that was said often means that word.
        floor = 0.0 if recall_times.asks_back(turn.text) else self.least_words
        words = [hit for hit in past.words(turn.text, DEPTH) if hit[1] >= floor]
        near: list[tuple[int, float]] = []
        if turn.embedding is not None:
            near = past.nearest(turn.embedding.vector, NEAR, turn.embedding.encoder)
        scores = join(words, near, self.vectors, self.least_cosine)
        asked = recall_times.window(turn.text, turn.at)
        talks = recall_times.our_talks(turn.text)
        if talks:
            scores = _ranked(_of_our_talks(turn, past, asked, talks, self.k))
        elif asked:
            scores = _within(past, asked, scores, self.k) or scores
        return _distinct([*_due(turn, past), *self._best(turn, past, scores)])[: self.k]

    def _best(self, turn: Turn, past: Past, scores: Mapping[int, float]) -> list[Memory]:
        """The moments that fit, by score and recency, best first. Read from the past one by one, the most promising
        first, and no more of them than can still be among the best: recency never lifts a score."""
        found: list[Memory] = []
        again = recall_times.asks_back(turn.text)
        anything = again or bool(recall_times.our_talks(turn.text))  # who asks again is told again
        for id, score in sorted(scores.items(), key=lambda item: -item[1]):
            distinct = {memory.moment.text.casefold().strip() for memory in found if memory.score >= score}
            if len(distinct) >= self.k:
                break
            moment = past.moment(id)
            if self._fits(turn, moment, again, anything):
                found.append(Memory(moment, score * self._recent(turn, moment)))
        return sorted(found, key=lambda m: -m.score)

    def _fits(self, turn: Turn, moment: Moment, again: bool, anything: bool) -> bool:
        repeated = moment.text.casefold().strip() == turn.text.casefold().strip()
        if repeated or moment.at >= turn.at or (self.speaker == "person" and moment.role != "person"):
            return False
        if again and recall_times.asks(moment.text):
            return False  # a question answers none
        if anything:
            return True
        in_sight = any((u.role, u.text) == (moment.role, moment.text) for u in _this_talk(turn))
        return not in_sight and not _brought_up(turn, moment)

    def _recent(self, turn: Turn, moment: Moment) -> float:
        days = max(0.0, (turn.at - moment.at).total_seconds() / 86400)
        return 1 - self.recency + self.recency * float(0.5 ** (days / self.half_life))


def join(
    words: Sequence[tuple[int, float]], near: Sequence[tuple[int, float]], weight: float, least_cosine: float = -1.0
) -> dict[int, float]:
    """One score per moment: BM25 as a share of the best one, and cosine, weighted. Moments that only the vectors
    found must have the least cosine; without vectors the words have all the weight. near: best first."""
    cosines: Mapping[int, float] = dict(near)
    best = max((score for _, score in words), default=1.0)
    weight = weight if cosines else 0.0
    scores = {id: (1 - weight) * score / best + weight * max(0.0, cosines.get(id, 0.0)) for id, score in words}
    for id, cosine in near:
        if cosine < least_cosine:
            break
        if id not in scores:
            scores[id] = weight * cosine
    return scores


def _within(past: Past, window: tuple[datetime, datetime], scores: Mapping[int, float], k: int) -> dict[int, float]:
    """What was found and lies in that time, before what tells most of it."""
    told = _ranked(past.between(*window, k))
    found = {id: 1 + score for id, score in scores.items() if window[0] <= past.moment(id).at < window[1]}
    return told | found


def _of_our_talks(turn: Turn, past: Past, window: tuple[datetime, datetime] | None, which: str, k: int) -> list[int]:
    """What tells most of the time that was asked for; of this talk, and where it has nothing yet, of the last one."""
    if window:
        return past.between(*window, k)
    now = past.between(_this_talk(turn)[0].at, turn.at, k) if which == "any" and _this_talk(turn) else []
    return now or past.last_talk(turn.at, k)


def _ranked(ids: Sequence[int]) -> dict[int, float]:
    """Scores from 1 down to 0.5, in that order."""
    return {id: 1 - 0.5 * i / len(ids) for i, id in enumerate(ids)}


def _distinct(found: Sequence[Memory]) -> list[Memory]:
    """The same words once."""
    texts: dict[str, Memory] = {}
    for memory in found:
        texts.setdefault(memory.moment.text.casefold().strip(), memory)
    return list(texts.values())


def _this_talk(turn: Turn) -> list[Utterance]:
    """The history since the last long pause: what was said before it may be brought up, though it is still there."""
    talk: list[Utterance] = []
    later = turn.at
    for utterance in reversed(turn.history):
        if later - utterance.at >= NEW_TALK:
            break
        talk.insert(0, utterance)
        later = utterance.at
    return talk


def _brought_up(turn: Turn, moment: Moment) -> bool:
    """Whether the companion said most of it in this talk."""
    said = set(re.findall(r"\w{4,}", moment.text.lower()))
    replies = " ".join(u.text.lower() for u in _this_talk(turn) if u.role == "companion")
    return len(said) >= 3 and len(said & set(re.findall(r"\w{4,}", replies))) >= 0.6 * len(said)


def _due(turn: Turn, past: Past) -> list[Memory]:
    """The words in which a plan was told whose day is tomorrow, today or just over, when a new talk begins."""
    found = []
    for plan in due(turn):
        try:
            found += [Memory(past.moment(plan.fact.turn), 1.0)] if plan.fact.turn is not None else []
        except KeyError:
            continue
    return found
