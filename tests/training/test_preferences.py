"""Prompts for judging candidates, and what was judged: there and back again, without a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.training import preferences
from models.training.reply import held_out, read_talks


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Three prompts with candidates, and their sheet in a folder beside them."""
    chosen = preferences.prompts(3, 2)[:3]
    said = [["one", -1.0, 1, "model"], ["two", -2.0, 0, "model"], ["A written reply.", 0.0, 1, "template"]]
    path = tmp_path / "written.jsonl"
    path.write_text("".join(json.dumps({**p, "candidates": said}) + "\n" for p in chosen), encoding="utf-8")
    preferences.sheets(path, tmp_path / "sheets")
    return path


def judge(sheet: Path, change: dict[str, Any] | None = None) -> None:
    lines = []
    for asked in (json.loads(line) for line in sheet.read_text(encoding="utf-8").splitlines()):
        place = {text: number for number, text in asked["candidates"].items()}
        answer = {"id": asked["id"], "best": int(place["one"]), "bad": {place["two"]: "cut_off"}}
        lines.append(json.dumps({**answer, **(change or {})}))
    sheet.with_suffix(".out.jsonl").write_text("\n".join(lines), encoding="utf-8")


def test_prompts_are_the_same_every_time_and_hold_what_the_model_is_told() -> None:
    first = preferences.prompts(20, 5)
    assert [p["id"] for p in first] == [p["id"] for p in preferences.prompts(20, 5)]
    assert len({p["id"] for p in first}) == len(first)
    assert sum(held_out(p) for p in first if not p["id"].startswith("m")) == 5
    read = preferences.chat(first[0])
    assert read.startswith("<|im_start|>system\nYou are ")
    assert read.endswith("<|im_start|>assistant\n")


def test_a_sheet_shows_neither_scores_nor_the_order(written: Path) -> None:
    [sheet] = sorted((written.parent / "sheets").glob("part_??.jsonl"))
    asked = [json.loads(line) for line in sheet.read_text(encoding="utf-8").splitlines()]
    assert all(sorted(a["candidates"].values()) == ["A written reply.", "one", "two"] for a in asked)
    assert "-1.0" not in sheet.read_text(encoding="utf-8")


def test_what_was_judged_comes_back_at_its_place(written: Path) -> None:
    [sheet] = sorted((written.parent / "sheets").glob("part_??.jsonl"))
    judge(sheet)
    assert preferences.problems(sheet) == []
    out = written.parent / "judged.jsonl"
    preferences.gather(written, sheet.parent, out)
    for line in out.read_text(encoding="utf-8").splitlines():
        labels = [(text, label) for text, label, *_ in json.loads(line)["candidates"]]
        assert labels == [("one", "best"), ("two", "cut_off"), ("A written reply.", "ok")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"best": 9}, "best 9 is no candidate"),
        ({"bad": {"1": "ugly"}}, "unknown reason ugly"),
        ({"id": "x"}, "KeyErro"),
    ],
)
def test_a_slip_in_judging_is_named(written: Path, change: dict[str, Any], problem: str) -> None:
    [sheet] = sorted((written.parent / "sheets").glob("part_??.jsonl"))
    judge(sheet, change)
    assert any(problem in found for found in preferences.problems(sheet))


def test_beside_the_model_there_are_templates_and_replies_of_other_topics():
    chosen = preferences.prompts(40, 0)[:30]
    rows = preferences.others(chosen)
    sources = [source for row in rows for *_, source in row]
    assert sources.count("template") == 60
    assert sources.count("retrieval") > 30
    own = preferences._replies_by_topic()
    assert not any(
        text in own.get(prompt["topic"], ())
        for prompt, row in zip(chosen, rows, strict=True)
        for text, _, _, source in row
        if source == "retrieval"
    )


def test_what_is_only_reported_on_is_of_held_out_topics():
    held = read_talks([preferences.HELD_OUT])
    assert len(held) == 200
    assert all(held_out(line) for line in held)
