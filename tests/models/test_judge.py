"""What the judge of replies reads, and what its weights make of plain cases."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from models.hub import fetch
from models.judge import FILE, MAX_TOKENS, Judge, context, tokenizer_of, tokens
from pipelines.errors import WeightsError
from pipelines.turn import Fact, Memory, Moment, Turn, Utterance

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(fetch("judge"))


def test_it_reads_what_is_known_recalled_and_said_last() -> None:
    turn = Turn(
        "he ate my sock 😂",
        history=[Utterance("companion", "What did he do?", NOW), Utterance("person", "guess", NOW)],
        profile=[Fact("name", "Bruno", "dog"), Fact("name", "Pixel", "companion")],
        memories=[Memory(Moment(1, "person", "bruno eats everything", NOW), 1.0)],
    )
    assert context(turn) == "Bruno / bruno eats everything / What did he do? / he ate my sock face with tears of joy"
    assert context(Turn("hi")) == "hi"


TOKENIZER = cache(lambda: tokenizer_of(fetch("minilm")))


@given(st.lists(st.tuples(st.text(max_size=900), st.text(max_size=900)), min_size=1, max_size=4))
def test_any_text_is_cut_to_the_limit_and_the_reply_is_marked(pairs: list[tuple[str, str]]) -> None:
    ids, kinds, mask = tokens(TOKENIZER(), pairs)
    assert ids.shape == kinds.shape == mask.shape
    assert ids.shape[1] <= MAX_TOKENS
    assert (kinds.sum(1) >= 1).all()
    assert ((kinds == 1) <= (mask == 1)).all()


@pytest.mark.parametrize(
    ("message", "fits", "does_not"),
    [
        ("my dog died this morning", "Oh no, I'm so sorry about your dog.", "That's great! What a fun day."),
        ("i passed the exam!!", "Well done! You worked hard for that exam.", "I'm sorry, that must hurt."),
        ("cant sleep again", "That's hard. What keeps you awake?", "The soup needs more salt."),
        ("my boss yelled at me", "That's not fair. What happened?", "Have fun at the beach with your cat!"),
    ],
)
def test_what_fits_is_judged_higher(judge: Judge, message: str, fits: str, does_not: str) -> None:
    good, bad = judge(Turn(message), [fits, does_not])
    assert good > bad


def test_a_broken_file_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=FILE):
        Judge(tmp_path)


@pytest.mark.parametrize("header", ["{}", "[]", '{"base": "minilm"}', '{"base": "minilm", "weights": {}}'])
def test_a_file_without_its_layers_or_header_is_refused(tmp_path: Path, header: str) -> None:
    head = {"out.weight": np.zeros((1, 768), dtype=np.float32), "out.bias": np.zeros(1, dtype=np.float32)}
    save_file(head, tmp_path / FILE, metadata={"judge": header})
    with pytest.raises(WeightsError, match="no judge"):
        Judge(tmp_path)
