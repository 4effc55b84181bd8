"""The linear head: files, shapes, and the refusal of features that it was not trained on."""

import numpy as np
import pytest

from models import heads
from pipelines.errors import StageError, WeightsError
from pipelines.turn import Embedding, Turn


def embedded(*features: float, encoder: str = "toy") -> Turn:
    vector = np.array(features, dtype=np.float32)
    return Turn("", embedding=Embedding(vector, vector, encoder))


@pytest.fixture
def head() -> heads.Head:
    weight = np.array([[4, 0], [0, 4], [-4, -4]], dtype=np.float32)
    about = {"labels": ["up", "right", "out_of_scope"], "encoder": "toy", "several": False, "temperature": 2.0}
    return heads.Head(weight, np.array([0, 0, 0.5], dtype=np.float32), about)


def test_logits_are_linear_and_divided_by_the_temperature(head):
    assert head.logits(np.array([[1, 0.5]], dtype=np.float32)) == pytest.approx(np.array([[2, 1, -2.75]]))


def test_a_softmax_sums_to_one_and_logistics_are_independent(head):
    turns = [embedded(1, 0), embedded(0, 3)]
    assert head.probabilities(turns, "x").sum(axis=1) == pytest.approx([1, 1])
    several = heads.Head(head.weight, head.bias, {**head.about, "several": True})
    assert several.probabilities([embedded(0, 0)], "x")[0, :2] == pytest.approx([0.5, 0.5])


def test_what_is_saved_is_what_is_loaded(head, tmp_path):
    heads.save(head, tmp_path / "head.safetensors")
    again = heads.load(tmp_path / "head.safetensors")
    assert again.about == head.about
    assert (again.weight == head.weight).all()
    assert (again.bias == head.bias).all()


def test_features_of_another_encoder_are_refused_with_both_names(head):
    with pytest.raises(StageError, match=r'"toy".*"other"'):
        head.probabilities([embedded(1, 0, encoder="other")], "intent.encoder")


def test_a_turn_without_embedding_is_refused(head):
    with pytest.raises(StageError, match="no embedding"):
        head.probabilities([Turn("hi")], "intent.encoder")


def test_a_file_that_is_no_head_is_named(tmp_path):
    (tmp_path / "head.safetensors").write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="not a head"):
        heads.load(tmp_path / "head.safetensors")
    with pytest.raises(WeightsError, match="not a head"):
        heads.load(tmp_path / "missing.safetensors")


def test_labels_and_weights_must_agree(head, tmp_path):
    heads.save(heads.Head(head.weight, head.bias, {**head.about, "labels": ["one"]}), tmp_path / "head.safetensors")
    with pytest.raises(WeightsError, match="1 labels"):
        heads.load(tmp_path / "head.safetensors")


ABOUT_ONE = {"labels": ["up"], "encoder": "toy", "several": True}


def test_a_hidden_layer_is_saved_and_used(tmp_path):
    hidden, hidden_bias = np.array([[1.0, 0.0], [0.0, -1.0]], np.float32), np.array([0.0, 1.0], np.float32)
    head = heads.Head(np.array([[2.0, 3.0]], np.float32), np.zeros(1, np.float32), ABOUT_ONE, hidden, hidden_bias)
    heads.save(head, tmp_path / "head.safetensors")
    loaded = heads.load(tmp_path / "head.safetensors")
    features = np.array([[-1.0, 0.0], [2.0, 5.0]], np.float32)
    assert loaded.logits(features).tolist() == [[3.0], [4.0]]


def test_a_hidden_layer_that_does_not_fit_is_refused(tmp_path):
    hidden, hidden_bias = np.ones((3, 2), np.float32), np.ones(3, np.float32)
    head = heads.Head(np.ones((1, 2), np.float32), np.zeros(1, np.float32), ABOUT_ONE, hidden, hidden_bias)
    heads.save(head, tmp_path / "head.safetensors")
    with pytest.raises(WeightsError, match="hidden layer"):
        heads.load(tmp_path / "head.safetensors")
