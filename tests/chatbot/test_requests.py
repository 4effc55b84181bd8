"""What is asked of memory in plain words: what is taken as a request, what is done, and what is left on the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot import requests
from chatbot.memory import Memory
from chatbot.request_patterns import read, unwritten
from pipelines.turn import Fact

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory.open(tmp_path, "lena")


def say(memory: Memory, text: str, *facts: Fact, reply: str = "ok", minutes: float = 0) -> None:
    at = AT + timedelta(minutes=minutes)
    id = memory.hear(text, at)
    memory.learn(id, facts)
    memory.answer(reply, at, to=id)


def ask(memory: Memory, text: str, minutes: float = 60) -> str | None:
    reply = requests.answer(text, memory, AT + timedelta(minutes=minutes))
    return reply.text if reply else None


def known(memory: Memory) -> list[str]:
    return [f"{f.slot}={f.value}" for f in memory.facts()]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("forget that", "last"),
        ("Please forget what I just said!", "last"),
        ("don't remember this", "last"),
        ("forget the last five minutes", "since"),
        ("delete everything from the last hour", "since"),
        ("erase me", "erase"),
        ("forget everything you know about me", "erase"),
        ("forget Tom", "text"),
        ("forget everything about berlin", "text"),
        ("forget where I live", "slot"),
        ("That's not true.", "wrong"),
        ("why do you think that?", "why"),
        ("how do you know my name", "why"),
        ("where did I live before?", "before"),
        ("what was my old job?", "before"),
        ("stop remembering", "pause"),
        ("off the record please", "pause"),
        ("you can remember again", "resume"),
    ],
)
def test_a_request(text: str, kind: str) -> None:
    request = read(text)
    assert request is not None
    assert request.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "forget it",
        "forget about it",
        "forget that exam, you did your best",
        "i forget that all the time",
        "don't forget that",
        "forget me not",
        "forget you",
        "forget him",
        "where did i live",
        "what was my name",
        "why",
        "that is not true love",
        "pause",
        "erase the board",
        "i wish i could forget everything",
        "tell me to forget everything and it will be fine, will it",
    ],
)
def test_a_figure_of_speech_is_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("don't remember this: i stole a pen", "i stole a pen"),
        ("Please do not save that, but: i lied", "i lied"),
        ("off the record, my boss is awful", "my boss is awful"),
        ("dont remember this", None),
        ("off the record", None),
        ("i dont remember this: was it on friday", None),
        ("don't remember this day: it was bad", None),
    ],
)
def test_what_is_not_to_be_written_down(text: str, rest: str | None) -> None:
    assert unwritten(text) == rest


def test_forget_that_takes_the_last_exchange(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    say(memory, "i love xyzzy", Fact("like", "xyzzy"), minutes=1)
    assert "Forgotten" in str(ask(memory, "forget that"))
    assert known(memory) == ["home=Paris"]
    ask(memory, "forget that")
    assert ask(memory, "forget that") == "There is nothing left to forget."


def test_forget_that_after_an_answer_means_the_fact(memory: Memory, tmp_path: Path) -> None:
    say(memory, "my cat is miso", Fact("name", "Miso", "cat"), Fact("pet", "cat"))
    say(memory, "work was long", reply="Ugh. And how is Miso?", minutes=1)
    ask(memory, "forget that")
    assert "name=Miso" in known(memory), "what was said in passing is not what is meant"
    say(memory, "whats my cats name", reply="Your cat? Miso.", minutes=2)
    assert ask(memory, "forget that") == "Forgotten: what I just told you, and the words it came from."
    assert "name=Miso" not in known(memory)
    assert not any(b"iso" in file.read_bytes() for file in tmp_path.glob("*.db*"))


def test_forgetting_somebody_leaves_no_trace_of_the_name(memory: Memory, tmp_path: Path) -> None:
    say(memory, "my bf is wilbur", Fact("partner", "Wilbur"), Fact("name", "Wilbur", "boyfriend"), reply="Wilbur, nice")
    reply = ask(memory, "forget wilbur")
    assert reply == "Forgotten: 2 messages and 2 facts. It is off the disk too."
    assert not any(b"ilbur" in file.read_bytes() for file in tmp_path.iterdir())


def test_forgetting_a_thing_needs_more_than_its_word(memory: Memory) -> None:
    say(memory, "work was hard")
    assert ask(memory, "forget work") is None
    assert ask(memory, "forget everything about work") == "Forgotten: 2 messages. It is off the disk too."
    assert ask(memory, "forget everything about work") == "There was nothing of that to forget."


def test_forgetting_a_slot_takes_its_past_too(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"), Fact("name", "Lena"))
    say(memory, "i moved to rome", Fact("home", "Rome"), minutes=1)
    assert "4 messages and 2 facts" in str(ask(memory, "forget where i live"))
    assert known(memory) == ["name=Lena"]
    assert memory.past_facts() == []


def test_forgetting_the_last_minutes(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    say(memory, "i like tea", Fact("like", "tea"), minutes=56)
    assert "2 messages and 1 fact" in str(ask(memory, "forget the last 5 minutes", minutes=60))
    assert known(memory) == ["home=Paris"]


def test_erasing_asks_once(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    assert ask(memory, "yes") is None
    assert "gone for good?" in str(ask(memory, "erase me"))
    assert known(memory) == ["home=Paris"]
    assert "erased" in str(ask(memory, "yes please"))
    assert known(memory) == []
    assert ask(memory, "yes") is None


def test_a_late_or_another_answer_erases_nothing(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    ask(memory, "erase me")
    assert ask(memory, "yes", minutes=70) is None
    ask(memory, "erase me", minutes=80)
    ask(memory, "why do you think that", minutes=80)
    assert ask(memory, "yes", minutes=81) is None
    assert known(memory) == ["home=Paris"]


def test_that_is_not_true_forgets_the_fact_just_told(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"), Fact("like", "tea"))
    say(memory, "where do i live?", reply="You live in Paris.", minutes=1)
    assert "wrong" in str(ask(memory, "thats not true"))
    assert known(memory) == ["like=tea"]
    say(memory, "hm", reply="The sky is green.", minutes=2)
    assert ask(memory, "thats not true") is None


def test_why_quotes_the_words_and_the_day(memory: Memory) -> None:
    say(memory, "i live in paris btw", Fact("home", "Paris"), minutes=-600)
    say(memory, "and?", reply="You live in Paris.", minutes=1)
    assert ask(memory, "why do you think that?") == "Because you told me today: “i live in paris btw”"
    assert ask(memory, "how do you know where i live", minutes=60 * 24) == (
        "Because you told me yesterday: “i live in paris btw”"
    )
    assert "on 1 March" in str(ask(memory, "how do you know that", minutes=60 * 24 * 9))
    memory.prune(AT - timedelta(minutes=60), summaries_stay=False)
    assert "no longer have" in str(ask(memory, "how do you know that"))
    say(memory, "hm", reply="I like rain.", minutes=2)
    assert ask(memory, "why do you think that?") is None


def test_where_did_i_live_before(memory: Memory) -> None:
    for i, town in enumerate(("Oslo", "Paris", "Rome")):
        say(memory, f"i live in {town}", Fact("home", town), minutes=i)
    assert ask(memory, "where did i live before?") == "Before, you lived in Paris."
    assert ask(memory, "where did i live before paris?") == "Before, you lived in Oslo."
    assert ask(memory, "where did i live before oslo?") is None
    assert ask(memory, "what was my old job?") is None


def test_what_ended_last_is_what_was_before(memory: Memory) -> None:
    say(memory, "i live in leeds", Fact("home", "Leeds"))
    say(memory, "i used to live in paris", Fact("home", "Paris", change="end"), minutes=1)
    say(memory, "i moved to bern", Fact("home", "Bern"), minutes=2)
    assert ask(memory, "where did i live before?") == "Before, you lived in Leeds."


def test_pausing_and_resuming(memory: Memory) -> None:
    assert ask(memory, "you can remember again") is None
    assert "Paused" in str(ask(memory, "off the record"))
    assert memory.paused
    assert "remember again" in str(ask(memory, "you can remember again"))
    assert not memory.paused


@given(st.text(max_size=150))
def test_any_text_is_a_request_or_none(text: str) -> None:
    request = read(text)
    assert request is None or request.kind
