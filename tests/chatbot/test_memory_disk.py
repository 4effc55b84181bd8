"""Memory on the disk: people apart, damage, a full disk, several at once, and what is gone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_talk import AT, left, say, values

from chatbot import memory_file
from chatbot.memory import Memory
from pipelines.errors import DiskFull, MemoryDamaged, MemoryFileError
from pipelines.turn import Fact


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory.open(tmp_path, "lena")


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
