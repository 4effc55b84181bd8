"""Sets of tagged words: read in each format, told apart by what their tags mean, trained to a stage of one's own."""

from __future__ import annotations

import json
import tomllib

import pytest

from models.entities import Encoder
from models.training import entities, entity_data
from models.training.entity_data import Set
from pipelines.errors import UsageError
from pipelines.turn import Turn


def test_columns_are_told_apart_by_split_and_begin_each_span_anew(tmp_path):
    (tmp_path / "my.train.conll").write_text("Ada\tI-PER\nLovelace\tI-PER\nlaughed\tO\n\nin\tO\nBath\tI-LOC\n")
    (tmp_path / "my.test.conll").write_text("Bob\tI-PER\n")
    found = entity_data.read(tmp_path)
    assert found.splits["train"][0] == (["Ada", "Lovelace", "laughed"], ["B-PER", "I-PER", "O"])
    assert {split: len(part) for split, part in found.splits.items()} == {"train": 2, "test": 1}
    assert found.kinds == {"LOC": ("GPE", "LOC", "FAC"), "PER": ("PERSON",)}
    assert found.silent == ("EVENT", "PET")


def test_labels_of_ones_own_stand_for_themselves(tmp_path):
    (tmp_path / "food.conll").write_text("a O\nbig O\nramen B-DISH\n")
    found = entity_data.read(tmp_path / "food.conll")
    assert found.kinds == {"DISH": ("DISH",)}
    assert found.silent == ()


def test_marked_names_keep_their_place():
    (words, tags) = entity_data.tagged("so, miso's bowl", [(4, 8, "PET")])
    assert list(zip(words, tags, strict=True)) == [
        ("so", "O"),
        (",", "O"),
        ("miso", "B-PET"),
        ("'", "O"),
        ("s", "O"),
        ("bowl", "O"),
    ]


def test_rasa_mark_up(tmp_path):
    (tmp_path / "x.md").write_text("# notes\n\n- [Ann Lee](PERSON) fed [miso](PET)\n- nobody\n")
    assert entity_data.read(tmp_path / "x.md").splits["train"] == [
        (["Ann", "Lee", "fed", "miso"], ["B-PERSON", "I-PERSON", "O", "B-PET"]),
        (["nobody"], ["O"]),
    ]


def test_restaurant8k_names_are_persons(tmp_path):
    labels = [
        {"slot": "first_name", "valueSpan": {"startIndex": 3, "endIndex": 6}},
        {"slot": "last_name", "valueSpan": {"startIndex": 7, "endIndex": 10}},
        {"slot": "time", "valueSpan": {"startIndex": 11, "endIndex": 14}},
    ]
    (tmp_path / "train_0.json").write_text(json.dumps([{"userInput": {"text": "im Ann Lee 8pm"}, "labels": labels}]))
    assert entity_data.read(tmp_path / "train_0.json").splits["train"] == [
        (["im", "Ann", "Lee", "8pm"], ["O", "B-PERSON", "I-PERSON", "O"])
    ]


def test_a_folder_without_tagged_words_is_named(tmp_path):
    with pytest.raises(UsageError, match="no CoNLL columns"):
        entity_data.read(tmp_path)


def test_a_column_of_other_things_is_named(tmp_path):
    (tmp_path / "x.conll").write_text("Ada NNP\n")
    with pytest.raises(UsageError, match=r"x\.conll: the last column must be .* 'NNP'"):
        entity_data.read(tmp_path / "x.conll")


def test_a_tag_allows_all_that_it_may_mean_and_silence_is_no_mistake():
    one = Set("x", {"train": [(["in", "Bath"], ["O", "B-location"])]}, silent=("PET",))
    labels = ["FAC", "GPE", "LOC", "PERSON", "PET"]
    (row,) = entities.rows([one], labels)
    tags = entities.tags_of(labels)
    allowed = [{tag for tag, may in zip(tags, mask, strict=True) if may} for mask in row.allowed]
    assert allowed == [{"O", "B-PET", "I-PET"}, {"B-FAC", "B-GPE", "B-LOC"}]
    assert row.named


def test_what_a_later_split_holds_is_dropped():
    first = Set("a", {"train": [(["Hi", "Bob"], ["O", "B-x"]), (["ok"], ["O"])]})
    second = Set("b", {"test": [(["hi", "bob"], ["O", "B-x"])]})
    assert entities.without_leaks([first, second]) == 1
    assert first.splits["train"] == [(["ok"], ["O"])]


@pytest.mark.models
def test_labels_of_ones_own_become_a_stage(tmp_path):
    dishes = ["ramen", "goulash", "paella", "lasagne", "curry", "falafel", "chili", "borscht"]
    lines = [f"- {a} [{dish}](DISH) {b}" for dish in dishes for a in ("we had", "i cooked") for b in ("today", "again")]
    (tmp_path / "food.md").write_text("\n".join([*lines, *["- we had a fight today", "- i cooked again"] * 3]))
    out = tmp_path / "out"
    entities.train([tmp_path / "food.md"], out, epochs=12, frozen_layers=5, licence="our own", command="chatbot train")
    card = tomllib.loads((out / "entities.toml").read_text(encoding="utf-8"))
    assert card["licence"] == "of the data: our own"
    assert card["files"][0]["path"] == "entities.safetensors"
    found = Encoder(str(out))([Turn("we had pizza and 2 beers")])[0]
    assert ("pizza", "DISH") in {(e.text, e.label) for e in found}
