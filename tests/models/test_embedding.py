"""MiniLM with its real weights: shape, length, order, batches, and texts that no person should be able to break."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from models.embedding import MiniLM
from pipelines.errors import WeightsError
from pipelines.turn import Turn

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM(tuned="")


def test_one_unit_vector_per_turn(minilm):
    values = minilm([Turn("My cat is asleep on the radiator."), Turn("What time does the shop close?")])
    assert [v.vector.shape for v in values] == [(384,), (384,)]
    assert all(v.vector.dtype == np.float32 for v in values)
    assert np.allclose([np.linalg.norm(v.vector) for v in values], 1, atol=1e-5)
    assert {v.encoder for v in values} == {minilm.name}


def test_near_in_meaning_is_near_in_space(minilm):
    cat, kitten, tax = minilm.encode(["The cat sleeps.", "A kitten is napping.", "I must file my tax return."])
    assert cat @ kitten > 0.5 > cat @ tax


def test_a_batch_gives_what_one_by_one_gives_in_the_same_order():
    minilm = MiniLM(tuned="", int8=False)
    texts = ["ok", "I went to the market and forgot what I came for, again.", "", "lol 😂😂", "why though?"]
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([t]) for t in texts])
    assert np.allclose(together, alone, atol=1e-4)


def test_in_int8_a_batch_is_near_what_one_by_one_gives_and_does_not_mix_its_texts(minilm):
    texts = [f"message number {i}, and nothing else happened today" for i in range(32)]
    together, alone = minilm.encode(texts), np.concatenate([minilm.encode([t]) for t in texts])
    assert (together * alone).sum(1).min() > 0.98
    assert np.allclose(minilm.encode([*texts[:31], "!" * 3000])[:31], minilm.encode(texts)[:31], atol=0.02)


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


@pytest.fixture(scope="module")
def tuned(minilm, tmp_path_factory):
    """A file of tuned layers that changes nothing but the vector's direction: the second half is read backwards."""
    folder = tmp_path_factory.mktemp("tuned")
    layers = {k: v.clone() for k, v in minilm.model.state_dict().items() if k.startswith("encoder.")}
    layers["recall.weight"] = torch.cat([torch.zeros(384, 384), -torch.eye(384)], dim=1)
    layers["recall.bias"] = torch.zeros(384)
    header = {"encoder": json.dumps({"name": "backwards", "base": "minilm"})}
    save_file(layers, folder / "encoder.safetensors", metadata=header)
    return folder


def test_tuned_layers_give_their_name_their_vector_and_wider_features(minilm, tuned):
    other = MiniLM(tuned=str(tuned))
    value = other([Turn("rain again")])[0]
    assert value.encoder == "backwards"
    assert value.features.shape == (768,)
    assert value.vector == pytest.approx(-minilm.encode(["rain again"])[0], abs=1e-5)
    assert (value.features[384:] == value.vector).all()


def test_one_copy_in_memory_however_many_read_with_it(tuned):
    first, second, plain = MiniLM(tuned=str(tuned)), MiniLM(tuned=str(tuned)), MiniLM(tuned="")
    assert first.model is second.model
    assert first.model is not plain.model


def test_layers_tuned_on_other_weights_are_refused(minilm, tuned, tmp_path):
    save_file({"recall.weight": torch.zeros(2, 2)}, tmp_path / "encoder.safetensors")
    with pytest.raises(WeightsError, match="no tuned layers"):
        MiniLM(tuned=str(tmp_path))
    header = {"encoder": json.dumps({"name": "x", "base": "another"})}
    state = {"recall.weight": torch.zeros(2, 2), "recall.bias": torch.zeros(2)}
    save_file(state, tmp_path / "encoder.safetensors", metadata=header)
    with pytest.raises(WeightsError, match='"another", not on "minilm"'):
        MiniLM(tuned=str(tmp_path))
