"""Questions on known facts in wordings that no pattern was made for (known_questions.jsonl, written before the rules).

The rows of the half "rules" were read while the rules were written. Those of the half "aside" were not: only the
number of them that is answered is known (CONTRIBUTING.md), so that they can go on measuring.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chatspeak import plain
from models.facts import Rules
from models.grounding import objections
from models.matching import asked_for, asks_own
from models.skills import Skills
from models.telling import spoken
from models.training.evaluate_reply import read_prompts, turn_of
from models.training.reply_checks import answered, check
from pipelines.turn import Fact, Turn
from tests.models.skilled import AT, LENA, TALKED

ROWS = [json.loads(line) for line in (Path(__file__).parent / "known_questions.jsonl").read_text().splitlines()]


def said(row: dict[str, Any]) -> str:
    turn = Turn(row["text"], at=AT, profile=tuple(Fact(*fact) for fact in row["facts"]), history=TALKED)
    turn.facts = Rules()([turn])[0]
    return " ".join(candidate.text for candidate in Skills()([turn])[0]).lower()


@pytest.mark.parametrize("row", [r for r in ROWS if r["answer"] and r["half"] == "rules"], ids=lambda r: r["text"])
def test_a_question_on_a_known_fact_is_answered_in_any_wording(row: dict[str, Any]) -> None:
    assert row["answer"].lower() in said(row)


@pytest.mark.parametrize("row", [r for r in ROWS if not r["answer"]], ids=lambda r: r["text"])
def test_nothing_is_answered_with_a_fact_of_somebody_else_or_something_else(row: dict[str, Any]) -> None:
    for _, value, _ in row["facts"]:
        assert not re.search(rf"\b{re.escape(spoken(value, AT).lower())}\b", said(row))


def test_of_what_was_put_aside_nearly_all_is_answered() -> None:
    aside = [row for row in ROWS if row["answer"] and row["half"] == "aside"]
    assert len(aside) == 30
    assert sum(row["answer"].lower() in said(row) for row in aside) >= 29


def test_of_the_wordings_of_others_some_are_answered_and_nothing_is_invented() -> None:
    prompts = [p for p in read_prompts() if p["id"].startswith("b-") and "known" in p]
    told = [(prompt, Skills()([turn_of(prompt)])[0]) for prompt in prompts]
    known = [answered(prompt, found[0].text) for prompt, found in told if prompt["known"] and found]
    assert sum(prompt["known"] for prompt in prompts) == 20
    assert sum(known) >= 5
    assert not any("invents" in check(prompt, found[0].text) for prompt, found in told if not prompt["known"] and found)


@pytest.mark.parametrize(
    "text",
    [
        "my name is anna",
        "now i have to tell my brother",
        "i dont know what to do",
        "forget my birthday",
        "can you forget where i live",
        "tell me where you come from",
        "i called him by my dogs name",
        "where i live it rains",
        "guess what we did in berlin",
        "i live in a city",
        "what should i name my dog",
        "what would you do in my job",
        "how do i get a job",
        "are you in love with me",
        "him saying my name over and over",
    ],
)
def test_what_asks_for_no_fact(text: str) -> None:
    assert asked_for(LENA, text, AT, question_mark=False) == []


def test_pets_are_told_by_name() -> None:
    known = (Fact("pet", "dog"), Fact("name", "Biscuit", "dog"))
    assert "Biscuit the dog" in Skills()([Turn("name my pets", at=AT, profile=known, history=TALKED)])[0][0].text


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("who is older, me or my sister", "name"),
        ("who is my sister married to", "name"),
        ("who named my dog", "name"),
        ("whats the name of my sisters kid", "name"),
        ("whats my home town", "home"),
        ("where was i born", "home"),
        ("what was my first job", "work"),
        ("who is my dog", "pet"),
        ("what did i call it", "name"),
        ("which name did i give it", "name"),
        ("how old is my dog", "age"),
    ],
)
def test_one_word_too_many_and_it_is_no_question_for_that_slot(text: str, slot: str) -> None:
    assert slot not in {fact.slot for fact in asked_for([f for f in LENA if f.slot == slot], text, AT, True)}


@pytest.mark.parametrize(
    "fact", [Fact("name", "Miso", "Anna's cat"), Fact("name", "Miso", "cat of Anna"), Fact("cat", "Miso", "Anna")]
)
def test_whose_pet_it_is_may_be_kept_in_several_forms(fact: Fact) -> None:
    assert asked_for([fact], "what is annas cat called", AT, False) == [fact]
    assert asked_for([fact], "what is my cat called", AT, False) == []


def test_a_name_that_is_not_known_is_not_mended_into_one_that_is() -> None:
    known = [Fact("name", "Mia", "sister"), Fact("home", "Oslo", "sister")]
    assert [fact.value for fact in asked_for(known, "where does mia live", AT, True)] == ["Oslo"]
    assert asked_for(known, "where does mira live", AT, True) == []
    assert asked_for(known, "where does max live", AT, True) == []


@given(st.text(max_size=80), st.booleans())
def test_any_text_and_any_value_can_be_read(text: str, mark: bool) -> None:
    known = [*LENA, Fact("plan", text), Fact(text, "x", text)]
    assert set(asked_for(known, text, AT, mark)) <= set(known)


@pytest.mark.parametrize(
    "text", ["what am i allergic to", "bet you forgot which instrument i play", "what food cant i stand"]
)
def test_what_is_not_known_is_honestly_unknown(text: str) -> None:
    assert asks_own(plain(text), AT, question_mark=False)
    turn = Turn(text, at=AT, profile=(Fact("name", "Lena"), Fact("like", "jazz")), history=TALKED)
    found = Skills()([turn])[0]
    assert found
    assert "jazz" not in found[0].text
    assert objections("You play the piano and are allergic to nuts.", turn)
