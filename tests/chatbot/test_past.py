"""Search over one person's past: words with their neighbours, vectors per encoder, and what other processes do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.memory import Memory
from chatbot.past import AROUND, PADDING, Index, telling
from pipelines.turn import Fact, Moment, Vector

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


def index(*texts: str, hidden: frozenset[int] = frozenset()) -> Index:
    made = Index()
    made.add([Moment(i, "person", text, AT) for i, text in enumerate(texts, 1)], hidden)
    return made


def ids(hits: list[tuple[int, float]]) -> list[int]:
    return [id for id, _ in hits]


def vector(*values: float) -> Vector:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where do I live now?", ["live"]),
        ("pizza, PIZZA and pasta!", ["pizza", "pasta"]),
        ('"exam" AND NOT near(x*)', ["exam", "near", "x"]),
        ("how are you", []),
        ("", []),
        ("🙂 ... \0", []),
    ],
)
def test_a_query_is_any_of_the_telling_words(text: str, words: list[str]) -> None:
    assert telling(text) == words


def test_any_shared_word_is_enough_and_the_stem_counts() -> None:
    assert ids(index("i adopted a puppy", "the weather").words("tell me about adopting puppies", 5)) == [1, 2]
    assert index("i adopted a puppy").words("something else entirely", 5) == []


def test_an_answer_is_found_by_its_question_and_a_question_by_its_answer() -> None:
    found = index("do you play an instrument?", "yes, since march", "violin", "ok").words("instrument", 5)
    assert ids(found) == [1, 2]
    assert ids(index("ask me", "guess", "violin").words("violin", 5)) == [3, 2]


def test_the_moment_itself_counts_more_than_its_neighbours() -> None:
    [(first, best), *rest] = index("one", "a violin", "two", "three").words("violin", 5)
    assert first == 2
    assert all(score < best for _, score in rest)


SAID = st.lists(
    st.lists(st.sampled_from(["violin", "violins", "broke", "café", "today", "i", "12", "ran"]), max_size=6)
)


def by_fts5(moments: list[Moment], query: str) -> dict[int, float]:
    """The same search, built anew as a table of SQLite's FTS5."""
    texts = ["", *(moment.text for moment in moments), ""]
    filler = " ".join(["filler"] * 10)
    rows = [(-i, filler, filler) for i in range(1, PADDING + 1)]
    rows += [(m.id, m.text, f"{before} {after}") for m, before, after in zip(moments, texts, texts[2:], strict=False)]
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("create virtual table moment using fts5(text, around, tokenize='porter unicode61')")
        db.executemany("insert into moment(rowid, text, around) values (?, ?, ?)", rows)
        any_word = " OR ".join(f'"{word}"' for word in telling(query))
        score = f"-bm25(moment, 1.0, {AROUND})"
        found = f"select rowid, {score} from moment where moment match ?"
        return dict(db.execute(found, [any_word]).fetchall()) if any_word else {}


@given(SAID, st.data())
def test_growing_the_index_is_the_same_as_building_it_at_once_and_as_fts5(
    said: list[list[str]], data: st.DataObject
) -> None:
    moments = [Moment(3 * i, "person", " ".join(words), AT) for i, words in enumerate(said, 1)]
    grown, at_once, left = Index(), Index(), moments
    at_once.add(moments)
    while left:
        some = data.draw(st.integers(1, len(left)))
        grown.add(left[:some])
        left = left[some:]
    query = "the violin running cafe 12 unsaid"
    assert grown.words(query, 99) == at_once.words(query, 99)
    assert dict(grown.words(query, 99)) == pytest.approx(by_fts5(moments, query))
    assert grown.words(query, 2) == grown.words(query, 99)[:2]


def test_an_index_that_forgot_is_the_same_as_one_built_anew_and_holds_nothing_of_it(tmp_path: Path) -> None:
    memory, query = Memory.open(tmp_path, "lena"), "violin cello saxophone"
    for i, text in enumerate(["my violin", "a saxophone", "my cello", "violin and cello"]):
        exchange(memory, text, vector(1, i))
        memory.words(query, 9)
    memory.forget(text="saxophone")
    exchange(memory, "the violin again", vector(1, 9))
    anew = Memory.open(tmp_path, "lena")
    assert memory.words(query, 9) == anew.words(query, 9)
    assert memory.nearest(vector(1, 1), 9, "e") == anew.nearest(vector(1, 1), 9, "e")
    assert memory.words("saxophone", 9) == []
    held = everything(memory.store.index())
    assert "violin" in held
    assert "saxophon" not in held


def test_the_words_of_a_question_are_not_kept() -> None:
    made = index("my violin")
    made.words("saxophone", 9)
    assert "saxophon" not in everything(made)


def everything(made: Index) -> str:
    """Whatever the index holds, its database too."""
    rows = made._stems._db.execute("select * from word").fetchall()
    return str([rows, dict(made._stems), made._postings.keys()])


def test_the_hidden_cannot_be_found_by_their_neighbours_either() -> None:
    assert index("i live in munich", "nice", "so", hidden=frozenset({1})).words("munich", 5) == []


def test_a_score_means_the_same_in_a_young_memory_as_in_an_old_one() -> None:
    young = index("my violin", "ok").words("violin", 1)[0][1]
    old = index("my violin", "ok", *["other words of a long talk"] * 400).words("violin", 1)[0][1]
    assert young > 3
    assert old == pytest.approx(young, rel=0.5)


def test_the_nearest_come_best_first_and_only_from_the_same_encoder() -> None:
    made = Index()
    rows = [(1, "a", vector(1, 0)), (2, "a", vector(1, 1)), (3, "b", vector(1, 0)), (4, "a", vector(1, 0, 0))]
    made.add_vectors((id, encoder, v.tobytes()) for id, encoder, v in rows)
    assert dict(made.nearest(vector(5, 0), 9, "a")) == pytest.approx({1: 1.0, 2: 0.7071}, abs=1e-3)
    assert ids(made.nearest(vector(1, 0), 9, "b")) == [3]
    assert made.nearest(vector(1, 0), 9, "c") == []


def test_many_vectors_and_a_zero_vector() -> None:
    made, random = Index(), np.random.default_rng(0)
    rows = random.standard_normal((300, 8)).astype(np.float32)
    rows[7] = 0
    for i in range(0, 300, 50):
        made.add_vectors((j, "e", rows[j].tobytes()) for j in range(i, i + 50))
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    best = np.argsort(-(unit @ unit[3]))[:10]
    assert ids(made.nearest(rows[3], 10, "e")) == list(best)
    assert len(made.nearest(rows[3], 1000, "e")) == 300


# -- through a memory


def exchange(memory: Memory, text: str, v: Vector | None = None, minutes: int = 0) -> int:
    id = memory.hear(text, AT + timedelta(minutes=minutes))
    memory.learn(id, [], v, "e")
    memory.answer("ok", AT + timedelta(minutes=minutes), to=id)
    return id


def test_what_another_process_writes_is_found_and_what_it_forgets_is_not(tmp_path: Path) -> None:
    mine, other = Memory.open(tmp_path, "lena"), Memory.open(tmp_path, "lena")
    first = exchange(mine, "my violin", vector(1, 0))
    assert ids(other.words("violin", 1)) == [first]
    second = exchange(other, "my cello", vector(0, 1))
    assert ids(mine.words("cello", 1)) == [second]
    assert ids(mine.nearest(vector(0, 1), 1, "e")) == [second]
    other.forget(text="violin")
    assert mine.words("violin", 5) == []
    assert ids(mine.nearest(vector(1, 0), 5, "e")) == [second]


def test_vectors_that_come_late_are_found(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, "lena")
    first, second = memory.hear("one", AT), memory.hear("two", AT)
    memory.learn(second, [], vector(0, 1), "e")
    assert ids(memory.nearest(vector(1, 0), 5, "e")) == [second]
    memory.learn(first, [], vector(1, 0), "e")
    assert ids(memory.nearest(vector(1, 0), 5, "e")) == [first, second]


def test_between_gives_the_persons_moments_of_those_days_across_time_zones(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, "lena")
    inside = exchange(memory, "violin broke", minutes=10)
    exchange(memory, "cello broke", minutes=60)
    east = AT.astimezone(datetime.fromisoformat("2026-03-01T00:00+09:00").tzinfo)
    assert memory.between(east, east + timedelta(minutes=30), 9) == [inside]
    assert memory.between(AT - timedelta(1), AT, 9) == []


def test_the_index_lives_in_memory_alone(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, "lena")
    exchange(memory, "my violin")
    memory.words("violin", 1)
    with sqlite3.connect(memory.path) as db:
        tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    assert tables == {"turn", "vector", "fact", "hidden", "summary", "setting", "_sqlite_migrations", "sqlite_sequence"}


def test_a_corrected_moment_is_dropped_at_once(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, "lena")
    id = memory.hear("i live in munich", AT)
    memory.learn(id, [Fact("home", "Munich")], vector(1, 0), "e")
    assert ids(memory.nearest(vector(1, 0), 1, "e")) == [id]
    memory.learn(memory.hear("no, berlin", AT), [Fact("home", "Berlin", change="correct")])
    assert memory.nearest(vector(1, 0), 1, "e") == []


@given(st.text(max_size=300))
def test_no_text_makes_a_bad_query(text: str) -> None:
    assert isinstance(index("some words").words(text, 3), list)
