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


def test_rasa_yml_with_examples_as_a_list_and_what_is_no_intent(tmp_path):
    yml = tmp_path / "nlu.yml"
    yml.write_text(
        'version: "3.1"\n'
        "nlu:\n"
        "# a note of the authors\n"
        "- intent: order/tea\n"
        "  metadata:\n"
        "    owner: us\n"
        "  examples:\n"
        "  - text: |\n"
        '      tea with [oat milk]{"entity": "extra", "value": "oat"} please\n'
        "    metadata:\n"
        "      sentiment: polite\n"
        '  - text: "and a biscuit"\n'
        "- synonym: tea\n"
        "  examples: |\n"
        "    - cuppa\n"
        "- lookup: extra\n"
        "  examples: |\n"
        "    - oat milk\n"
        "- regex: size\n"
        "  examples: |\n"
        "    - \\d+ ml\n"
        "- intent: leave\n"
        "  examples: |\n"
        "    - bye\n"
        "      for now\n"
        "    * see you\n"
        "stories:\n"
        "- story: one\n"
        "  steps:\n"
        "  - intent: leave\n"
    )
    assert datasets.rasa(yml) == [
        Example("tea with oat milk please", ("order/tea",)),
        Example("and a biscuit", ("order/tea",)),
        Example("bye for now", ("leave",)),
        Example("see you", ("leave",)),
    ]


def test_rasa_md_with_any_bullet_comments_and_values(tmp_path):
    md = tmp_path / "nlu.md"
    md.write_text(
        "<!-- ours -->\n## intent: pay\n- pay in [yen](currency:JPY) <!-- a synonym -->\n* split the bill\n+ cash\n"
        "## regex:zip\n- [0-9]{5}\n## lookup:currency\ncoins.txt\n"
    )
    assert datasets.rasa(md) == [
        Example("pay in yen", ("pay",)),
        Example("split the bill", ("pay",)),
        Example("cash", ("pay",)),
    ]


def test_rasa_yml_that_is_no_yaml_is_named_with_its_line(tmp_path):
    yml = tmp_path / "nlu.yml"
    yml.write_text('nlu:\n- intent: a\n  examples: "- not closed\n')
    with pytest.raises(UsageError, match=r"nlu\.yml:\d+: this is not YAML"):
        datasets.rasa(yml)


COLUMNS = ("userid", "answerid", "scenario", "intent", "status", "answer_annotation", "notes", "suggested_entities")
HWU64 = ";".join([*COLUMNS, "answer_normalised", "answer", "question"])


def test_hwu64_as_its_authors_publish_it(tmp_path):
    path = tmp_path / "NLU-Data-Home-Domain-Annotated-All.csv"
    rows = [
        '1;11;lamp;dim;;"dim the [place : hall] lamp to [level : ten percent]";;;dim it;"Dim it; please";"How?"',
        "1;12;lamp;dim;IRR_XR;not about lamps;;;not about lamps;Not about lamps;How?",
        "2;13;lamp;on;MOD;light [place : upstairs];null;;lights upstairs;Lights upstairs!;How?",
        "2;14;;;;;;;;;",
    ]
    path.write_text("\n".join([HWU64, *rows]) + "\n", encoding="utf-8")
    assert datasets.hwu64(path) == [
        Example("dim the hall lamp to ten percent", ("lamp_dim",)),
        Example("light upstairs", ("lamp_on",)),
    ]


def test_hwu64s_folds_have_a_file_for_each_intent(tmp_path):
    head = "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user\n"
    (tmp_path / "trainset").mkdir()
    (tmp_path / "testset" / "csv").mkdir(parents=True)
    rows = "".join(f'{i};lamp;on;"lamp {i} in [place : hall]";"lamp {i} in hall";"Lamp"\n' for i in range(20))
    (tmp_path / "trainset" / "lamp_on.csv").write_text(head + rows)
    (tmp_path / "testset" / "csv" / "lamp_on.csv").write_text(
        head + '30;lamp;on;"lamp 3 in hall";"lamp 3 in hall";"x"\n'
    )
    splits = datasets.hwu64_fold(tmp_path)
    assert splits["test"] == [Example("lamp 3 in hall", ("lamp_on",))]
    assert splits.leaked == 1
    assert (len(splits["train"]), len(splits["dev"])) == (18, 1)


def test_hwu64_split_by_others_into_train_val_and_test(tmp_path):
    for name, text in (("train", "lamp on"), ("val", "lamp on now"), ("test", '"lamp, on"')):
        (tmp_path / f"{name}.csv").write_text(f"text,category\n{text},iot_hue_lighton\n")
    splits = datasets.intents_csv(tmp_path)
    assert {split: found[0].text for split, found in splits.items()} == {
        "train": "lamp on",
        "dev": "lamp on now",
        "test": "lamp, on",
    }


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
