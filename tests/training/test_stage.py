"""A stage from a folder of examples: trained on the real encoder, used by naming the folder."""

from __future__ import annotations

import json
import tomllib

import pytest

from chatbot import evaluate_show
from models.embedding import MiniLM
from models.intent import Encoder
from models.training import evaluate, scores, stage, tasks
from pipelines.errors import UsageError
from pipelines.turn import Turn

WORDS = {
    "order_pizza": ["a pizza please", "one pizza with ham", "bring me a pizza", "i want pizza", "pizza for two"],
    "lost_key": ["my key is gone", "i lost my keys", "where is my key", "cannot find the house key", "keys lost again"],
}
OPENINGS = ["", "hello, ", "so, ", "hm, ", "hey, ", "listen, ", "well, ", "oh, "]


@pytest.fixture
def folder(tmp_path):
    rows = [f'"{o}{text}",{label}' for label, texts in WORDS.items() for o in OPENINGS for text in texts]
    (tmp_path / "train.csv").write_text("text,intent\n" + "\n".join(rows), encoding="utf-8")
    test = ["pizza pizza,order_pizza", "no key anywhere,lost_key", "i want pizza,order_pizza"]
    (tmp_path / "test.csv").write_text("text,intent\n" + "\n".join(test), encoding="utf-8")
    (tmp_path / "SOURCE.txt").write_text("licence: our own\n", encoding="utf-8")
    return tmp_path


@pytest.mark.models
def test_a_head_from_a_folder_of_examples_is_used_by_naming_its_folder(folder):
    out = folder / "out"
    found = stage.train("intent", [folder], out, command="chatbot train intent")
    assert found["test_accuracy"] == 1.0
    card = tomllib.loads((out / "intent.toml").read_text(encoding="utf-8"))
    assert card["licence"] == "of the data: our own"
    assert card["run"]["leaked"] == 1
    assert card["files"][0]["path"] == "intent.safetensors"
    turn = Turn("a large pizza please")
    turn.embedding = MiniLM()([turn])[0]
    assert Encoder(str(out))([turn])[0].label == "order_pizza"


def test_several_sets_become_one_and_leaks_are_counted_over_all(folder, tmp_path):
    other = tmp_path / "nlu.jsonl"
    lines = [{"text": f"my cat number {i}", "intent": "cat"} for i in range(50)]
    other.write_text("\n".join(map(json.dumps, [*lines, {"text": "no key anywhere", "intent": "lost_key"}])))
    data = tasks.together("intent", [folder, other])
    assert data.labels[-1] == "cat"
    assert data.splits.leaked >= 1
    assert "no key anywhere" not in {e.text for e in data.splits["train"]}


def test_a_folder_without_examples_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no train\.csv"):
        tasks.together("intent", [tmp_path])
    with pytest.raises(UsageError, match=r"no emotions\.txt"):
        tasks.together("emotion", [tmp_path])


def test_the_report_folder_has_numbers_pictures_and_a_page(folder, tmp_path):
    report = evaluate.evaluate_own([evaluate.build("intent.rules")], folder)
    page = evaluate_show.write(tmp_path / "report", "intent.rules", report, "chatbot evaluate intent")
    text = page.read_text(encoding="utf-8")
    assert "accuracy" in text
    assert text.count("<svg") == 3
    assert "http-equiv" not in text
    assert "src=" not in text
    assert len(list(page.parent.glob("*.svg"))) == 3
    assert json.loads((page.parent / "report.json").read_text(encoding="utf-8"))["stage"] == "intent.rules"


def test_the_table_names_the_drop():
    report = {"banking77, as it is": {"accuracy": [0.9, 0.8, 0.95]}, "banking77, typos": {"accuracy": [0.7, 0.6, 0.8]}}
    table = evaluate.table(report)
    assert "-0.200" in table
    assert "SPACE-2" in table.splitlines()[0]


def test_confusions_and_trade_off():
    import numpy as np

    found = scores.confusion(np.array(["a", "a", "b"]), np.array(["b", "a", "b"]))
    assert found == {"labels": ["a", "b"], "counts": [[1, 1], [0, 1]]}
    points = scores.trade_off(np.array([0.9, 0.2]), np.array([True, False]), np.array([False, True]))
    assert points[0][1:] == (1.0, 0.0)
    assert points[25][1:] == (1.0, 1.0)


def test_every_score_of_a_label_has_an_interval_around_it(folder):
    report = evaluate.evaluate_own([evaluate.build("intent.rules")], folder, noisy=False)
    [found] = report.values()
    for name in ("accuracy", "macro-F1", "calibration error"):
        score, low, high = found[name]
        assert low <= score <= high


def test_a_label_that_a_resample_lacks_does_not_pull_macro_f1_down():
    import numpy as np

    truth = np.array([[1, 0], [1, 0]], dtype=bool)
    assert scores.macro_f1(truth, truth) == 1.0


def test_the_pictures_say_how_many_labels_there_are_and_where_the_stage_runs():
    bars = evaluate_show.bars({f"label {i}": i / 70 for i in range(70)})
    assert "the worst 60 of 70 labels" in bars
    assert "label 60" not in bars
    assert "worst" not in evaluate_show.bars({"a": 0.5})
    curve = evaluate_show.trade_off({"curve": [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0)], "now": [0.9, 0.6]})
    assert "as it runs: 0.900 at 0.600" in curve
    # A dark cell has light figures.
    cells = evaluate_show.confusion({"labels": ["a", "b"], "counts": [[3, 9], [1, 5]]})
    assert cells.count("fill:#fff") == 1


def test_the_operating_point_refuses_the_share_that_was_asked_and_no_more():
    import numpy as np

    from models.training.calibrate import operating_point

    likely = np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.6])  # the last four are out of scope
    sure = np.stack([likely, 1 - likely], axis=1)
    target = np.array([[1, 0]] * 2 + [[0, 1]] * 4, dtype=float)
    threshold = operating_point(sure, target, out_of_scope=1, recall=0.66)
    assert 0.3 <= threshold < 0.6
    assert (likely[2:] < threshold).mean() >= 0.66
