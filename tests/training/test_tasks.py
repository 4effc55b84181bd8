"""The label set and the project's own examples: consistent, documented, nothing under two names."""

import pytest

from models import heads
from models.hub import fetch
from models.training import datasets, tasks
from pipelines.errors import UsageError


def test_each_label_of_other_sets_is_mapped_once():
    entries = tasks.intent_labels().values()
    theirs = [label for entry in entries for kind in ("rasa", "personality_chat") for label in entry.get(kind, ())]
    assert len(theirs) == len(set(theirs))


def test_every_intent_of_our_own_says_what_it_is_and_no_description_is_given_twice():
    about = [entry["about"] for entry in tasks.intent_labels().values() if "about" in entry]
    assert len(about) == len(set(about)) > 70


def test_our_examples_have_known_intents_and_none_twice():
    own = datasets.jsonl(tasks.OWN)
    keys = [datasets.key(e.text) for e in own]
    assert len(keys) == len(set(keys)) > 1000
    assert {e.labels[0] for e in own} <= set(tasks.intent_labels())


def test_the_split_of_a_text_never_changes():
    parts = [tasks._part(f"text {i}") for i in range(2000)]
    assert parts == [tasks._part(f"text {i}") for i in range(2000)]
    assert 0.15 < parts.count("test") / 2000 < 0.25
    assert 0.06 < parts.count("dev") / 2000 < 0.14


def test_a_folder_of_a_users_own(tmp_path):
    (tmp_path / "train.csv").write_text(
        "text,label\n" + "".join(f"tea {i},tea\ncoffee {i},coffee\n" for i in range(10))
    )
    data = tasks.load("intent", tmp_path)
    assert data.labels == ["coffee", "tea"]
    assert len(data.splits["train"]) == 18


def test_the_formats_are_told_apart_by_what_lies_in_the_folder(tmp_path):
    hwu = tmp_path / "hwu" / "AnnotatedData"
    hwu.mkdir(parents=True)
    rows = "".join(f"{i};lamp;{what};;lamp {i} {what}\n" for i in range(30) for what in ("on", "off"))
    (hwu / "NLU-Data-Home-Domain-Annotated-All.csv").write_text("id;scenario;intent;status;answer_annotation\n" + rows)
    for path in (tmp_path / "hwu", hwu, hwu / "NLU-Data-Home-Domain-Annotated-All.csv"):
        assert tasks.load("intent", path).labels == ["lamp_off", "lamp_on"]
    rasa = tmp_path / "bot" / "data" / "nlu"
    rasa.mkdir(parents=True)
    lines = "".join(f"    - tea {i}\n" for i in range(30))
    (rasa / "drinks.yml").write_text(f"nlu:\n- intent: tea\n  examples: |\n{lines}")
    (tmp_path / "bot" / "domain.yml").write_text("intents:\n- tea\n")
    (tmp_path / "bot" / "config.yml").write_text("")
    assert tasks.load("intent", tmp_path / "bot").labels == ["tea"]
    assert tasks.load("intent", rasa / "drinks.yml").labels == ["tea"]
    one = tmp_path / "mine.csv"
    one.write_text("text,label\n" + "".join(f"hi {i},greet\n" for i in range(30)))
    assert tasks.load("intent", one).labels == ["greet"]


def test_a_folder_with_nothing_to_read_says_what_is_read(tmp_path):
    with pytest.raises(UsageError, match=r"train\.csv"):
        tasks.load("intent", tmp_path)
    with pytest.raises(UsageError, match="no task"):
        tasks.load("mood", tmp_path)


def test_the_shipped_head_knows_exactly_the_documented_intents_and_clinc150s():
    labels = set(heads.load(fetch("intent") / "intent.safetensors").labels)
    assert set(tasks.intent_labels()) <= labels
    parents = {entry["parent"] for entry in tasks.intent_labels().values() if "parent" in entry}
    assert parents <= labels
    own = {label for label, entry in tasks.intent_labels().items() if "about" in entry}
    assert len(labels - own - {"out_of_scope"}) == 150
