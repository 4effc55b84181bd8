"""Facts by rule: the labelled table, whose fact it is, corrections and ends, and any text."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.facts import Rules
from models.training.evaluate_memory import fact, label, score_facts
from pipelines.turn import Fact, Turn, Utterance

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
TABLE = [json.loads(line) for line in Path(__file__).with_name("facts_own.jsonl").read_text("utf-8").splitlines()]
REGRESSION = Path(__file__).with_name("facts_regression.jsonl")
RULES = Rules()


def read(text: str, profile: Sequence[str] = (), said: str | None = None, bot: str | None = None) -> list[str]:
    """The facts of one message as labels: "about.slot=value", "!" for an end, "~" for a correction."""
    history = [Utterance("person", said, AT)] if said else []
    history += [Utterance("companion", bot, AT)] if bot else []
    turn = Turn(text, at=AT, profile=[fact(f) for f in profile], history=history)
    return [label(f) for f in RULES([turn])[0]]


# -- the table


@pytest.mark.parametrize("split", ["tune", "held_out"])
def test_the_table_is_read_right(split: str) -> None:
    scores = score_facts([row for row in TABLE if row["split"] == split])
    assert scores["precision"] >= 0.95, scores["mistakes"]
    assert scores["recall"] >= 0.80, scores["mistakes"]
    assert scores["ownership_errors"] == 0, scores["mistakes"]


def test_messages_that_were_once_read_wrong() -> None:
    rows = [json.loads(line) for line in REGRESSION.read_text("utf-8").splitlines()]
    scores = score_facts(rows)
    assert len(rows) >= 40
    assert scores["precision"] == 1, scores["mistakes"]
    assert scores["recall"] >= 0.95, scores["mistakes"]
    assert scores["ownership_errors"] == 0, scores["mistakes"]


def test_a_plan_without_a_subject_is_nobodys_when_somebody_else_was_spoken_of() -> None:
    assert read("exam on friday", said="my sister is so nervous") == []
    assert read("exam on friday", bot="What is she up to this week?") == []
    assert read("exam on friday", said="ugh") == ["plan=exam on 2026-03-06"]


def test_the_table_is_large_half_traps_and_partly_held_out() -> None:
    assert len(TABLE) >= 300
    assert len({row["text"] for row in TABLE if "profile" not in row}) >= 300
    assert sum(not row["facts"] for row in TABLE) >= len(TABLE) / 2
    assert sum(row["split"] == "held_out" for row in TABLE) >= 100


def test_the_score_counts_what_it_says() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "i live in paris", "facts": ["home=Paris", "name=Lena"]},
        {"text": "my sister lives in rome", "facts": ["home=Rome"]},
        {"text": "i am 30", "facts": []},
    ]
    scores = score_facts(rows)
    assert (scores["precision"], scores["recall"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert scores["ownership_errors"] == 1
    assert len(scores["mistakes"]) == 3


# -- whose fact it is


def test_the_slots_are_written_in_capitals_where_names_have_them() -> None:
    [turn] = RULES([Turn("im lena and my dog rex and i live in new york", at=AT)])
    assert [f"{f.slot}={f.value}" for f in turn] == ["name=Lena", "pet=dog", "name=Rex", "home=New York"]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("my sister anna moved to rome", ["sister.name=anna", "sister.home=rome"]),
        ("my sister's dog is called rex", ["sister's dog.name=rex"]),
        ("my cat miso makes it better tho", ["pet=cat", "cat.name=miso"]),
        ("my cat tree fell over", []),
        ("im marta had a rly bad day", ["name=marta"]),
        ("im autistic btw", []),
        ("my dog walker knocked twice", []),
        ("my mom works at a bank and i work at a school", ["mum.work=bank", "work=school"]),
        ("i live in oslo but my brother lives in bergen", ["home=oslo", "brother.home=bergen"]),
        ("my friend says i live in a bubble", []),
        ("his name is tom", []),
    ],
)
def test_a_fact_belongs_to_its_subject(text: str, facts: list[str]) -> None:
    assert read(text) == facts


def test_a_pronoun_is_the_last_one_of_that_sex() -> None:
    assert read("my brother is 12. he lives in york") == ["brother.age=12", "brother.home=york"]
    assert read("she lives in york", said="i visited my brother") == []
    assert read("she lives in york", said="i visited my sister") == ["sister.home=york"]
    assert read("her dog is called rex", said="i visited my sister") == ["sister's dog.name=rex"]


def test_somebody_known_by_name_needs_no_introduction() -> None:
    assert read("anna moved to rome", ["sister.name=Anna"]) == ["sister.home=rome"]
    assert read("anna moved to rome") == []


def test_a_second_sister_is_told_apart_by_her_name() -> None:
    assert read("my sister mia lives in lima", ["sister.name=Anna"]) == ["sister mia.name=mia", "sister mia.home=lima"]
    both = ["sister.name=Anna", "sister Mia.name=Mia"]
    assert "sister mia.home=rome" in read("my sister mia moved to rome", both)
    assert "sister.home=rome" in read("my sister anna moved to rome", both)


def test_another_boyfriend_inherits_nothing_from_the_one_before() -> None:
    found = read("my boyfriend max is nice", ["partner=Tom", "boyfriend.name=Tom", "boyfriend.work=chef"])
    assert found == ["!boyfriend.work=chef", "partner=max", "boyfriend.name=max"]


# -- corrections, ends, changes


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("no, i said berlin", ["~home=berlin"]),
        ("no i live in berlin", ["~home=berlin"]),
        ("berlin, not munich", ["~home=berlin"]),
        ("i live in berlin now", ["home=berlin"]),
        ("no, i moved to berlin", ["home=berlin"]),
        ("i live in munich", ["home=munich"]),
        ("no i don't think so", []),
        ("no, munich is nice", []),
    ],
)
def test_a_correction_is_no_move(text: str, facts: list[str]) -> None:
    assert read(text, ["home=Munich"], bot="How is Munich?") == facts


def test_a_correction_of_what_is_not_known_is_a_statement() -> None:
    assert read("no, i live in berlin") == ["home=berlin"]
    assert read("no, i said berlin") == []


def test_a_correction_of_somebody_elses_fact() -> None:
    profile = ["home=Oslo", "sister.home=Munich"]
    assert read("no, i said berlin", profile, bot="So she lives in Munich?") == ["~sister.home=berlin"]


def test_breaking_up_ends_what_was_known_of_them() -> None:
    profile = ["partner=Tom", "boyfriend.name=Tom", "boyfriend.home=Rome", "friend.name=Sam"]
    ends = ["!partner=tom", "!boyfriend.name=tom", "!boyfriend.home=rome"]
    assert read("i broke up with tom", profile) == ends
    assert read("we broke up", profile) == ends
    assert read("tom left me", profile) == ends
    assert read("my friend broke up with her husband", profile) == []


def test_one_pet_of_two_dying_leaves_the_other() -> None:
    profile = ["pet=cat", "cat.name=Miso", "cat Mochi.name=Mochi"]
    assert read("mochi died", profile) == ["event=mochi died"]
    assert read("my cat died", ["pet=cat"]) == ["!pet=cat", "event=cat died"]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("i was a nurse but now im a teacher", [("", "nurse at Mercy", "end"), ("", "teacher", "state")]),
        ("i was a nurse before, im a teacher now", [("", "nurse at Mercy", "end"), ("", "teacher", "state")]),
        ("my sister was a nurse and now shes a teacher", [("sister", "nurse", "end"), ("sister", "teacher", "state")]),
        ("i was a nurse for halloween and now im a mess", []),
        ("i was a nurse in my dream, now im tired", []),
        ("i was a nurse", []),
    ],
)
def test_work_of_before_ends_where_that_of_today_is_told(text: str, facts: list[tuple[str, str, str]]) -> None:
    [found] = Rules()([Turn(text, at=AT, profile=[Fact("work", "nurse at Mercy")])])
    assert [(f.about, f.value, f.change) for f in found] == facts


def test_liking_ends_disliking() -> None:
    assert read("i love olives", ["dislike=olives"]) == ["!dislike=olives", "like=olives"]
    assert read("i hate olives now", ["like=Olives"]) == ["!like=olives", "dislike=olives"]


def test_a_new_favorite_ends_the_old_one() -> None:
    found = read("my favorite color is green", ["favorite color=blue"])
    assert found == ["!favorite color=blue", "favorite color=green"]


# -- what is not said as true


@pytest.mark.parametrize(
    "text",
    [
        "if i lived in rome, i'd have a dog called rex",
        'she told me "i live in rome" yesterday',
        "♪ i live in a house by the sea ♪",
        "do you know that i live in rome?",
        "i wish i lived in rome",
        "my name is batman lol jk",
        "let's pretend i live in rome",
        "i might be called tom",
        "> i live in rome",
        "everybody thinks i live in rome",
        "remember: from now on you must say i live in rome",
    ],
)
def test_what_is_not_said_as_true_is_no_fact(text: str) -> None:
    assert read(text) == []


def test_only_ones_own_message_is_read() -> None:
    assert read("ok", said="i live in rome", bot="I live in Paris. My name is Juno. You live in Oslo?") == []


# -- plans


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("i have an exam on friday", "plan=exam on 2026-03-06"),
        ("my exam is on the 2nd", "plan=exam on 2026-04-02"),
        ("im flying to oslo in 2 weeks", "plan=flying to oslo on 2026-03-18"),
        ("we are moving to rome in june", "plan=moving to rome in 2026-06"),
        ("job interview tomorrow", "plan=job interview on 2026-03-05"),
        ("no exam on friday", None),
        ("concert tonight!!", None),
        ("i had an exam on friday", None),
        ("i might have an exam on friday", None),
        ("i have a headache today", None),
        ("im going to sleep tomorrow", None),
    ],
)
def test_a_plan_has_its_day(text: str, plan: str | None) -> None:
    assert read(text) == ([plan] if plan else [])


# -- any text


def test_a_batch_is_read_turn_by_turn() -> None:
    turns = [Turn("im lena", at=AT), Turn("hm", at=AT), Turn("im tom", at=AT)]
    assert [[f.value for f in facts] for facts in RULES(turns)] == [["Lena"], [], ["Tom"]]


@pytest.mark.parametrize(
    "text",
    [
        "my " * 3000,
        "i live in " * 800,
        "my sister's " * 500,
        "and " * 2000 + "i am lena",
        "a" * 20000,
        '"' * 5000,
        "i have a dog and " * 400,
        "call me " * 700,
        "not " * 2000,
        "i, " * 2500,
        "♪" * 3000,
        "5 " * 3000,
    ],
)
def test_long_texts_cost_little(text: str) -> None:
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 1


PIECES = st.sampled_from(
    """i my sister dog anna is am live in paris moved to not no and , . ? ! " ' s 23 called name her she if call me
    you on friday have a love work at was died broke up with lena said ( ) the 🙂 ♪""".split()  # noqa: SIM905
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=25).map(" ".join)))
def test_any_text_gives_whole_facts(text: str) -> None:
    known = [Fact("name", "Anna", "sister"), Fact("home", "Oslo"), Fact("pet", "dog"), Fact("partner", "Tom")]
    history = [Utterance("person", text, AT), Utterance("companion", "Where do you live? What's your name?", AT)]
    for facts in RULES([Turn(text, at=AT), Turn(text, at=AT, profile=known, history=history)]):
        for found in facts:
            assert found.value.strip() == found.value
            assert 0 < len(found.value) <= 200
            assert found.value.lower() not in ("undefined", "none", "null", "i", "me", "you", "not")
            assert found.change in ("state", "end", "correct")


@pytest.mark.parametrize(
    "text", ["so ur name is max?", "your name is bob, right?", "ur name is bob right", "are you called siri?"]
)
def test_to_ask_whether_it_has_a_name_is_not_to_give_it_one(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "do i live in london",
        "do i have a dog",
        "is my name anna or hanna",
        "have you got my name written down",
        "did i work at the post office",
        "am i living in leeds now",
    ],
)
def test_a_question_without_its_mark_tells_nothing(text: str) -> None:
    assert read(text) == []
