"""MiniLM with its real weights: shape, length, order, batches, and texts that no person should be able to break."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.embedding import MiniLM
from pipelines.turn import Turn

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM()


def test_one_unit_vector_per_turn(minilm):
    values = minilm([Turn("My cat is asleep on the radiator."), Turn("What time does the shop close?")])
    assert [v.vector.shape for v in values] == [(384,), (384,)]
    assert all(v.vector.dtype == np.float32 for v in values)
    assert np.allclose([np.linalg.norm(v.vector) for v in values], 1, atol=1e-5)
    assert {v.encoder for v in values} == {minilm.name}


def test_near_in_meaning_is_near_in_space(minilm):
    cat, kitten, tax = minilm.encode(["The cat sleeps.", "A kitten is napping.", "I must file my tax return."])
    assert cat @ kitten > 0.5 > cat @ tax


def test_a_batch_gives_what_one_by_one_gives_in_the_same_order(minilm):
    texts = ["ok", "I went to the market and forgot what I came for, again.", "", "lol 😂😂", "why though?"]
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([t]) for t in texts])
    assert np.allclose(together, alone, atol=1e-4)


def test_no_texts_give_no_vectors(minilm):
    assert minilm.encode([]).shape == (0, 384)


def test_a_very_long_text_is_cut(minilm):
    assert np.isfinite(minilm.encode(["rain " * 50_000])).all()


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text_has_a_unit_vector(minilm, text):
    assert np.linalg.norm(minilm.encode([text])[0]) == pytest.approx(1, abs=1e-4)


def test_a_lone_surrogate_is_no_reason_to_fail(minilm):
    assert np.isfinite(minilm.encode(["broken \ud83d emoji"])).all()
