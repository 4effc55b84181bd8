"""One person's memory: facts over time, taking back, pausing, moving house, and what the disk may do to it."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot import memory_file
from chatbot.memory import Memory
from pipelines.errors import DiskFull, MemoryDamaged, MemoryFileError, UsageError
from pipelines.turn import ONE_AT_A_TIME, Fact

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory.open(tmp_path, "lena")


def say(memory: Memory, text: str, *facts: Fact, minutes: int = 0, reply: str = "ok") -> int:
    """One exchange; gives the id of what the person said."""
    at = AT + timedelta(minutes=minutes)
    id = memory.hear(text, at)
    memory.learn(id, facts)
    memory.answer(reply, at + timedelta(seconds=5), to=id)
    return id


def values(facts: list[Fact]) -> list[str]:
    return [f"{f.about + '.' if f.about else ''}{f.slot}={f.value}" for f in facts]


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


# -- people apart, and the folder


def test_people_are_apart_whatever_their_keys(tmp_path: Path) -> None:
    people = ["lena", "Lena", "../lena", "lena\0", "", "a" * 5000, "\ud800", "ле на"]
    for person in people:
        say(Memory.open(tmp_path, person), f"i am {len(person)}", Fact("name", person or "nobody"))
    assert len({Memory.open(tmp_path, person).path for person in people}) == len(people)
    for person in people:
        assert len(Memory.open(tmp_path, person).facts()) == 1
    assert {file.parent for file in tmp_path.rglob("*.db")} == {tmp_path}


def test_the_folder_names_nobody_and_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    memory = Memory.open(folder, "lena@example.org")
    say(memory, "hello")
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
        assert "lena" not in file.name
    other = Memory.open(tmp_path / "other", "lena@example.org")
    assert other.path.name != memory.path.name


def test_a_lost_key_is_no_reason_to_forget_everybody(tmp_path: Path) -> None:
    Memory.open(tmp_path, "lena")
    (tmp_path / "key").unlink()
    with pytest.raises(MemoryFileError, match="key is missing"):
        Memory.open(tmp_path, "lena")
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(MemoryFileError, match="5 bytes"):
        Memory.open(tmp_path, "lena")


def test_erase_leaves_no_file_and_starts_anew_for_everyone_who_had_it_open(memory: Memory, tmp_path: Path) -> None:
    other = Memory.open(tmp_path, "lena")
    say(memory, "i live in paris", Fact("home", "Paris"))
    assert values(other.facts()) == ["home=Paris"]
    memory.erase()
    assert not list(tmp_path.glob("*.db*"))
    assert other.facts() == []
    say(other, "hello again", Fact("like", "tea"))
    assert values(memory.facts()) == ["like=tea"]


# -- what the disk may do


def test_a_damaged_file_is_set_aside_and_said_so(memory: Memory, tmp_path: Path) -> None:
    say(memory, "hello")
    memory.close()
    memory.path.write_bytes(b"this is no database " * 500)
    with pytest.raises(MemoryDamaged, match="set aside as"):
        Memory.open(tmp_path, "lena")
    [aside] = tmp_path.glob("*.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")
    assert Memory.open(tmp_path, "lena").recent(1) == []
    memory.erase()
    assert not list(tmp_path.glob("*damaged*"))


def test_a_file_with_a_hole_in_it_is_damaged(memory: Memory, tmp_path: Path) -> None:
    for i in range(200):
        say(memory, f"some words to fill the pages {i} " * 5)
    memory.close()
    size = memory.path.stat().st_size
    with memory.path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(MemoryDamaged):
        Memory.open(tmp_path, "lena")


def test_damage_found_in_the_middle_of_a_talk(memory: Memory, tmp_path: Path) -> None:
    for i in range(50):
        say(memory, f"words {i} " * 20)
    memory.store.connected().execute("pragma wal_checkpoint(truncate)")
    with memory.path.open("r+b") as file:
        file.write(b"\xff" * memory.path.stat().st_size)
    memory.store.connected().execute("pragma shrink_memory")
    with pytest.raises(MemoryDamaged):
        say(memory, "more")
    say(memory, "a new beginning")
    assert [u.text for u in memory.recent(9)] == ["a new beginning", "ok"]


def test_a_full_disk_is_one_clear_message_and_no_half_turn(memory: Memory) -> None:
    say(memory, "hello", Fact("like", "tea"))
    db = memory.store.connected()
    db.execute(f"pragma max_page_count = {db.execute('pragma page_count').fetchone()[0]}")
    with pytest.raises(DiskFull, match="disk is full"):
        say(memory, "long words " * 5000, Fact("home", "Paris"))
    id = memory.hear("short", AT)
    with pytest.raises(DiskFull):
        memory.learn(id, [Fact("like", f"thing {i} " * 50) for i in range(100)])
    assert values(memory.facts()) == ["like=tea"]
    assert [m.id for m in memory.unread()] == [id]
    db.execute("pragma max_page_count = 100000")
    memory.learn(id, [Fact("home", "Paris")])
    assert values(memory.facts()) == ["like=tea", "home=Paris"]


def test_a_file_from_a_newer_version_is_left_alone(memory: Memory, tmp_path: Path) -> None:
    memory.close()
    with sqlite3.connect(memory.path) as db:
        db.execute("insert into _sqlite_migrations(migration_set, name, applied_at) values ('memory', 'tenth', '')")
    with pytest.raises(MemoryFileError, match=r"newer version \(tenth\)"):
        Memory.open(tmp_path, "lena")
    assert memory.path.exists()


def test_an_older_file_gets_the_migrations_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as then:
        older = type(memory_file.migrations)("memory")
        older._migrations = memory_file.migrations._migrations[:1]
        then.setattr(memory_file, "migrations", older)
        path = memory_file.locate(tmp_path, "lena")
        memory_file.connect(path).execute("insert into fact(about, slot, value) values ('', 'name', 'Lena')")
    memory = Memory.open(tmp_path, "lena")
    assert values(memory.facts()) == ["name=Lena"]
    assert memory.summaries() == []
    say(memory, "the violin broke down")


def test_an_empty_file_left_by_a_crash_opens(tmp_path: Path) -> None:
    path = memory_file.locate(tmp_path, "lena")
    path.touch()
    say(Memory.open(tmp_path, "lena"), "hello")


# -- several at once

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from chatbot.memory import Memory
from pipelines.turn import Fact
memory = Memory.open(Path(sys.argv[1]), "lena")
for i in range(int(sys.argv[3])):
    id = memory.hear(f"writer {sys.argv[2]} message {i}", datetime.now(UTC))
    memory.learn(id, [Fact("home", f"Town {sys.argv[2]} {i}"), Fact("like", f"thing {sys.argv[2]} {i}")])
    memory.answer("ok", datetime.now(UTC), to=id)
    print(id, flush=True)
"""


def writer(folder: Path, number: int, messages: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(number), str(messages)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_eight_processes_that_start_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [writer(tmp_path, n, 25) for n in range(8)]
    ids = [int(line) for w in writers for line in w.communicate(timeout=120)[0].split()]
    assert [w.returncode for w in writers] == [0] * 8
    memory = Memory.open(tmp_path, "lena")
    assert len(set(ids)) == 8 * 25
    assert len([f for f in memory.facts() if f.slot == "like"]) == 200
    assert len([f for f in memory.facts() if f.slot == "home"]) == 1
    assert len([f for f in memory.past_facts() if f.slot == "home"]) == 199
    assert memory.unread() == []
    assert len(memory.recent(500)) == 400


def test_killed_at_any_point_the_file_opens_with_all_that_was_heard(tmp_path: Path) -> None:
    for after in (1, 4, 9):
        process = writer(tmp_path, after, 100000)
        assert process.stdout
        heard = [int(process.stdout.readline()) for _ in range(after)]
        process.kill()
        heard += [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
        process.wait()
        memory = Memory.open(tmp_path, "lena")
        assert all(memory.moment(id).text.startswith(f"writer {after}") for id in heard)
        assert len([f for f in memory.facts() if f.slot == "home"]) == 1
        for moment in memory.unread():
            memory.learn(moment.id, [])
        memory.close()


def test_one_memory_shared_by_threads(memory: Memory) -> None:
    errors: list[BaseException] = []

    def talk(number: int) -> None:
        try:
            for i in range(20):
                say(memory, f"thread {number} says {i}", Fact("home", f"{number}-{i}"))
                memory.words("thread", 3)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(memory.recent(1000)) == 320


# -- gone is gone


def needles(memory: Memory, count: int = 200) -> list[str]:
    """Words that nothing else contains, in messages, replies and facts, short and long, with vectors."""
    words = [f"needle{i:03d}{hash((i, 'x')) & 0xFFFFFFFF:08x}" for i in range(count)]
    for i, word in enumerate(words):
        filler = "and some more words around it " * (i % 7) ** 3
        id = memory.hear(f"{word} {filler}", AT + timedelta(minutes=i))
        memory.learn(id, [Fact("home", word), Fact("like", f"{word} {filler[:80]}")], np.ones(384, np.float32), "e")
        memory.answer(f"so, {word}? {filler}", AT + timedelta(minutes=i), to=id)
    return words


def left(folder: Path, words: list[str]) -> list[str]:
    found = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    return [word for word in words if word.encode() in found or word.title().encode() in found]


def by_text(memory: Memory, words: list[str]) -> None:
    for word in words:
        memory.forget(text=word)


def by_time(memory: Memory, words: list[str]) -> None:
    memory.forget(since=AT)


def by_undo(memory: Memory, words: list[str]) -> None:
    while memory.undo():
        pass


def by_fact(memory: Memory, words: list[str]) -> None:
    for fact in [*memory.past_facts(), *memory.facts()]:
        memory.forget(fact.id)


def by_erase(memory: Memory, words: list[str]) -> None:
    memory.erase()


FORGETTING = [(by_time, 200), (by_erase, 200), (by_text, 40), (by_undo, 40), (by_fact, 20)]


@pytest.mark.parametrize(("forget", "count"), FORGETTING)
def test_what_is_forgotten_is_nowhere_in_the_folder(
    forget: Callable[[Memory, list[str]], None], count: int, tmp_path: Path
) -> None:
    memory = Memory.open(tmp_path, "lena")
    reader = Memory.open(tmp_path, "lena")
    words = needles(memory, count)
    assert left(tmp_path, words) == words
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            reader.recent(20)
            reader.words(words[0], 5)

    thread = threading.Thread(target=read)
    thread.start()
    forget(memory, words)
    stop.set()
    thread.join()
    assert left(tmp_path, words) == []
    assert reader.words(words[0], 5) == []
    assert memory.recent(5) == []


@pytest.mark.parametrize(("forget", "count"), [case for case in FORGETTING if case[0] is not by_erase])
def test_without_secure_delete_the_words_would_stay(
    forget: Callable[[Memory, list[str]], None], count: int, tmp_path: Path
) -> None:
    """Not after `erase`: it deletes the file itself, and what is in no file of the folder cannot be found in one."""
    memory = Memory.open(tmp_path, "lena")
    words = needles(memory, count)
    memory.store.connected().execute("pragma secure_delete = off")
    forget(memory, words)
    assert memory.recent(5) == []
    assert left(tmp_path, words)


def test_a_reader_that_stays_only_puts_the_emptying_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_file, "BUSY", 0.1)
    memory = Memory.open(tmp_path, "lena")
    say(memory, "the needle xyzzy")
    reader = sqlite3.connect(memory.path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select * from turn").fetchall()
    memory.forget(text="xyzzy")
    assert memory.recent(5) == []
    reader.execute("commit")
    say(memory, "something else")
    assert left(tmp_path, ["xyzzy"]) == []


# -- any text


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_any_text_can_be_heard_searched_and_forgotten(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory = Memory.open(Path(folder), "lena")
        for text in texts:
            say(memory, text, Fact("like", text))
            memory.words(text, 5)
        kept = [u.text for u in memory.recent(100) if u.role == "person"]
        assert kept == [t.encode("utf-8", "replace").decode() for t in texts]
        for text in texts:
            if text.strip():
                memory.forget(text=text)
        memory.close()
