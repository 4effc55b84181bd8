"""The companion around a pipeline of hand-made stages: what is remembered, in which order, and what a crash leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from chatbot.companion import LOST, OPEN_MEMORIES, Companion, Message
from chatbot.memory import Memory
from chatbot.settings import MemorySettings
from pipelines.errors import DiskFull
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Fact, Reply, Risk, Turn

AT = datetime(2026, 3, 1, 19, 0, tzinfo=timezone(timedelta(hours=1)))


class Safety:
    needs = ()

    def __call__(self, turns: Sequence[Turn]) -> list[Risk]:
        return [Risk("now", "self_harm", "here is help") if "danger" in t.text else Risk() for t in turns]


class NameFacts:
    """`i am X` is a name; nothing else is a fact."""

    needs = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Fact]]:
        return [[Fact("name", t.text[5:].title())] if t.text.startswith("i am ") else [] for t in turns]


class NameReply:
    needs = ()

    def __call__(self, turns: Sequence[Turn]) -> list[Reply | None]:
        for turn in turns:
            if "crash" in turn.text:
                raise KeyboardInterrupt
        return [None if "silent" in t.text else Reply(f"you are {t.fact('name')}", "fake") for t in turns]


def make(folder: Path, *extra: Any) -> Companion:
    steps = [Step("safety", "fake", Safety()), Step("facts", "fake", NameFacts()), Step("reply", "fake", NameReply())]
    return Companion(Pipeline(steps), settings=MemorySettings(folder=str(folder)), clock=lambda: AT)


def reply(companion: Companion, person: str, text: str) -> str:
    [turn] = companion.answer([(person, text)])
    assert turn.reply is not None
    return turn.reply.text


def test_the_reply_to_the_introduction_knows_the_name(tmp_path: Path) -> None:
    assert reply(make(tmp_path), "a", "i am lena") == "you are Lena"


def test_it_is_remembered_by_a_new_process_and_by_nobody_else(tmp_path: Path) -> None:
    first = make(tmp_path)
    reply(first, "a", "i am lena")
    first.close()
    second = make(tmp_path)
    assert reply(second, "a", "who am i") == "you are Lena"
    assert reply(second, "b", "who am i") == "you are None"
    assert [u.text for u in second.memory("b").recent(9)] == ["who am i", "you are None"]


def test_a_batch_answers_several_people_each_from_their_own_memory(tmp_path: Path) -> None:
    companion = make(tmp_path)
    companion.answer([("a", "i am lena"), ("b", "i am tom")])
    turns = companion.answer([("b", "who"), ("a", "who"), ("c", "who")])
    assert [t.reply.text for t in turns if t.reply] == ["you are Tom", "you are Lena", "you are None"]


def test_a_crash_between_hearing_and_answering_loses_nothing(tmp_path: Path) -> None:
    companion = make(tmp_path)

    class Crash:
        needs = ()

        def __call__(self, turns: Sequence[Turn]) -> list[Any]:
            raise KeyboardInterrupt

    companion.pipeline.steps.insert(0, Step("intent", "crash", Crash()))
    with pytest.raises(KeyboardInterrupt):
        companion.answer([("a", "i am lena")])
    after = make(tmp_path)
    assert reply(after, "a", "who am i") == "you are Lena"
    assert [u.text for u in after.memory("a").recent(9)] == ["i am lena", "who am i", "you are Lena"]


def test_what_is_said_in_danger_is_met_and_not_collected(tmp_path: Path) -> None:
    companion = make(tmp_path)
    steps = companion.pipeline.steps
    steps[1] = Step("facts", "fake", type("All", (), {"needs": (), "__call__": lambda s, ts: [[Fact("name", "X")]]})())
    companion.answer([("a", "i am in danger")])
    assert companion.memory("a").facts() == []


def test_without_a_safety_stage_facts_are_learned_words_recalled_and_orders_followed(tmp_path: Path) -> None:
    companion = make(tmp_path)
    del companion.pipeline.steps[0]
    reply(companion, "a", "i am lena")
    assert reply(companion, "a", "who am i") == "you are Lena"
    assert companion.memory("a").words("lena", 5)
    companion.answer([("a", "forget my name")])
    assert companion.memory("a").facts() == []


def test_where_safety_failed_nothing_is_learned_and_no_order_followed(tmp_path: Path) -> None:
    class Fails:
        needs = ()

        def __call__(self, turns: Sequence[Turn]) -> list[Any]:
            raise ValueError

    companion = make(tmp_path)
    reply(companion, "a", "i am lena")
    companion.pipeline.steps[0] = Step("safety", "fails", Fails())
    companion.answer([("a", "i am tom")])
    companion.answer([("a", "forget my name")])
    assert [f.value for f in companion.memory("a").facts()] == ["Lena"]
    assert companion.memory("a").words("tom", 5) == []


def test_do_not_remember_this_is_answered_and_written_nowhere(tmp_path: Path) -> None:
    companion = make(tmp_path)
    reply(companion, "a", "i am lena")
    assert reply(companion, "a", "don't remember this: i am xyzzy") == "(Not written down.) you are Xyzzy"
    assert reply(companion, "a", "who am i") == "you are Lena"
    assert [u.text for u in companion.memory("a").recent(3)] == [
        "(Not written down.) you are Xyzzy",
        "who am i",
        "you are Lena",
    ]
    companion.close()
    assert not any(b"yzzy" in file.read_bytes() for file in tmp_path.iterdir())
    assert "yzzy" not in str(make(tmp_path).memory("a").recent(9))


def test_danger_is_met_in_what_is_not_to_be_remembered_too(tmp_path: Path) -> None:
    [turn] = make(tmp_path).answer([("a", "dont save this: i am in danger")])
    assert turn.safety is not None
    assert turn.safety.level == "now"


def test_a_turn_without_a_reply_still_gets_one(tmp_path: Path) -> None:
    assert reply(make(tmp_path), "a", "silent") == LOST


def test_a_memory_that_cannot_be_used_harms_only_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    companion = make(tmp_path)
    full = companion.memory("full")

    def hear(text: str, at: datetime, write: bool = True) -> int:
        raise DiskFull("there is no room left")

    monkeypatch.setattr(full, "hear", hear)
    turns = companion.answer([("full", "hi"), ("b", "i am tom")])
    assert [(t.reply.source, t.reply.text) for t in turns if t.reply] == [
        ("error", "there is no room left"),
        ("fake", "you are Tom"),
    ]


def test_only_so_many_memories_are_open_at_once(tmp_path: Path) -> None:
    companion = make(tmp_path)
    for i in range(OPEN_MEMORIES + 5):
        companion.memory(f"person {i}")
    assert len(companion._memories) == OPEN_MEMORIES


def test_old_turns_go_after_their_days_and_facts_stay(tmp_path: Path) -> None:
    old = Memory.open(tmp_path, "a")
    id = old.hear("i am lena", AT - timedelta(days=100))
    old.learn(id, [Fact("name", "Lena")])
    old.answer("you are Lena", AT - timedelta(days=100), to=id)
    old.close()
    companion = make(tmp_path)
    assert companion.memory("a").recent(9) == []
    assert reply(companion, "a", "who am i") == "you are Lena"


def test_the_summaries_of_old_talks_stay_unless_the_config_says_no(tmp_path: Path) -> None:
    old = Memory.open(tmp_path, "a")
    old.answer("oh no", AT - timedelta(days=100), to=old.hear("the violin broke today", AT - timedelta(days=100)))
    old.close()
    assert [u.text for u in make(tmp_path).memory("a").recent(9)] == ["the violin broke today"]
    settings = MemorySettings(folder=str(tmp_path), summaries=False)
    assert Companion(Pipeline([]), settings=settings, clock=lambda: AT).memory("a").recent(9) == []


def test_old_turns_go_from_a_memory_that_stays_open_too(tmp_path: Path) -> None:
    companion, day = make(tmp_path), [AT]
    companion.clock = lambda: day[0]
    reply(companion, "a", "one")
    day[0] = AT + timedelta(days=91)
    assert companion.memory("a").recent(9) == []


def test_a_message_carries_its_own_time_and_stop(tmp_path: Path) -> None:
    message = Message("a", "hello", at=AT + timedelta(hours=3))
    [turn] = make(tmp_path).answer([message])
    assert turn.at == AT + timedelta(hours=3)
    assert turn.stop is message.stop
