"""Readers of the public formats, on files written here by hand."""

import json

import pytest

from models.training import datasets
from models.training.datasets import Example
from pipelines.errors import UsageError


def test_clinc150_has_the_out_of_scope_texts_in_each_split_and_no_leak(tmp_path):
    data = {
        "train": [["wake me at six", "alarm"], ["set a  Timer", "timer"]],
        "val": [["wake me early", "alarm"]],
        "test": [["set a timer", "timer"]],
        "oos_train": [["who built the tower", "oos"]],
        "oos_val": [],
        "oos_test": [["why do cats purr", "oos"]],
    }
    (tmp_path / "data_full.json").write_text(json.dumps(data))
    splits = datasets.clinc150(tmp_path)
    assert splits["train"] == [Example("wake me at six", ("alarm",)), Example("who built the tower", ("out_of_scope",))]
    assert Example("why do cats purr", ("out_of_scope",)) in splits["test"]


def test_csv_by_any_of_its_column_names_with_a_dev_split_held_out(tmp_path):
    rows = "".join(f'"my card, number {i}",lost_card\n' for i in range(20))
    (tmp_path / "train.csv").write_text("text,category\n" + rows)
    (tmp_path / "test.csv").write_text("text,category\nwhere is my card,lost_card\n")
    splits = datasets.intents_csv(tmp_path)
    assert {split: len(found) for split, found in splits.items()} == {"train": 18, "test": 1, "dev": 2}
    assert splits["train"][0] == Example("my card, number 0", ("lost_card",))


def test_csv_without_a_label_column_says_what_it_needs(tmp_path):
    (tmp_path / "train.csv").write_text("text,klass\nhi,greet\n")
    with pytest.raises(UsageError, match="category, intent or label"):
        datasets.intents_csv(tmp_path)


def test_rasa_yml_and_md_without_markup_and_doubles(tmp_path):
    yml = tmp_path / "nlu.yml"
    yml.write_text(
        'version: "3.1"\nnlu:\n- intent: order\n  examples: |\n    - one [large]{"entity": "size"} tea\n'
        "    - one large tea\n"
    )
    md = tmp_path / "nlu.md"
    md.write_text("## intent:leave\n- off to [Oslo](city) now\n\n## synonym:tea\n- cuppa\n")
    assert datasets.rasa(yml, md) == [
        Example("one large tea", ("order",)),
        Example("off to Oslo now", ("leave",)),
    ]


def test_personality_chat_numbers_its_scenarios(tmp_path):
    path = tmp_path / "chat.qna"
    path.write_text(
        "> # pairs\n\n# ? Do you swim?\n- Can you swim\n\n**Filters:**\n- editorial = x\n\n"
        "```markdown\nI sink.\n```\n\n# ? Sing!\n- a song please\n"
    )
    assert datasets.personality_chat(path) == [
        Example("Do you swim?", ("0",)),
        Example("Can you swim", ("0",)),
        Example("Sing!", ("1",)),
        Example("a song please", ("1",)),
    ]


def test_goemotions_names_its_labels(tmp_path):
    (tmp_path / "emotions.txt").write_text("joy\nfear\nneutral")
    for split, text in (("train", "so glad but scared\t0,1\tid1"), ("dev", "ok\t2\tid2"), ("test", "hm\t2\tid3")):
        (tmp_path / f"{split}.tsv").write_text(text + "\n")
    assert datasets.goemotions(tmp_path)["train"] == [Example("so glad but scared", ("joy", "fear"))]


def test_conll_takes_the_first_and_the_last_column(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Ada\tB-person\nlaughed\tO\n\t\n\nHi O\n")
    assert datasets.conll(path) == [(["Ada", "laughed"], ["B-person", "O"]), (["Hi"], ["O"])]


def test_leaks_are_counted_and_dropped_from_the_earlier_split():
    splits = {
        "train": [Example("Hello  there", ("a",)), Example("new", ("a",))],
        "dev": [Example("dev only", ("a",)), Example("again", ("a",))],
        "test": [Example("hello there", ("a",)), Example("again", ("a",))],
    }
    assert datasets.leaks(splits) == 1
    clean = datasets.without_leaks(splits)
    assert [e.text for e in clean["train"]] == ["new"]
    assert [e.text for e in clean["dev"]] == ["dev only"]
    assert clean["test"] == splits["test"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"data_full\.json"):
        datasets.clinc150(tmp_path)
