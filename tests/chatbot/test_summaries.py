"""The summary of a talk: which words stay, what is let go of after its days, and that forgetting reaches it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.memory import Memory
from chatbot.summaries import LONGEST, clipped, summarise, talks
from pipelines.turn import Fact, Moment

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory.open(tmp_path, "lena")


def say(memory: Memory, text: str, *facts: Fact, days: float = 0, minutes: int = 0, hide: bool = False) -> int:
    at = AT + timedelta(days=days, minutes=minutes)
    id = memory.hear(text, at)
    memory.learn(id, facts, hide=hide)
    memory.answer("so it is", at + timedelta(seconds=5), to=id)
    return id


def a_talk(memory: Memory, days: float = 0) -> None:
    for minute, text in enumerate(
        (
            "hey",
            "lol ok",
            "my violin teacher moved away and i have to find a new violin teacher",
            "do you know any violin teachers?",
            "the violin itself is broken too",
            "my sister visits on sunday with her baby",
            "the bus was full",
            "haha yes",
        )
    ):
        say(memory, text, days=days, minutes=minute)


def moments(*texts: str) -> list[Moment]:
    return [Moment(i, "person", text, AT) for i, text in enumerate(texts, 1)]


def texts(found: list[Moment]) -> list[str]:
    return [moment.text for moment in found]


def test_it_is_made_of_the_persons_own_words_that_tell_most() -> None:
    said = moments(
        "hey", "lol ok", "my violin broke, and my violin teacher left", "the bus was full", "violin!", "haha"
    )
    assert texts(summarise(said, 2)) == ["my violin broke, and my violin teacher left", "the bus was full"]


def test_small_talk_has_none_and_the_same_words_count_once() -> None:
    assert summarise(moments("hey", "how are you", "ok thanks", "bye"), 3) == []
    assert len(summarise(moments("the violin broke today", "the violin broke today", "violin broke"), 3)) == 1


def test_what_taught_a_fact_comes_before_what_did_not_and_statements_before_questions() -> None:
    said = moments("the violin broke", "a tired nurse", "is the cello lost?")
    assert [m.id for m in summarise(said, 3, taught={2})] == [2, 1, 3]
    assert [m.id for m in summarise(said, 3)] == [1, 2, 3]


def test_a_long_pause_lies_between_two_talks() -> None:
    times = (0, 60, 239, 420, 421)
    said = [Moment(i, "person", "x", AT + timedelta(minutes=minutes)) for i, minutes in enumerate(times)]
    assert [[m.id for m in talk] for talk in talks(said)] == [[0, 1, 2], [3, 4]]
    assert list(talks([])) == []


def test_a_long_utterance_is_cut_after_a_sentence_or_a_word() -> None:
    assert clipped("short") == "short"
    assert clipped("One sentence here. " + "words " * 100).endswith("words")
    assert clipped("A sentence that is long enough to be kept by itself. Two. " + "x" * 80, 90) == (
        "A sentence that is long enough to be kept by itself. Two."
    )
    assert len(clipped("x" * 1000)) <= LONGEST


@given(st.lists(st.text(max_size=400), max_size=8), st.integers(0, 4))
def test_any_words_are_chosen_from_and_never_changed(said: list[str], k: int) -> None:
    found = summarise(moments(*said), k)
    assert len(found) <= k
    assert all(moment.text in said for moment in found)
    assert all(clipped(text) in text for text in said)


# -- in a memory


def test_a_talk_is_summed_up_when_the_next_one_begins(memory: Memory) -> None:
    a_talk(memory)
    assert memory.summaries() == []
    say(memory, "hello again", days=1)
    assert [texts(talk) for talk in memory.summaries()] == [
        [
            "my violin teacher moved away and i have to find a new violin teacher",
            "the violin itself is broken too",
            "my sister visits on sunday with her baby",
        ]
    ]


def test_after_its_days_the_summary_stays_and_is_found_and_the_rest_is_gone(memory: Memory, tmp_path: Path) -> None:
    a_talk(memory)
    say(memory, "i live in leeds now", Fact("home", "Leeds"), days=1)
    say(memory, "good morning my dear friend", days=100)
    gone = memory.prune(AT + timedelta(days=90))
    assert gone == 14
    assert memory.prune(AT + timedelta(days=90)) == 0
    assert [u.text for u in memory.recent(9)][-3:] == ["i live in leeds now", "good morning my dear friend", "so it is"]
    assert [memory.moment(id).text for id, _ in memory.words("sister", 1)] == [
        "my sister visits on sunday with her baby"
    ]
    assert memory.words("bus", 5) == []
    assert not any(b"the bus was full" in file.read_bytes() for file in tmp_path.iterdir())
    assert [f.value for f in memory.facts()] == ["Leeds"]


def test_without_summaries_all_words_go_and_the_facts_stay(memory: Memory) -> None:
    a_talk(memory)
    say(memory, "i live in leeds now", Fact("home", "Leeds"), days=1)
    memory.prune(AT + timedelta(days=90))
    assert memory.recent(20)
    memory.prune(AT + timedelta(days=90), summaries_stay=False)
    assert memory.recent(20) == []
    assert [f.value for f in memory.facts()] == ["Leeds"]


def test_a_talk_that_goes_on_is_let_go_of_as_a_whole(memory: Memory) -> None:
    say(memory, "the violin broke down", minutes=0)
    say(memory, "the cello broke down", minutes=30)
    assert memory.prune(AT + timedelta(minutes=10)) == 0
    assert memory.prune(AT + timedelta(minutes=40)) == 2, "both replies"
    assert [u.text for u in memory.recent(9)] == ["the violin broke down", "the cello broke down"]


def test_a_long_utterance_that_stays_is_cut_on_the_disk_too(memory: Memory, tmp_path: Path) -> None:
    say(memory, "the violin broke down. " + "and then some more of it " * 60 + "needle")
    memory.prune(AT + timedelta(days=90))
    [[kept]] = memory.summaries()
    assert len(kept.text) <= LONGEST
    assert not any(b"needle" in file.read_bytes() for file in tmp_path.iterdir())


def test_what_was_said_in_danger_and_what_was_corrected_is_in_no_summary(memory: Memory) -> None:
    say(memory, "everything hurts and nobody helps", hide=True)
    say(memory, "i live in munich", Fact("home", "Munich"), minutes=1)
    say(memory, "no wait, i live in berlin", Fact("home", "Berlin", change="correct"), minutes=2)
    say(memory, "hello again", days=1)
    assert [texts(talk) for talk in memory.summaries()] == [["no wait, i live in berlin"]]
    assert memory.words("hurts", 5) == []


def test_forgetting_reaches_the_summaries(memory: Memory, tmp_path: Path) -> None:
    a_talk(memory)
    say(memory, "hello again", days=100)
    memory.prune(AT + timedelta(days=90))
    memory.forget(text="violin")
    assert [texts(talk) for talk in memory.summaries()] == [["my sister visits on sunday with her baby"]]
    assert not any(b"violin" in file.read_bytes() for file in tmp_path.iterdir())
    memory.erase()
    assert memory.summaries() == []


def test_an_export_takes_the_summaries_along(memory: Memory, tmp_path: Path) -> None:
    a_talk(memory)
    say(memory, "hello again", days=1)
    copy = Memory.open(tmp_path, "copy")
    copy.import_(memory.export())
    assert [texts(talk) for talk in copy.summaries()] == [texts(talk) for talk in memory.summaries()]


def test_a_time_is_told_by_the_summaries_of_its_talks(memory: Memory) -> None:
    a_talk(memory)
    say(memory, "my exam went badly today", days=1)
    found = [memory.moment(id).text for id in memory.between(AT, AT + timedelta(days=2), 9)]
    assert set(found) == {
        "my violin teacher moved away and i have to find a new violin teacher",
        "the violin itself is broken too",
        "my sister visits on sunday with her baby",
        "my exam went badly today",
    }
    assert memory.between(AT - timedelta(days=3), AT, 9) == []


def test_the_last_talk_is_the_one_before_this(memory: Memory) -> None:
    assert memory.last_talk(AT, 3) == []
    say(memory, "the cello broke down", days=-1)
    a_talk(memory)
    id = say(memory, "the piano broke down", days=1)
    now = AT + timedelta(days=1)
    assert all("piano" not in memory.moment(id).text for id in memory.last_talk(now + timedelta(minutes=9), 9))
    assert "violin" in memory.moment(memory.last_talk(now + timedelta(minutes=9), 9)[0]).text
    assert memory.last_talk(now + timedelta(hours=9), 3) == [id]
