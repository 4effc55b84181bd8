"""The chat test is independent, well formed and spread; and its scores count what they say."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chatbot.assemble import read_config
from chatbot.cli import main
from models import heads
from models.hub import fetch
from models.training import evaluate_chat as chat
from pipelines.errors import StageError, UsageError
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Emotion, Entity, Fact, Intent, Turn

ROOT = Path(__file__).resolve().parents[2]
ROWS = chat.load()


def normalised(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower())) or text.strip()


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


# -- the messages


def test_no_message_is_in_what_is_trained_or_tuned_on() -> None:
    ours = {normalised(row["text"]) for row in ROWS}
    files = [*(ROOT / "models/training").rglob("*.jsonl"), *(ROOT / "tests/models").glob("facts_*.jsonl")]
    assert len(files) >= 9
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        seen = {normalised(text) for line in lines for text in strings(json.loads(line))}
        assert not sorted(ours & seen), path.name


def test_there_are_600_messages_of_all_kinds() -> None:
    assert len(ROWS) == len({normalised(row["text"]) for row in ROWS}) == 600
    assert len({label for row in ROWS for label in row["intents"]}) >= 90
    assert sum(len(row["intents"]) > 1 or row["intents"] == ["out_of_scope"] for row in ROWS) >= 60
    emotions = Counter(label for row in ROWS for label in row["emotions"])
    assert len(emotions) == 28
    assert min(emotions.values()) >= 8
    assert 0.25 <= emotions["neutral"] / 600 <= 0.35
    assert sum(row["text"] == row["text"].lower() for row in ROWS) >= 500


def test_the_labels_are_known_and_the_spans_are_in_the_text() -> None:
    intents = set(heads.load(fetch("intent") / "intent.safetensors").labels)
    for row in ROWS:
        assert set(row["intents"]) <= intents, row
        assert len(row["emotions"]) == 1 or "neutral" not in row["emotions"], row
        for entity in row["entities"]:
            start, text = entity["start"], entity["text"]
            assert row["text"][start : start + len(text)] == text, row
            assert entity["label"] in chat.ENTITIES, row
            if len(entity.get("value", "")) >= 10:
                datetime.fromisoformat(entity["value"])
        assert all("=" in fact for fact in row["facts"]), row


def test_a_weekday_has_the_date_of_that_weekday() -> None:
    days = [
        (e["text"].split()[-1], datetime.fromisoformat(e["value"]))
        for row in ROWS
        for e in row["entities"]
        if e["text"].endswith("day") and len(e.get("value", "")) == 10
    ]
    named = [(text, day) for text, day in days if text not in ("today", "yesterday", "2day")]
    assert len(named) >= 10
    assert all(f"{day:%A}".lower() == text for text, day in named)


# -- the scores


def row(text: str, intents: list[str], emotions: list[str], entities: Any = (), facts: Any = ()) -> chat.Row:
    at = "2026-06-27T23:10+00:00"
    return {"text": text, "at": at, "intents": intents, "emotions": emotions, "entities": entities, "facts": facts}


def test_any_of_the_true_intents_is_right_and_out_of_scope_is_counted() -> None:
    rows = [row(t, i, ["joy"]) for t, i in (("a", ["x", "y"]), ("b", ["x"]), ("c", ["out_of_scope"]))]
    turns = [Turn("a"), Turn("b"), Turn("c")]
    turns[0].intent, turns[1].intent = Intent("y", 0.9), Intent("out_of_scope", 0.8, (("x", 0.1),), in_scope=False)
    turns[2].intent = Intent("out_of_scope", 0.7, in_scope=False)
    found = chat.intents(rows, turns)
    assert found["accuracy"][0] == pytest.approx(2 / 3)
    assert found["in-scope accuracy"][0] == 0.5
    assert found["out-of-scope recall"][0] == 1.0
    assert found["out-of-scope precision"][0] == 0.5
    # x: said nowhere, once there; out_of_scope: right once, said twice. y is first nowhere.
    assert found["macro-F1"][0] == pytest.approx((0 + 2 / 3) / 2)
    assert found["pictures"]["confusion"]["labels"] == ["x", "out_of_scope"]


def test_the_main_emotion_is_met_by_any_true_one_and_named_only_by_itself() -> None:
    rows = [row("a", ["x"], ["joy", "pride"]), row("b", ["x"], ["fear"])]
    turns = [Turn("a"), Turn("b")]
    turns[0].emotion = Emotion({"pride": 0.9, "joy": 0.1}, ("pride",), 0.5)
    turns[1].emotion = Emotion({"joy": 0.6, "fear": 0.5}, ("joy", "fear"), 0.0)
    found = chat.emotions(rows, turns)
    assert found["main emotion met"][0] == 0.5
    assert found["main emotion named"][0] == 0.5
    # fear 1, joy 0 (one missed, one wrong), pride 1
    assert found["macro-F1"][0] == pytest.approx(2 / 3)


def test_spans_are_strict_numbers_left_out_and_values_compared() -> None:
    entities = [
        {"text": "ann lee", "label": "PERSON", "start": 0},
        {"text": "monday", "label": "DATE", "start": 11, "value": "2026-06-29"},
    ]
    rows = [row("ann lee on monday at 7", ["x"], ["joy"], entities)]
    turn = Turn("ann lee on monday at 7")
    turn.entities = [
        Entity("ann", "PERSON", 0, 3),
        Entity("monday", "DATE", 11, 17, "2026-06-29"),
        Entity("7", "CARDINAL", 21, 22),
    ]
    found = chat.entities(rows, [turn])
    assert found["span F1"][0] == 0.5
    assert found["values of dates and times"][0] == 1.0
    assert found["pictures"]["per label"] == {"DATE": 1.0, "PERSON": 0.0}


def test_facts_that_may_come_or_not_count_for_nothing() -> None:
    rows = [row("a", ["x"], ["joy"], facts=["name=Ann", "?home=York"]), row("b", ["x"], ["joy"])]
    turns = [Turn("a"), Turn("b")]
    turns[0].facts = [Fact("name", "ann"), Fact("home", "york")]
    turns[1].facts = [Fact("age", "7")]
    found = chat.facts(rows, turns)
    assert (found["precision"][0], found["recall"][0]) == (0.5, 1.0)


def test_a_stage_that_fails_stops_the_evaluation() -> None:
    class Broken:
        needs = ()

        def __call__(self, turns: Any) -> Any:
            raise RuntimeError("no")

    with pytest.raises(StageError, match=r"intent\.broken"):
        chat.evaluate(Pipeline([Step("intent", "broken", Broken())]), ROWS[:2])


def test_a_file_that_is_no_chat_test_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        chat.load(tmp_path / "none.jsonl")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "hi"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.jsonl:1"):
        chat.load(bad)


def test_only_the_stages_of_understanding_are_built() -> None:
    chain = chat.understanding(read_config("tiny"))
    assert [step.slot for step in chain.steps] == ["intent", "entities", "emotion", "facts"]


def test_the_command_prints_a_table_and_writes_a_page(tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(json.dumps(r) + "\n" for r in ROWS[:40]), encoding="utf-8")
    out = tmp_path / "report"
    options = ["--config", "tiny", "--data", str(few), "--no-noise", "--out", str(out)]
    done = CliRunner().invoke(main, ["evaluate", "chat", *options])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("tiny.toml, 40 chat messages")
    for what in ("intents, as it is: macro-F1", "emotions, as it is: main emotion met", "facts, as it is: recall"):
        assert f"chat {what}" in done.output
    assert "<svg" in (out / "index.html").read_text(encoding="utf-8")
