"""The measuring of memory: what counts as found, on a talk in LoCoMo's format written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from chatbot.evaluate_memory import Question, Talk, locomo, ours, plain_recipe, recall, speed, talks
from pipelines.turn import Embedding, Turn

ENTRY = {
    "conversation": {
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_2": [{"dia_id": "D2:1", "speaker": "A", "text": "the violin broke"}],
        "session_1": [
            {"dia_id": "D1:1", "speaker": "A", "text": "do you play anything?"},
            {"dia_id": "D1:2", "speaker": "B", "text": "yes since march"},
        ],
    },
    "qa": [
        {"question": "What broke?", "evidence": ["D2:1"], "category": 4},
        {"question": "Since when does B play?", "evidence": ["D1:2; D9:9"], "category": 2},
        {"question": "No evidence that exists?", "evidence": ["D9:9"], "category": 1},
        {"question": "Not answerable?", "evidence": ["D1:1"], "category": 5},
    ],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([ENTRY]), encoding="utf-8")
    return file


def test_a_talk_is_read_in_the_order_of_its_sessions_and_with_its_answerable_questions(path: Path) -> None:
    [talk] = talks(path)
    assert talk.turns == ["do you play anything?", "yes since march", "the violin broke"]
    assert talk.questions == [
        Question("What broke?", frozenset({2})),
        Question("Since when does B play?", frozenset({1})),
    ]


def test_recall_is_the_mean_share_of_the_evidence_among_the_first_k() -> None:
    talk = Talk(["a", "b", "c"], [Question("x", frozenset({0, 1})), Question("y", frozenset({2}))])
    assert recall([talk], [lambda question, k: [0, 2][:k]]) == pytest.approx(0.75)
    assert recall([talk], [lambda question, k: [0, 2][:k]], k=1) == pytest.approx(0.25)
    assert recall([talk], [lambda question, k: []]) == 0


def test_both_searches_find_words_and_the_answer_by_its_question(path: Path) -> None:
    [talk] = talks(path)
    for search in (plain_recipe(talk), ours(talk)):
        assert 2 in search("what broke?", 10)
        assert 1 in search("who can play?", 10)
    assert ours(talk)("what is the", 10) == []


class Encoder:
    """Two texts are near when they are of the same length."""

    def __call__(self, turns: list[Turn]) -> list[Embedding]:
        vectors = [np.array([np.cos(len(t.text)), np.sin(len(t.text))], np.float32) for t in turns]
        return [Embedding(v, v, "e") for v in vectors]


def test_vectors_find_what_words_do_not() -> None:
    talk = Talk(["one two", "three four five", "six"], [Question("abc def ghi jkl", frozenset({1}))])
    assert ours(talk)("abc def ghi jkl", 1) == []
    assert ours(talk, Encoder())("abc def ghi jkl", 1) == [1]


def test_the_scores_of_a_file(path: Path) -> None:
    scores = locomo(path, with_vectors=False)
    assert (scores["talks"], scores["questions"]) == (1, 2)
    assert scores["words"]["all"] == scores["recipe"]["all"] == 1.0


def test_the_costs_by_size() -> None:
    rows = speed(sizes=(5, 50), facts=3)
    assert [row["moments"] for row in rows] == [5, 50]
    assert all(row[what] > 0 for row in rows for what in ("search", "profile", "exchange", "first search"))
