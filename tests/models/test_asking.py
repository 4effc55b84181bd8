"""Questions about the person in words that no pattern has, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.asking import asked_in
from models.chatspeak import clauses
from models.skills import Skills
from pipelines.turn import Fact, Turn


def about(text: str) -> str:
    found = asked_in([clause.removesuffix(" ?") for clause in clauses(text)])
    return found.about if found else ""


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("what street do i live on", "home"),
        ("which country do i come from", "home_town"),
        ("my city, do you know it", "home"),
        ("is my dog a boy or a girl", "dog"),
        ("how many dogs do i own", "dog"),
        ("tell me about my dog", "dog"),
        ("is my dad still working", "dad"),
        ("does my sister have kids", "sister"),
        ("have i told you my name yet", "name"),
        ("who do u think i am", "name"),
        ("whats the name i gave you", "name"),
        ("am i an only child?", "other"),
        ("what animals live with me", "animal"),
    ],
)
def test_whose_fact_is_asked_for(text: str, whose: str) -> None:
    assert about(text) == whose


@pytest.mark.parametrize(
    "text",
    [
        "what should i get my mum",
        "why does my mom hate me",
        "does my crush like me",
        "what do i do about my sister",
        "when my dog died i cried",
        "guess what my brother did",
        "you know my brother, hes an idiot",
        "remember when we talked",
        "what a day my sister had",
        "am i a bad person",
        "do i look fat",
        "did i do something wrong",
        "my name is lena",
        "my husband asked what is for tea",
        "tell me my sister will be okay",
        "whats wrong with my dog",
        "i live in rome",
    ],
)
def test_advice_feelings_and_stories_are_left_alone(text: str) -> None:
    assert about(text) == ""


def test_all_that_is_known_is_the_answer_and_else_an_honest_no() -> None:
    facts = (Fact("name", "Anna", "sister"), Fact("home", "Rome", "sister"))
    [[known]] = Skills()([Turn("does my sister have kids", profile=facts)])
    assert "Anna" in known.text
    assert "Rome" in known.text
    [[unknown]] = Skills()([Turn("is my dad still working", profile=facts)])
    assert "Anna" not in unknown.text
    assert "dad" in unknown.text


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    asked_in(clauses(text))
