"""From scores of tags to spans, and what is refused as weights."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from models.tagger import FILE, Tagger, best_path, spans, tags_of
from pipelines.errors import WeightsError

LABELS = ["PERSON", "GPE"]
TAGS = tags_of(LABELS)


def scores(*best: str) -> np.ndarray:
    """Rows in which one tag stands out a little."""
    return np.array([[1.0 if tag == one else 0.0 for tag in TAGS] for one in best], dtype=np.float32)


def test_the_tags_are_outside_begin_and_inside():
    assert TAGS == ["O", "B-PERSON", "I-PERSON", "B-GPE", "I-GPE"]


def test_the_best_tags_are_taken_where_they_go_together():
    assert [TAGS[i] for i in best_path(scores("B-PERSON", "I-PERSON", "O", "B-GPE"))] == [
        "B-PERSON",
        "I-PERSON",
        "O",
        "B-GPE",
    ]


def test_an_inside_needs_a_beginning():
    rows = scores("O", "I-GPE")
    rows[1, TAGS.index("I-GPE")] = 5
    assert [TAGS[i] for i in best_path(rows)] == ["B-GPE", "I-GPE"]


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=5, max_size=5), min_size=1, max_size=12))
def test_no_path_breaks_the_order(rows):
    path = [TAGS[i] for i in best_path(np.array(rows, dtype=np.float32))]
    for before, tag in zip(["O", *path], path, strict=False):
        assert not tag.startswith("I-") or before[2:] == tag[2:]


def test_spans_go_from_the_first_word_to_the_last():
    path = [TAGS.index(tag) for tag in ("B-PERSON", "I-PERSON", "O", "B-GPE", "B-GPE")]
    where = [(1, 0, 4), (2, 5, 8), (3, 9, 11), (4, 12, 16), (5, 17, 20)]
    assert spans(path, where, LABELS) == [(0, 8, "PERSON"), (12, 16, "GPE"), (17, 20, "GPE")]


def test_what_is_no_tagger_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no tagger of words"):
        Tagger(tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / FILE, metadata={"entities": json.dumps({"base": "minilm"})})
    with pytest.raises(WeightsError, match="no tagger of words"):
        Tagger(tmp_path)
