"""What of a person goes into a prompt: who they are always, the newest of the rest, and never more than fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.prompt import MAX_FACTS, PROFILE_BYTES, messages, profile, system
from pipelines.turn import Fact, Persona, Turn

LIKES = [Fact("like", f"thing {i}") for i in range(40)]


def test_who_they_are_stays_however_much_is_known() -> None:
    known = [Fact("name", "Lena"), Fact("home", "Leeds"), Fact("home", "Rome", about="sister"), *LIKES]
    lines = profile(known)
    assert lines[:2] == ['name "Lena"', 'lives in "Leeds"']
    assert len(lines) == MAX_FACTS
    assert lines[-1] == 'likes "thing 39"'
    assert not any("Rome" in line for line in lines)


def test_they_keep_the_order_in_which_they_were_told() -> None:
    assert profile([Fact("like", "tea"), Fact("name", "Lena")]) == ['likes "tea"', 'name "Lena"']
    assert profile([Fact("name", "Ada", about="companion")]) == []


@given(st.lists(st.builds(Fact, st.sampled_from(["name", "like", "plan", "note"]), st.text(max_size=500)), max_size=60))
def test_the_profile_is_bounded_whatever_was_told(facts: list[Fact]) -> None:
    lines = profile(facts)
    assert len(lines) <= MAX_FACTS
    assert len("; ".join(lines).encode()) <= PROFILE_BYTES
    assert "\n" not in "".join(lines)


def test_a_prompt_of_much_history_and_many_facts_is_no_longer_than_its_bounds() -> None:
    turn = Turn("hi " * 5000, profile=[Fact("note", "猫" * 400) for _ in range(500)])
    talk = messages(turn)
    assert sum(len(message["content"]) for message in talk) < 2000
    assert len(system(Persona(), turn.profile).encode()) < PROFILE_BYTES + 300
