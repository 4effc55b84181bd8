"""What is recalled for a turn, over a hand-made past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import recall_times
from models.memories import Recall, join
from pipelines.turn import Embedding, Fact, Moment, Turn, Utterance, Vector

NOW = datetime(2026, 3, 18, 19, 30, tzinfo=UTC)
"""A Wednesday."""

Hits = list[tuple[int, float]]


class Past:
    """A past with the answers of its searches written down."""

    def __init__(self, *moments: Moment, words: Hits | None = None, near: Hits | None = None) -> None:
        self.moments = {m.id: m for m in moments}
        self._words, self._near = words or [], near or []

    def words(self, query: str, k: int) -> Hits:
        return self._words[:k]

    def nearest(self, vector: Vector, k: int, encoder: str = "") -> Hits:
        assert encoder == "e"
        return self._near[:k]

    def between(self, start: datetime, end: datetime, k: int) -> list[int]:
        return [m.id for m in self.moments.values() if start <= m.at < end][:k]

    def last_talk(self, before: datetime, k: int) -> list[int]:
        newest = max((m.at for m in self.moments.values()), default=before)
        return [m.id for m in self.moments.values() if newest - m.at < timedelta(hours=3)][:k]

    def moment(self, id: int) -> Moment:
        return self.moments[id]


def said(id: int, text: str, days: float = 30, role: str = "person") -> Moment:
    return Moment(id, "person" if role == "person" else "companion", text, NOW - timedelta(days=days))


def recall(past: Past | None, text: str = "and the cello?", embedded: bool = False, **about: object) -> list[str]:
    turn = Turn(text, at=NOW, past=past, **about)  # type: ignore[arg-type]
    if embedded:
        turn.embedding = Embedding(np.ones(2, np.float32), np.ones(2, np.float32), "e")
    return [memory.moment.text for memory in Recall()([turn])[0]]


CELLO, DOG = said(1, "i play the cello"), said(2, "my dog swims")


def test_without_a_past_nothing_is_recalled() -> None:
    assert recall(None) == []
    assert recall(Past()) == []


def test_words_alone_do_without_an_embedding() -> None:
    assert recall(Past(CELLO, DOG, words=[(1, 6.0), (2, 4.0)])) == ["i play the cello", "my dog swims"]


def test_what_is_weak_is_left_out() -> None:
    assert recall(Past(CELLO, DOG, words=[(1, 2.0)], near=[(2, 0.3)]), embedded=True) == []


def test_vectors_find_what_words_do_not() -> None:
    assert recall(Past(CELLO, DOG, words=[(2, 3.0)], near=[(1, 0.9), (2, 0.1)]), embedded=True)[1] == CELLO.text


def test_vectors_lift_what_both_find() -> None:
    past = Past(CELLO, DOG, words=[(2, 5.0), (1, 4.9)], near=[(1, 0.9), (2, 0.1)])
    assert recall(past, embedded=True) == [CELLO.text, DOG.text]
    assert recall(past) == [DOG.text, CELLO.text]


def test_the_weighted_sum() -> None:
    assert join([(1, 6.0), (2, 3.0)], [], 0.4) == {1: 1.0, 2: 0.5}
    found = join([(1, 6.0)], [(1, 0.5), (2, 0.5), (3, 0.2)], 0.4, least_cosine=0.4)
    assert found == {1: pytest.approx(0.8), 2: pytest.approx(0.2)}


def test_what_is_in_sight_or_just_said_is_left_out() -> None:
    past = Past(CELLO, DOG, said(3, "And the Cello? "), words=[(1, 6.0), (2, 5.0), (3, 4.0)])
    assert recall(past, history=[Utterance("person", CELLO.text, NOW)]) == [DOG.text]


def test_what_the_companion_just_brought_up_is_left_out() -> None:
    past = Past(said(1, "i practiced cello with margit"), words=[(1, 6.0)])
    assert recall(past) == ["i practiced cello with margit"]
    reply = "You told me you practiced the cello with Margit."
    assert recall(past, history=[Utterance("companion", reply, NOW)]) == []


def test_the_companions_own_words_are_no_memory_by_default() -> None:
    past = Past(said(1, "the cello is lovely", role="companion"), words=[(1, 6.0)])
    assert recall(past) == []
    assert len(Recall(speaker="both")([Turn("cello", at=NOW, past=past)])[0]) == 1


def test_the_same_words_come_once_and_no_more_than_k() -> None:
    moments = [said(i, "cello!" if i < 5 else f"cello {i}") for i in range(1, 20)]
    past = Past(*moments, words=[(m.id, 6.0) for m in moments])
    found = Recall(k=3)([Turn("cello", at=NOW, past=past)])[0]
    assert len(found) == 3
    assert len({m.moment.text for m in found}) == 3


def test_of_two_equal_ones_the_newer_comes_first_but_recency_is_gentle() -> None:
    old, new = said(1, "old cello", days=300), said(2, "new cello", days=2)
    assert recall(Past(old, new, words=[(1, 5.0), (2, 5.0)])) == ["new cello", "old cello"]
    assert recall(Past(old, new, words=[(1, 6.0), (2, 5.0)])) == ["old cello", "new cello"]


def test_a_time_in_the_question_narrows_it() -> None:
    monday, older = said(1, "the cello broke", days=9), said(2, "bought the cello", days=40)
    past = Past(monday, older, words=[(2, 9.0), (1, 4.0)])
    assert recall(past, "what about the cello last week?") == ["the cello broke"]
    assert recall(past, "what did i say last week?") == ["the cello broke"]
    assert recall(past, "what about the cello two years ago?") == ["bought the cello", "the cello broke"]


def test_a_plan_comes_up_around_its_day_when_a_talk_begins() -> None:
    told = said(1, "i have an exam on wednesday", days=6)
    plan = Fact("plan", "exam on 2026-03-18", turn=1)
    past = Past(told)
    assert recall(past, "hi", profile=[plan]) == [told.text]
    assert recall(past, "hi", profile=[Fact("plan", "exam on 2026-03-25", turn=1)]) == []
    assert recall(past, "hi", profile=[Fact("plan", "exam on 2026-03-12", turn=1)]) == []
    assert recall(past, "hi", profile=[plan], history=[Utterance("person", "hey", NOW - timedelta(minutes=9))]) == []
    assert recall(past, "hi", profile=[plan], history=[Utterance("person", "hey", NOW - timedelta(hours=9))]) != []
    assert recall(Past(), "hi", profile=[plan]) == []


def test_who_asks_again_is_told_again() -> None:
    past = Past(said(1, "i practiced cello with margit"), words=[(1, 2.0)])
    reply = "You told me you practiced the cello with Margit."
    just_now = [Utterance("companion", reply, NOW)]
    assert recall(past, "what did i say about my cello?", history=just_now) == ["i practiced cello with margit"]
    assert recall(past, "cello it is", history=just_now) == []


def test_our_last_talk_is_told_when_it_is_asked_for() -> None:
    past = Past(said(1, "the cello broke", days=9), said(2, "bought a piano", days=2), words=[(1, 9.0)])
    assert recall(past, "what did we talk about last time?") == ["bought a piano"]
    assert recall(past, "what did we talk about last week?") == ["the cello broke"]
    assert recall(past, "what did we talk about in may?") == []


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("what did we talk about last time?", "before"),
        ("where did we leave off", "before"),
        ("so what was our last chat about?", "before"),
        ("What have we talked about so far?", "any"),
        ("do you remember what we talked about last week?", "any"),
        ("what did i tell you yesterday", "any"),
        ("what did i tell you?", None),
        ("what did i tell you about my violin last week?", None),
        ("we talked about that last time", None),
        ("what did you do last time", None),
    ],
)
def test_what_asks_for_our_talks_and_nothing_more(text: str, which: str | None) -> None:
    assert recall_times.our_talks(text) == which


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("what did i do yesterday?", "2026-03-17", "2026-03-17"),
        ("what did i say last week?", "2026-03-09", "2026-03-15"),
        ("what happened this week?", "2026-03-16", "2026-03-22"),
        ("where was i last weekend?", "2026-03-14", "2026-03-15"),
        ("how was i on monday?", "2026-03-16", "2026-03-16"),
        ("remember last wednesday", "2026-03-11", "2026-03-11"),
        ("what did i do in may?", "2025-05-01", "2025-05-31"),
        ("what did i plan in march?", "2026-03-01", "2026-03-31"),
        ("who was i last month?", "2026-02-01", "2026-02-28"),
        ("what did i tell you last year?", "2025-01-01", "2025-12-31"),
    ],
)
def test_days_that_a_question_names(text: str, first: str, last: str) -> None:
    window = recall_times.window(text, NOW)
    assert window is not None
    assert (window[0].date().isoformat(), (window[1] - timedelta(seconds=1)).date().isoformat()) == (first, last)


def test_two_months_ago_is_not_to_the_day() -> None:
    window = recall_times.window("what did i say two months ago?", NOW)
    assert window is not None
    assert window[0].month <= 1 <= window[1].month
    assert (window[1] - window[0]).days == 31


@pytest.mark.parametrize("text", ["i went to work today", "see you next week", "hi", "last week was hard"])
def test_what_asks_for_no_past_days(text: str) -> None:
    assert recall_times.window(text, NOW) is None


@given(st.text(max_size=200), st.datetimes(min_value=datetime(2000, 2, 29), max_value=datetime(2090, 1, 1)))
def test_any_text_at_any_time(text: str, at: datetime) -> None:
    for asked in (text, f"what {text} last month?", "what last year?", "what in february?", "what last weekend?"):
        recall_times.our_talks(asked)
        window = recall_times.window(asked, at)
        assert window is None or window[0] < window[1]
