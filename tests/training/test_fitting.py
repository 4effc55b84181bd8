"""What is fitted and what is measured, on numbers whose answer is known."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import heads
from models.training import calibrate, fitting, noise, scores

RNG = np.random.default_rng(0)


def clouds(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds of points, and which of them each point is of, as (n, 3) zeros and ones."""
    which = RNG.integers(0, 3, n)
    centres = np.array([[3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0]], dtype=float)
    return centres[which] + RNG.normal(size=(n, 4)) * [1, 1, 1, 0], np.eye(3)[which]


def test_a_softmax_learns_clouds_and_survives_a_feature_that_never_changes():
    x, y = clouds()
    weight, bias = fitting.fit(x, y, several=False, epochs=20)
    assert np.isfinite(weight).all()
    assert ((x @ weight.T + bias).argmax(1) == y.argmax(1)).mean() > 0.9


def test_logistics_learn_labels_that_come_together():
    x = RNG.normal(size=(400, 2))
    y = (x > 0).astype(float)
    weight, bias = fitting.fit(x, y, several=True, epochs=200)
    assert (((x @ weight.T + bias) > 0) == (y > 0.5)).mean() > 0.95


def test_a_hidden_layer_learns_what_no_line_can_and_is_the_same_every_time():
    x = RNG.normal(size=(1000, 2))
    y = (x[:, :1] * x[:, 1:] > 0).astype(float)
    fitted = fitting.fit_hidden(x, y, epochs=40, dropout=0.0)
    assert ((fitted.logits(x) > 0) == (y > 0.5)).mean() > 0.9
    assert fitted.hidden.shape == (192, 2)
    assert (fitting.fit_hidden(x, y, epochs=40, dropout=0.0).weight == fitted.weight).all()


def test_temperature_cools_a_model_that_is_too_sure():
    x, y = clouds()
    logits = x[:, :3] * 20
    assert fitting.best_temperature(logits, y, several=False) > 2


def test_platt_takes_back_a_shift():
    p = RNG.uniform(0.02, 0.98, 4000)
    target = (RNG.uniform(size=4000) < p).astype(float)[:, None]
    logits = np.log(p / (1 - p))[:, None] * 2 + 1.5
    scale, shift = fitting.platt(logits, target)
    again = 1 / (1 + np.exp(-(logits * scale + shift)))
    assert abs(again[:, 0] - p).mean() < 0.03


def test_thresholds_find_the_gap_between_yes_and_no():
    sure = np.array([[0.1], [0.2], [0.3], [0.7], [0.8]])
    target = np.array([[0], [0], [0], [1], [1]])
    assert 0.3 < fitting.best_thresholds(target, sure)[0] <= 0.7


def test_ridge_finds_a_linear_map():
    x = RNG.normal(size=(200, 3))
    true = np.array([[1, 2, 0], [0, -1, 0.5]])
    weight, bias = calibrate.ridge(x, x @ true.T + [1, -1], penalty=1e-6)
    assert weight == pytest.approx(true, abs=1e-3)
    assert bias == pytest.approx([1, -1], abs=1e-3)


def test_the_operating_point_refuses_the_unsure_and_keeps_the_sure():
    sure = np.array([[0.9, 0.05, 0.05]] * 50 + [[0.4, 0.3, 0.3]] * 20)
    target = np.array([[1, 0, 0]] * 50 + [[0, 0, 1]] * 20)
    assert 0.4 < calibrate.operating_point(sure, target, out_of_scope=2) <= 0.9


def test_a_calibrated_head_keeps_its_answers():
    x, y = clouds()
    weight, bias = fitting.fit(x, y, several=False, epochs=10)
    about = {"labels": ["a", "b", "out_of_scope"], "several": False, "encoder": "toy"}
    head, accuracy = calibrate.calibrate(heads.Head(weight, bias, about), x, y)
    assert (head.logits(x).argmax(1) == (x @ weight.T + bias).argmax(1)).all()
    assert accuracy > 0.85
    assert head.about["threshold"] > 0


def test_f1_by_hand():
    truth = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]])
    said = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=bool)
    assert scores.f1_per_label(truth, said) == pytest.approx([0.5, 1, 0])


def test_calibration_error_by_hand():
    assert scores.calibration_error(np.array([0.9, 0.9]), np.array([1.0, 0.0])) == pytest.approx(0.4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40))
def test_auroc_is_the_share_of_pairs_in_the_right_order(rows):
    score, positive = np.array([s for s, _ in rows]), np.array([p for _, p in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    found = scores.auroc(score, positive)
    assert found == pytest.approx(np.mean(pairs)) if pairs else np.isnan(found)


def test_an_interval_holds_the_score():
    right = np.arange(200) % 4 != 0
    low, high = scores.interval(200, lambda rows: float(right[rows].mean()))
    assert 0.65 < low < 0.75 < high < 0.85


@given(st.text(max_size=80), st.integers())
def test_noise_takes_any_text(text, seed):
    rng = random.Random(seed)
    assert len(noise.typos(text, rng).split()) <= len(text.split())
    assert noise.lower(text, rng) == text.lower().rstrip(".")
    assert len(noise.with_emoji(text, rng)) > len(text)


def test_a_typo_is_one_slip():
    slipped = {noise.slip("banana", random.Random(seed)) for seed in range(50)}
    assert len(slipped) > 5
    assert all(5 <= len(text) <= 7 and text[0] in "ba" for text in slipped)
