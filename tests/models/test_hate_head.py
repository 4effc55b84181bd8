"""The head beside the hate rules: asked only where a group is named, and bound to its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import heads
from models.hate import Reading, names_group, read
from models.hate_head import Hate, masked
from models.reply import Ranker
from models.training.datasets import key
from models.training.evaluate_safety import table
from models.training.hate_examples import own, sentences
from pipelines.errors import WeightsError
from pipelines.turn import Candidate, Turn

SIGNS = Reading("").signs


class Encoder:
    """Two features: whether the text says "sour", and one."""

    name = "fake"

    def __init__(self) -> None:
        self.read: list[str] = []

    def features(self, texts: Sequence[str]) -> np.ndarray:
        self.read += texts
        return np.array([["sour" in text, 1.0] for text in texts], dtype=np.float32)


def head(folder: Path, encoder: str = "fake") -> str:
    about = {"labels": ["hate"], "several": True, "encoder": encoder, "limit": 1.0}
    weight, bias = np.zeros((1, 2 + len(SIGNS)), np.float32), np.zeros(1, np.float32)
    weight[0, 0] = 4.0
    heads.save(heads.Head(weight, bias, about), folder / "hate.safetensors")
    return str(folder)


def check(folder: Path) -> tuple[Hate, Encoder]:
    encoder: Any = Encoder()
    return Hate(head(folder), encoder), encoder


def test_rules_or_head_and_the_head_only_where_a_group_is_named(tmp_path: Path) -> None:
    hate, encoder = check(tmp_path)
    texts = ["Muslims are vermin", "Muslims are a sour lot", "Muslims pray", "this milk is sour"]
    assert hate(texts) == [True, True, False, False]
    assert encoder.read == ["those people are a sour lot", "those people pray"]


def test_a_head_of_another_encoder_is_refused(tmp_path: Path) -> None:
    encoder: Any = Encoder()
    with pytest.raises(WeightsError, match="trained on the features"):
        Hate(head(tmp_path, "other"), encoder)


def test_the_ranker_drops_what_the_head_objects_to(tmp_path: Path) -> None:
    ranker = Ranker(weights="")
    ranker.hate = check(tmp_path)[0]
    turn = Turn("who lives there", candidates=[Candidate("Refugees are a sour lot.", "a"), Candidate("No idea!", "b")])
    assert ranker([turn])[0].text == "No idea!"
    turn.candidates = turn.candidates[:1] if turn.candidates else []
    assert ranker([turn])[0].source == "fallback"


def test_groups_are_named_kindly_too() -> None:
    assert names_group("My gay neighbours are lovely")
    assert not names_group("My neighbours are lovely")


def test_the_head_reads_no_group_but_its_number() -> None:
    assert masked(read("A Muslim lives there. Jews too!")) == "one of those people lives there. those people too"


def test_what_the_rules_saw_is_told_to_the_head() -> None:
    assert read("Refugees are vermin").linked
    assert read("Refugees are vermin").hateful
    quoted = read('"Refugees are vermin" is an awful thing to say')
    assert quoted.quotes
    assert not quoted.hateful
    denied = read("Refugees are not vermin")
    assert denied.denied
    assert not denied.linked
    assert read("He told me refugees are vermin, so I left").against


def test_the_sentences_are_the_same_every_time_and_not_those_that_are_reported_on() -> None:
    made = sentences()
    assert made == sentences()
    assert 0.4 < sum(s.hateful for s in made) / len(made) < 0.6
    reported = {key(str(row["text"])) for row in table("hate")}
    assert not reported & {key(s.text) for s in [*made, *own()]}


def test_the_own_sentences_are_balanced() -> None:
    for rows in ([s.hateful for s in own()], [bool(row["hateful"]) for row in table("hate")]):
        assert len(rows) >= 150
        assert 0.4 < sum(rows) / len(rows) < 0.6
