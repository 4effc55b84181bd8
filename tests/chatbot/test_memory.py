"""One person's memory: facts over time, reading, taking back, pausing, moving house."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_talk import AT, left, say, values

from chatbot.memory import Memory
from pipelines.errors import UsageError
from pipelines.turn import ONE_AT_A_TIME, Fact


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory.open(tmp_path, "lena")


# -- facts over time


def test_moving_closes_the_old_home_and_keeps_it_as_past(memory: Memory) -> None:
    paris = say(memory, "i live in paris", Fact("home", "Paris"))
    berlin = say(memory, "i moved to berlin", Fact("home", "Berlin"), minutes=9)
    [now], [past] = memory.facts(), memory.past_facts()
    assert (now.value, now.since, now.until, now.turn) == ("Berlin", AT + timedelta(minutes=9), None, berlin)
    assert (past.value, past.since, past.until, past.turn) == ("Paris", AT, AT + timedelta(minutes=9), paris)
    assert values(memory.facts(AT + timedelta(minutes=3))) == ["home=Paris"]
    assert memory.facts(AT - timedelta(minutes=1)) == []


def test_a_correction_forgets_the_wrong_fact_and_no_longer_recalls_its_words(memory: Memory) -> None:
    say(memory, "i live in munich", Fact("home", "Munich"))
    assert memory.words("munich", 5)
    say(memory, "no, berlin", Fact("home", "Berlin", change="correct"), minutes=1)
    assert values(memory.facts()) == ["home=Berlin"]
    assert memory.facts()[0].since == AT
    assert memory.past_facts() == []
    assert memory.words("munich", 5) == []


def test_an_end_closes_the_value_or_the_whole_slot(memory: Memory) -> None:
    say(memory, "cats and dogs", Fact("pet", "cat"), Fact("pet", "dog"), Fact("work", "nurse"))
    say(memory, "the cat died", Fact("pet", "Cat", change="end"), minutes=1)
    assert values(memory.facts()) == ["pet=dog", "work=nurse"]
    say(memory, "no work", Fact("work", "", change="end"), minutes=2)
    assert values(memory.facts()) == ["pet=dog"]
    assert values(memory.past_facts()) == ["pet=cat", "work=nurse"]


def test_the_end_of_what_was_never_told_is_a_past_fact(memory: Memory) -> None:
    say(memory, "i used to live in rome", Fact("home", "Rome", change="end"))
    assert memory.facts() == []
    assert [(f.value, f.since, f.until) for f in memory.past_facts()] == [("Rome", None, AT)]


def test_the_same_again_changes_nothing(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"), Fact("like", "tea"))
    say(memory, "paris!", Fact("home", "paris"), Fact("like", "Tea"), minutes=5)
    assert values(memory.facts()) == ["home=Paris", "like=tea"]
    assert memory.facts()[0].since == AT


def test_whose_fact_it_is_keeps_slots_apart(memory: Memory) -> None:
    say(memory, "x", Fact("home", "Paris"), Fact("home", "Rome", about="sister"), Fact("home", "Oslo", about="dog"))
    say(memory, "y", Fact("home", "Lyon", about="sister"))
    assert values(memory.facts()) == ["home=Paris", "dog.home=Oslo", "sister.home=Lyon"]


def test_the_database_itself_refuses_two_open_homes(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    with sqlite3.connect(memory.path) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("insert into fact(about, slot, value, since) values ('', 'home', 'Rome', '2026')")


def test_every_one_at_a_time_slot_is_in_the_index(memory: Memory) -> None:
    with sqlite3.connect(memory.path) as db:
        [[sql]] = db.execute("select sql from sqlite_master where name = 'one_at_a_time'")
    assert all(f"'{slot}'" in sql for slot in ONE_AT_A_TIME)


def test_learning_is_all_or_nothing(memory: Memory) -> None:
    id = memory.hear("hello", AT)
    with pytest.raises(AttributeError):
        memory.learn(id, [Fact("home", "Paris"), "no fact"])  # type: ignore[list-item]
    assert memory.facts() == []
    assert [m.id for m in memory.unread()] == [id]


# -- reading and answering


def test_unread_is_what_was_neither_learned_from_nor_answered(memory: Memory) -> None:
    first, second, third = (memory.hear(f"message {i}", AT) for i in range(3))
    memory.learn(first, [])
    memory.answer("ok", AT, to=second)
    assert [(m.id, m.text) for m in memory.unread()] == [(third, "message 2")]


def test_recent_gives_the_last_ones_oldest_first(memory: Memory) -> None:
    for i in range(4):
        say(memory, f"message {i}", minutes=i)
    assert [u.text for u in memory.recent(3)] == ["ok", "message 3", "ok"]
    assert [u.role for u in memory.recent(2)] == ["person", "companion"]
    assert memory.recent(0) == []


@given(n=st.integers(4, 20), exchanges=st.integers(1, 30))
@settings(max_examples=12, deadline=None)
def test_a_talk_begins_where_it_began_the_turn_before_but_for_a_jump_now_and_then(n: int, exchanges: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory = Memory.open(Path(folder), "lena")
        begins = []
        for i in range(exchanges):
            said = [u.text for u in memory.talk(n)]
            assert said == [u.text for u in memory.recent(len(said))], "the latest ones, all of them"
            assert len(said) <= n
            assert len(said) >= min(2 * i, n // 2 - 1)
            assert len(said) % 2 == 0, "what was said and its answer leave together"
            again = Memory.open(Path(folder), "lena")
            assert [u.text for u in again.talk(n)] == said, "a restart changes nothing"
            again.close()
            begins.append(said[:1])
            say(memory, f"message {i}", reply=f"answer {i}")
        memory.close()
        jumps = sum(a != b for a, b in itertools.pairwise(begins[2:]))
        assert jumps <= max(1, 2 * exchanges // (n // 4 * 2))


def test_a_talk_of_few_utterances_is_just_the_latest(memory: Memory) -> None:
    for i in range(3):
        say(memory, f"message {i}")
    assert [u.text for u in memory.talk(1)] == ["ok"]
    assert len(memory.talk(3)) == 3
    assert memory.talk(0) == []


def test_what_passes_while_memory_is_paused_counts_too(memory: Memory) -> None:
    for i in range(3):
        say(memory, f"message {i}")
    memory.pause()
    for i in range(3, 6):
        say(memory, f"message {i}")
    assert [u.text for u in memory.talk(12)][::2] == [f"message {i}" for i in range(6)]
    assert next(u.text for u in memory.talk(8)) == "message 2"


def test_times_keep_their_offset(memory: Memory) -> None:
    at = datetime.fromisoformat("2026-03-01T19:00:00+05:30")
    assert memory.moment(memory.hear("hello", at)).at == at
    assert memory.recent(1)[0].at.utcoffset() == timedelta(hours=5, minutes=30)


def test_what_was_forgotten_meanwhile_teaches_nothing(memory: Memory) -> None:
    id = memory.hear("my name is lena", AT)
    memory.forget(since=AT)
    memory.learn(id, [Fact("name", "Lena")])
    assert memory.facts() == []


# -- taking back


def test_undo_takes_the_exchange_and_its_facts_and_reopens_what_they_closed(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"), Fact("like", "tea"))
    say(memory, "moved to rome, hate tea", Fact("home", "Rome"), Fact("like", "tea", change="end"), minutes=1)
    assert [m.text for m in memory.undo()] == ["moved to rome, hate tea", "ok"]
    assert values(memory.facts()) == ["home=Paris", "like=tea"]
    assert memory.past_facts() == []
    assert [m.text for m in memory.undo()] == ["i live in paris", "ok"]
    assert memory.facts() == []
    assert memory.undo() == []


def test_undo_of_a_correction_brings_back_what_it_corrected(memory: Memory) -> None:
    say(memory, "i live in munich", Fact("home", "Munich"))
    say(memory, "no, berlin", Fact("home", "Berlin", change="correct"), minutes=1)
    memory.undo()
    assert values(memory.facts()) == ["home=Munich"]
    assert memory.words("munich", 5)


def test_forgetting_a_fact_takes_its_words_the_reply_and_other_mentions_of_a_name(memory: Memory) -> None:
    say(memory, "my sister is anna", Fact("name", "Anna", about="sister"), reply="Anna, nice!")
    say(memory, "i like tea", Fact("like", "tea"), reply="me too")
    say(memory, "anna called me")
    [anna] = [f for f in memory.facts() if f.value == "Anna"]
    gone = memory.forget(anna.id)
    assert values(list(gone.facts)) == ["sister.name=Anna"]
    assert [m.text for m in gone.moments] == ["my sister is anna", "Anna, nice!", "anna called me", "ok"]
    assert [u.text for u in memory.recent(9)] == ["i like tea", "me too"]
    assert memory.forget(anna.id).facts == ()


def test_forgetting_takes_the_replies_that_quote_the_words(memory: Memory, tmp_path: Path) -> None:
    words = "i like xyzzy tea with  a bit of lemon and honey in it, every single morning."
    say(memory, words, Fact("like", "xyzzy tea"))
    say(
        memory,
        "what did we talk about?",
        reply="You told me: “i like xyzzy tea with a bit of lemon and honey...”",
        minutes=1,
    )
    say(memory, "and before?", reply="You told me: “i like rain”", minutes=2)
    [tea] = memory.facts()
    memory.forget(tea.id)
    assert [u.text for u in memory.recent(9)][-2:] == ["and before?", "You told me: “i like rain”"]
    assert left(tmp_path, ["xyzzy"]) == []


def test_forgetting_a_name_takes_all_that_is_known_of_them_and_nothing_else(memory: Memory) -> None:
    tom = [Fact("partner", "Tom"), Fact("name", "Tom", about="boyfriend")]
    say(memory, "my bf is tom", *tom)
    say(memory, "he works at a bank", Fact("work", "bank", about="boyfriend"))
    say(memory, "i love tomatoes", Fact("like", "tomatoes"))
    gone = memory.forget(text="tom")
    assert len(gone.facts) == 3
    assert values(memory.facts()) == ["like=tomatoes"]
    assert [u.text for u in memory.recent(9)] == ["i love tomatoes", "ok"]


def test_forgetting_the_last_minutes_reopens_what_they_closed(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    say(memory, "now rome", Fact("home", "Rome"), minutes=10)
    say(memory, "now oslo", Fact("home", "Oslo"), minutes=11)
    memory.forget(since=AT + timedelta(minutes=10))
    assert values(memory.facts()) == ["home=Paris"]
    assert memory.past_facts() == []
    assert memory.words("rome oslo", 5) == []


def test_forget_needs_to_know_what(memory: Memory) -> None:
    with pytest.raises(ValueError, match="forget what"):
        memory.forget()
    with pytest.raises(ValueError, match="forget what"):
        memory.forget(text="  ")


def test_pruning_takes_old_words_and_keeps_the_facts(memory: Memory) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    say(memory, "hello", minutes=600)
    assert memory.prune(AT + timedelta(minutes=30), summaries_stay=False) == 2
    assert memory.prune(AT + timedelta(minutes=30), summaries_stay=False) == 0
    assert values(memory.facts()) == ["home=Paris"]
    assert [u.text for u in memory.recent(9)] == ["hello", "ok"]


# -- pausing, settings, moving house


def test_while_paused_nothing_is_written_but_the_talk_goes_on(memory: Memory, tmp_path: Path) -> None:
    say(memory, "hello")
    memory.pause()
    id = say(memory, "secret xyzzy", Fact("like", "xyzzy"), minutes=1)
    assert id < 0
    assert [u.text for u in memory.recent(3)] == ["ok", "secret xyzzy", "ok"]
    assert memory.facts() == []
    assert memory.moment(id).text == "secret xyzzy"
    assert Memory.open(tmp_path, "lena").paused
    assert not any(b"xyzzy" in file.read_bytes() for file in tmp_path.iterdir())
    assert [m.text for m in memory.undo()] == ["secret xyzzy", "ok"]
    memory.resume()
    say(memory, "back again", minutes=2)
    assert [u.text for u in memory.recent(9)] == ["hello", "ok", "back again", "ok"]


def test_undo_takes_the_latest_whether_it_was_written_or_not(memory: Memory) -> None:
    memory.answer("ok", AT, to=memory.hear("secret", AT, write=False))
    say(memory, "hello", minutes=5)
    assert [u.text for u in memory.recent(9)] == ["secret", "ok", "hello", "ok"]
    assert [m.text for m in memory.undo()] == ["hello", "ok"]
    assert [m.text for m in memory.undo()] == ["secret", "ok"]
    assert memory.undo() == []


def test_settings_last_and_can_be_removed(memory: Memory, tmp_path: Path) -> None:
    memory.set("quiet", "22-8")
    assert Memory.open(tmp_path, "lena").get("quiet") == "22-8"
    memory.set("quiet", None)
    assert memory.get("quiet", "none") == "none"


def test_an_export_can_be_imported_by_an_empty_memory_only(memory: Memory, tmp_path: Path) -> None:
    say(memory, "i live in paris", Fact("home", "Paris"))
    say(memory, "i moved to rome", Fact("home", "Rome"), minutes=1)
    memory.set("voice", "soft")
    data = memory.export()
    copy = Memory.open(tmp_path, "copy")
    copy.import_(data)
    assert copy.export() == data
    assert copy.words("paris", 3) == memory.words("paris", 3)
    with pytest.raises(UsageError, match="not empty"):
        copy.import_(data)


@pytest.mark.parametrize(
    "data", [{}, {"format": 2}, {"format": 1, "moments": [{"id": "x"}], "facts": [], "settings": {}}]
)
def test_what_is_no_export_is_refused(memory: Memory, data: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no exported memory"):
        memory.import_(data)
