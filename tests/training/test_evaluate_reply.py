"""What replies are measured by: words and F1 as the competition counted, hits, plain checks, and going on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training import choosing, convai2, evaluate_reply, reply_scores
from models.training.choosing import Choice, features, fit, hit, mixed, others
from models.training.likelihood import Score
from models.training.public_talks import Dialogue
from models.training.reply_checks import CHECKS, check
from pipelines.errors import UsageError

DIALOGUES = [
    Dialogue((f"i am number {i} .", "i like tea ."), tuple(f"talk {i} turn {j} ." for j in range(6))) for i in range(30)
]


def test_words_are_the_competitions() -> None:
    assert convai2.words("hi, i'm fine... and you?") == ["hi", ",", "i'm", "fine", "...", "and", "you", "?"]


def test_f1_ignores_case_punctuation_and_articles() -> None:
    assert convai2.word_f1("The cat, a DOG!", "cat dog") == 1
    assert convai2.word_f1("cat", "dog") == 0
    assert convai2.word_f1("", "") == 0
    assert convai2.word_f1("cat cat", "cat dog") == pytest.approx(0.5)


def test_distinct_pairs_of_words() -> None:
    assert convai2.distinct(["a b c", "a b d"]) == pytest.approx(3 / 4)
    assert convai2.distinct([]) == 0


def test_choices_come_from_other_dialogues_and_are_the_same_every_time() -> None:
    found = convai2.choices(DIALOGUES, 20, 5)
    assert found == convai2.choices(DIALOGUES, 20, 5)
    assert found != convai2.choices(DIALOGUES, 20, 6)
    for choice in found:
        own = choice.said[0].split()[1]
        assert len(set(choice.candidates)) == 20
        assert [text.split()[1] == own for text in choice.candidates] == [True] + [False] * 19
        assert choice.messages[-1] == {"role": "user", "content": choice.said[-1]}


def test_a_tie_is_a_miss() -> None:
    assert hit(np.array([1.0, 0.5], dtype=np.float32))
    assert not hit(np.array([1.0, 1.0], dtype=np.float32))


def test_weights_find_the_feature_that_tells() -> None:
    rng = np.random.default_rng(1)
    tables = [rng.normal(size=(20, len(choosing.FEATURES))).astype(np.float32) for _ in range(60)]
    for table in tables:
        table[0, 2] += 4
    weights = fit(tables)
    assert max(weights, key=lambda name: weights[name]) == choosing.FEATURES[2]
    assert np.mean([hit(mixed(table, weights)) for table in tables]) > 0.9


def test_features_have_their_places() -> None:
    axes = {text: np.eye(6, dtype=np.float32)[i] for i, text in enumerate(["yes", "no", "message", "me", "mine", "x"])}
    choice = Choice((), ("me",), ("x", "mine", "message"), ("yes", "no"))
    axes["yes"] = (axes["message"] + axes["me"]) / np.sqrt(2)
    table = features(
        choice,
        lambda texts: np.stack([axes[text] for text in texts]),
        np.array([5, 0], dtype=np.float32),
        [Score(-4, 0, 1), Score(-6, 0, 1)],
        [Score(-8, 0, 1), Score(-6, 0, 1)],
    )
    named = {name: table[:, i].tolist() for i, name in enumerate(choosing.FEATURES)}
    assert named["relevance_message"] == pytest.approx([0.5**0.5, 0])
    assert named["relevance_about"] == pytest.approx([0.5**0.5, 0])
    assert named["relevance_own"] == [0, 0]
    assert named["projected"] == [0.5, 0]
    assert named["fits"] == pytest.approx([0.4, 0])
    assert named["fits_each"] == pytest.approx([2, 0])
    assert named["likely"] == [-2, -3]


def prompt(**more: Any) -> dict[str, Any]:
    persona = {"name": "Juno", "traits": ["warm", "curious"], "likes": ["rain on windows"]}
    return {"persona": persona, "facts": [], "history": [], "text": "hi", **more}


ASKED = {"text": "whats my dogs name", "known": False, "answer": []}
TOLD = {**ASKED, "known": True, "answer": ["Rex"], "facts": [{"slot": "name", "value": "Rex", "about": "dog"}]}


@pytest.mark.parametrize(
    ("more", "reply", "wrong"),
    [
        ({}, "", ["empty"]),
        ({}, "...", ["empty"]),
        ({}, "I was thinking about the", ["cut_off"]),
        ({}, "That sounds good to me. That sounds good to me.", ["repeats_itself"]),
        ({"history": [["companion", "How was the long day?"]]}, "How was the long day?", ["repeats_itself"]),
        ({}, "As an AI, I like it.", ["as_an_ai"]),
        ({}, "I had breakfast with my mom.", ["claims_human"]),
        ({}, "I'm not an AI, I'm a real person.", ["claims_human", "contradicts"]),
        ({}, "I'm Sarah.", ["contradicts"]),
        ({}, "I hate rain.", ["contradicts"]),
        ({}, "How is your dog?", ["invents"]),
        (ASKED, "It's Max.", ["invents"]),
        (ASKED, "Max!", ["invents"]),
        (ASKED, "You haven't told me yet.", []),
        (ASKED, "What is it?", []),
        (TOLD, "Rex!", []),
        (TOLD, "It's Max.", ["invents"]),
        (TOLD, "I don't know yet.", []),
        ({}, "Oh no, that sounds rough. What happened?", []),
        ({}, "I'm an AI, so no breakfast for me 😄", []),
        ({}, "I'm Juno. I like rain on windows!", []),
    ],
)
def test_what_is_wrong_is_named(more: dict[str, Any], reply: str, wrong: list[str]) -> None:
    assert check(prompt(**more), reply) == wrong


def test_a_reply_that_came_to_no_end_is_cut_off() -> None:
    assert check(prompt(), "It was fine.", finished=False) == ["cut_off"]


@given(st.text(max_size=200))
def test_any_reply_is_checked(reply: str) -> None:
    assert set(check(prompt(**ASKED), reply)) <= set(CHECKS)


def test_there_are_enough_prompts_of_our_own() -> None:
    prompts = evaluate_reply.read_prompts()
    assert len({p["id"] for p in prompts}) == len(prompts) >= 150
    assert sum(p.get("known") is False for p in prompts) >= 50
    assert {"name", "home", "pet", "family", "persona", "human", "feelings", "small_talk", "gibberish"} == {
        p["kind"] for p in prompts
    }


def test_measuring_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    seen: list[str] = []

    def make(item: dict[str, str]) -> dict[str, str]:
        seen.append(item["x"])
        if item["x"] == "c" and seen.count("c") == 1:
            raise KeyboardInterrupt
        return {"said": item["x"] * 2}

    items = [{"x": x} for x in "abcd"]
    with pytest.raises(KeyboardInterrupt):
        evaluate_reply.resumed(tmp_path / "part.jsonl", items, make)
    rows = evaluate_reply.resumed(tmp_path / "part.jsonl", items, make)
    assert [row["said"] for row in rows] == ["aa", "bb", "cc", "dd"]
    assert seen == ["a", "b", "c", "c", "d"]


def test_a_folder_of_another_adapter_is_refused(tmp_path: Path) -> None:
    evaluate_reply._claim(tmp_path, "one")
    evaluate_reply._claim(tmp_path, "one")
    with pytest.raises(UsageError, match="another adapter"):
        evaluate_reply._claim(tmp_path, "two")


def test_perplexity_is_per_word_and_the_table_holds_what_was_measured() -> None:
    rows = [{"nats": 20.0, "ends": 1.0, "tokens": 12, "words": 10, "replies": 2}] * 3
    found = reply_scores.scores({"base-convai2": rows, "adapter-own": rows}, {"convai2": [], "own": []}, [])
    assert found["ConvAI2: perplexity per word"]["base"]["value"] == pytest.approx(np.exp(2))
    assert found["ConvAI2: the same, the reply's end counted"]["base"]["value"] == pytest.approx(np.exp(21 / 12))
    assert found["own talks: perplexity per token"]["adapter"]["value"] == pytest.approx(np.exp(21 / 14))
    text = reply_scores.table({"scores": json.loads(json.dumps(found))})
    assert "7.389" in text
    assert "ConvAI2: word F1" not in text


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="convai2"):
        convai2.half(tmp_path)


def test_others_are_never_the_truth() -> None:
    import random

    replies = [["same"], ["same", *(f"r{i}" for i in range(30))]]
    assert "same" not in others(replies, 0, "same", random.Random(1))
    with pytest.raises(ValueError, match="there are 2"):
        others([*replies[:1], replies[1][:3]], 0, "same", random.Random(1))
