"""What the ranker is trained on and how it is scored, with judgements made by hand; no weights."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from models.training import ranker
from models.training.ranker import Judged
from models.training.reply import held_out
from pipelines.turn import Candidate, Turn


def judged(labels: str, topic: str = "cats") -> Judged:
    """Labels as letters: b best, o ok, x bad."""
    names = {"b": "best", "o": "ok", "x": "off_topic"}
    candidates = tuple(Candidate(f"reply {i}", "transformers") for i in range(len(labels)))
    return Judged(topic, Turn("hello"), candidates, tuple(names[letter] for letter in labels))


def test_read_gives_turns_candidates_and_labels(tmp_path):
    line = {
        "topic": "cats",
        "persona": {"name": "Juno", "traits": [], "likes": []},
        "facts": [{"about": "cat", "slot": "name", "value": "Miso"}],
        "recalled": [],
        "history": [["person", "hi"], ["companion", "Hi you."]],
        "text": "miso is asleep",
        "emotion": ["joy"],
        "candidates": [["Sleep well, Miso.", "best", -1.2, 1, "model"], ["Cars.", "off_topic", -2.0, 0, "template"]],
    }
    path = tmp_path / "preferences.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    [found] = ranker.read(path)
    assert found.turn.text == "miso is asleep"
    assert [u.text for u in found.turn.history] == ["hi", "Hi you."]
    assert [c.source for c in found.candidates] == ["transformers", "template"]
    assert [c.finished for c in found.candidates] == [True, False]
    assert found.candidates[0].scores == {"logprob": -1.2}
    assert found.labels == ("best", "off_topic")
    assert found.good.tolist() == [1, 0]
    assert found.best == 0


def test_no_topic_is_in_two_parts_and_the_held_out_ones_are_apart():
    topics = [f"topic {i}" for i in range(200)]
    parts = ranker.split([judged("bx", topic) for topic in topics for _ in range(2)])
    seen = {name: {j.topic for j in part} for name, part in parts.items()}
    assert all(len(part) > 20 for part in parts.values())
    assert not seen["learn"] & (seen["weigh"] | seen["held"])
    assert not seen["weigh"] & seen["held"]
    assert seen["held"] == {topic for topic in topics if held_out({"topic": topic})}


def test_choices_count_best_and_bad_beside_a_random_pick():
    prompts = [judged("bxx"), judged("xbo"), judged("xxx")]
    found = ranker.choices(prompts, lambda j: np.array([3.0, 2.0, 1.0]))
    assert found["best"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["bad"] == pytest.approx(2 / 3, abs=1e-3)
    assert found["random best"] == pytest.approx(2 / 9, abs=1e-3)
    assert found["random bad"] == pytest.approx(6 / 9, abs=1e-3)
    assert found["all bad"] == pytest.approx(1 / 3, abs=1e-3)


def test_fitted_weights_put_the_measure_that_tells_good_from_bad_first():
    chance = random.Random(1)
    prompts, found = [], []
    for _ in range(60):
        best = chance.randrange(4)
        prompts.append(judged("".join("b" if i == best else "x" for i in range(4))))
        telling = [[float(i == best) + chance.random() * 0.2, chance.random()] for i in range(4)]
        found.append(np.array(telling, dtype=np.float32))
    telling, noise = ranker.fit(found, prompts, np.array([np.nan, np.nan], dtype=np.float32))
    assert telling > 5 * abs(noise)
    telling, held = ranker.fit(found, prompts, np.array([np.nan, -1.5], dtype=np.float32))
    assert telling > 1
    assert held == -1.5


def test_what_followed_is_learned_with_the_words_before_it():
    said = [("person", "my cat is ill"), ("companion", "Oh no, poor cat."), ("person", "yes"), ("companion", "I hope.")]
    talk = {
        "persona": {"name": "Juno", "traits": [], "likes": []},
        "facts": [],
        "recalled": [],
        "turns": [{"who": who, "text": text} for who, text in said],
    }
    assert ranker.following([talk]) == [
        ("", "my cat is ill", "Oh no, poor cat."),
        ("Oh no, poor cat.", "yes", "I hope."),
    ]
