"""What the ranker is trained on and how it is scored, with judgements made by hand; no weights."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from models.judge import Judge
from models.training import ranker
from models.training.ranker import Judged
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
        "candidates": [
            ["Sleep well, Miso.", "best", -1.2, 1, "model"],
            ["Cars.", "off_topic", -2.0, 0, "template"],
            ["Naps are good.", "ok", {"near": 0.7}, 1, "retrieval"],
        ],
    }
    path = tmp_path / "preferences.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    [found] = ranker.read(path)
    assert found.turn.text == "miso is asleep"
    assert [u.text for u in found.turn.history] == ["hi", "Hi you."]
    assert [c.source for c in found.candidates] == ["transformers", "template", "retrieval"]
    assert [c.finished for c in found.candidates] == [True, False, True]
    assert [c.scores for c in found.candidates] == [{"logprob": -1.2}, {}, {"near": 0.7}]
    assert found.labels == ("best", "off_topic", "ok")
    assert found.good.tolist() == [1, 0, 1]
    assert found.best == 0


def test_every_fold_has_topics():
    assert {ranker.fold_of(f"topic {i}") for i in range(100)} == set(range(ranker.FOLDS))


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


def test_a_judge_learns_from_states_and_is_kept_as_it_was_trained(tmp_path):
    chance = np.random.default_rng(1)
    prompts, read = [], []
    for _ in range(120):
        best = int(chance.integers(4))
        prompts.append(judged("".join("b" if i == best else "x" for i in range(4))))
        states = chance.normal(3, 2, (4, 8)).astype(np.float32)
        states[best, 2] += 4
        read.append(states)
    tensors = ranker.train_judge(list(zip(prompts, read, strict=True))[:80])
    scores = {id(j): ranker.judged_by(tensors, r) for j, r in zip(prompts, read, strict=True)}
    found = ranker.choices(prompts[80:], lambda j: scores[id(j)])
    assert found["best"] > 0.7 > 2 * found["random best"]
    ranker.save(tmp_path, tensors, {"layer": 2, "states of": "tiny"})
    kept = Judge(tmp_path, None, "tiny")  # type: ignore[arg-type]
    assert kept.layer == 2
    np.testing.assert_allclose(kept.hidden, np.asarray(tensors["hidden.weight"]), atol=1e-6)
