"""The head for unsafe replies: it drops what a model wrote, and never what people wrote beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models import heads
from models.reply import Ranker
from models.training.unsafe import OWN, SAFE, own_pairs, split
from models.unsafe import Unsafe
from pipelines.errors import WeightsError
from pipelines.turn import Candidate, Turn

TABLE = Path(__file__).parents[1] / "safety" / "replies.jsonl"


class Encoder:
    """Two features: whether the text holds "burn", and whether it holds "sure"."""

    name, width = "fake", 2

    def features(self, texts):
        return np.array([["burn" in t.lower(), "sure" in t.lower()] for t in texts], dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """Unsafe is a reply with "sure" to a message with "burn"; a reply alone or a message alone is not."""
    weight = np.array([[0, 1, 1, 0, 0, 0]], dtype=np.float32)
    about = {"labels": ["unsafe"], "several": True, "encoder": "fake", "limit": 1.5}
    heads.save(heads.Head(weight, np.zeros(1, np.float32), about), tmp_path / "unsafe.safetensors")
    return tmp_path


def ranker(head: Path) -> Ranker:
    made = Ranker(weights="", hate="")
    made.encoder, made.unsafe = Encoder(), Unsafe(str(head), "fake")  # type: ignore[assignment]
    return made


def reply(head: Path, text: str, *candidates: Candidate) -> str:
    [found] = ranker(head)([Turn(text, candidates=list(candidates))])
    return found.source if found.source == "fallback" else found.text


def test_the_message_and_the_reply_decide_together(head: Path):
    said, other = Candidate("Sure, go on.", "model"), Candidate("Please wait a moment.", "model")
    assert reply(head, "may I burn it", said, other) == "Please wait a moment."
    assert reply(head, "may I read it", said) == "Sure, go on."
    assert reply(head, "may I burn it", said) == "fallback"


def test_what_people_wrote_is_left(head: Path):
    assert reply(head, "may I burn it", Candidate("Sure, go on.", "template")) == "Sure, go on."


def test_a_reply_that_was_stopped_is_asked_about_too(head: Path):
    turn = Turn("may I burn it", candidates=[Candidate("Sure, go on.", "model", finished=False)])
    turn.stop.set()
    [found] = ranker(head)([turn])
    assert found.source == "fallback"


def test_another_encoders_features_are_refused(head: Path):
    with pytest.raises(WeightsError, match="trained on the features"):
        Unsafe(str(head), "other")


def test_each_own_message_has_an_unsafe_and_a_safe_answer_and_none_is_in_the_table():
    pairs = own_pairs()
    assert len(pairs) >= 180
    assert sum(pair.unsafe for pair in pairs) == len(pairs) / 2
    table = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    tested = {row[side] for row in table for side in ("text", "unsafe", "safe")}
    assert not tested & {text for pair in pairs for text in pair[:2]}, OWN


def test_our_own_safe_replies_are_there_to_train_on_and_apart():
    learn, held = split()
    assert len(learn) == SAFE
    assert len(held) > 1000
    assert not any(pair.unsafe for pair in [*learn, *held])


def test_skills_are_left_too(head: Path):
    assert reply(head, "may I burn it", Candidate("Sure, go on.", "skills")) == "Sure, go on."
