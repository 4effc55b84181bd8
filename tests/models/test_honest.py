"""What the companion is, said unasked: at the first meeting and in long talks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.honest import AGAIN, AGAIN_MINOR, FIRST, disclosed
from models.outgoing import objections
from models.phrases import ranked
from models.reply import First
from pipelines.turn import SAYS_AI, Candidate, Fact, Reply, Risk, Turn

AT = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
PLAIN = "Rain again? Same here."


def said(hours: float | None, text: str = "its raining", **facts: str) -> str:
    untold = None if hours is None else timedelta(hours=hours)
    turn = Turn(text, at=AT, untold=untold, profile=[Fact(slot, value) for slot, value in facts.items()])
    return disclosed(turn, Reply(PLAIN, "fake")).text


def test_at_the_first_meeting():
    assert SAYS_AI.search(said(None))


@pytest.mark.parametrize(("hours", "told"), [(0, False), (2.9, False), (3, True), (7, True)])
def test_after_three_hours(hours, told):
    assert bool(SAYS_AI.search(said(hours))) is told


@pytest.mark.parametrize(("hours", "told"), [(0.5, False), (1, True), (2, True)])
def test_after_one_hour_for_somebody_under_18(hours, told):
    assert bool(SAYS_AI.search(said(hours, age="16"))) is told
    assert bool(SAYS_AI.search(said(hours, text="im 16 and its raining"))) is told


def test_not_into_a_crisis_reply_a_goodbye_or_twice():
    danger = Turn("i want to die", untold=None, safety=Risk("risk", "self_harm", "Call someone."))
    assert disclosed(danger, Reply("Call someone.", "safety")).text == "Call someone."
    assert said(None, "ok bye, good night") == PLAIN
    told = Reply("I'm an AI, so no rain for me.", "skills")
    assert disclosed(Turn("r u real", untold=None), told) == told


def test_a_turn_made_by_hand_is_left_alone():
    turn = Turn("hi", candidates=[Candidate("Hey you.", "fake")])
    assert First()([turn])[0].text == "Hey you."


def test_what_is_added_passes_the_check_and_counts_as_said():
    turn = Turn("its raining", profile=[Fact("age", "15")])
    for text in ranked(turn, [*FIRST, *AGAIN, *AGAIN_MINOR]):
        assert SAYS_AI.search(text)
        assert objections(text, turn) == []


def test_a_reply_said_with_a_reminder_is_not_said_again():
    from pipelines.turn import Utterance

    history = [Utterance("companion", f"Hey you. {AGAIN[0]}", AT)]
    turn = Turn("hi", history=history, candidates=[Candidate("Hey you.", "a"), Candidate("Hello!", "b")])
    assert First()([turn])[0].text == "Hello!"
