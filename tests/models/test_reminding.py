"""Earlier talks told in the person's own words, and plans asked about once around their day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.reminding import due, due_plan, talked_about
from models.skills import Skills
from pipelines.turn import Fact, Memory, Moment, Turn, Utterance

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
"""A Wednesday."""


def memory(text: str, days: float, role: str = "person") -> Memory:
    return Memory(Moment(1, "person" if role == "person" else "companion", text, NOW - timedelta(days=days)), 1.0)


def told(text: str, *memories: Memory) -> str:
    return str(talked_about(Turn(text, at=NOW, memories=list(memories))))


def test_talks_are_told_in_the_persons_words_day_by_day() -> None:
    found = told("what did we talk about last week?", memory("it rained", 8), memory("the cello broke.", 9))
    assert "9 days ago" in found.lower()
    assert "“the cello broke”; 8 days ago: “it rained”" in found


def test_nothing_is_made_up_where_nothing_was_kept() -> None:
    for memories in ([], [memory("the companion's words", 8, "companion")]):
        found = told("what did we talk about last week?", *memories)
        assert "memory" in found or "kept" in found
    assert talked_about(Turn("the cello broke", at=NOW, memories=[memory("x", 1)])) is None


PLAN = Fact("plan", "chemistry exam on 2026-03-18", turn=1)


def ask(at: datetime, *said: Utterance, plan: Fact = PLAN) -> str | None:
    return due_plan(Turn("hi", at=at, profile=[Fact("name", "Lena"), plan], history=list(said)))


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (-24, "Chemistry exam tomorrow"),
        (-4, "hemistry exam"),
        (7, "hemistry exam today"),
        (30, "hemistry exam yesterday"),
        (54, "hemistry exam on Wednesday"),
    ],
)
def test_a_plan_is_asked_about_around_its_day(hours: float, words: str) -> None:
    found = ask(NOW + timedelta(hours=hours))
    assert found is not None
    assert words in found
    assert ("how did it go?" in found) == (hours > 0)


@pytest.mark.parametrize("hours", [-60, 90])
def test_it_is_not_asked_about_on_other_days(hours: float) -> None:
    assert ask(NOW + timedelta(hours=hours)) is None


def test_a_time_of_day_says_when_it_is_over() -> None:
    plan = Fact("plan", "exam on 2026-03-18T14:00", turn=1)
    assert "how did it go" not in str(ask(NOW, plan=plan))
    assert "how did it go" in str(ask(NOW + timedelta(hours=3), plan=plan))


def test_it_is_asked_about_once_and_not_when_it_was_spoken_of() -> None:
    evening = NOW + timedelta(hours=7)
    asked = Utterance("companion", str(ask(evening)), evening)
    assert ask(evening + timedelta(hours=14), asked) is None
    assert ask(evening, Utterance("person", "the exam was awful", NOW)) is None
    assert ask(evening, Utterance("person", "my exam is on wednesday", NOW - timedelta(days=3))) is not None


def test_somebody_elses_plan_and_a_talk_that_goes_on_are_left_alone() -> None:
    assert ask(NOW, plan=Fact("plan", "exam on 2026-03-18", about="sister")) is None
    assert ask(NOW, Utterance("person", "hey", NOW - timedelta(minutes=5))) is None
    assert list(due(Turn("hi", at=NOW, profile=[Fact("plan", "travel soon"), Fact("like", "x on 2026-03-18")]))) == []


def test_the_skills_ask_after_a_hello_alone() -> None:
    for text, asks in (("hey", True), ("hey, my cat died", False)):
        [candidates] = Skills()([Turn(text, at=NOW, profile=[Fact("name", "Lena"), PLAN])])
        assert any("exam" in c.text for c in candidates) is asks
    [[candidate]] = Skills()([Turn("what did we talk about yesterday?", at=NOW, memories=[memory("it rained", 1)])])
    assert "it rained" in candidate.text
