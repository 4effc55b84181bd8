"""Two configs on the same messages: in processes of their own, and the tables and page made of it."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from chatbot import compare, compare_show
from chatbot.cli import main
from pipelines.errors import UsageError

MESSAGES = """\
{"text": "hi im lena", "facts": {"has": ["name=Lena"]}, "emotion": ["neutral"]}
{"text": "whats my name?", "reply": {"has": ["Lena"]}}

{"text": "whats my name?", "reply": {"lacks": ["Lena"]}}
{"text": "this is so sad", "emotion": ["sadness"]}
"""
DEAF = """
[stages.safety]
use = "rules"
[stages.emotion]
use = "lexicon"
threshold = 1.0
[[stages.candidates]]
use = "template"
[stages.reply]
use = "first"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare")
    (path / "on.jsonl").write_text(MESSAGES)
    (path / "deaf.toml").write_text(DEAF)
    return path


@pytest.fixture(scope="module")
def both(folder: Path) -> list[compare.Played]:
    return compare.compare(["tiny", str(folder / "deaf.toml")], compare.read(folder / "on.jsonl"))


def test_every_message_goes_through_both_and_talks_do_not_know_of_each_other(both: list[compare.Played]) -> None:
    for played in both:
        assert [turn["text"] for turn in played["turns"]] == [
            *("hi im lena", "whats my name?", "whats my name?", "this is so sad")
        ]
    passed = compare.summary(both[0])["passed"]
    assert passed == {"emotion": (2, 2), "facts": (1, 1), "reply": (2, 2)}
    assert compare.summary(both[1])["passed"]["facts"] == (0, 1)
    assert compare.summary(both[1])["passed"]["emotion"] == (1, 2)


def test_the_peak_of_memory_is_that_of_the_chain_alone(folder: Path) -> None:
    held = b"x" * 300_000_000  # of the process that compares: it must not be counted
    [played] = compare.compare(["tiny"], compare.read(folder / "on.jsonl"))
    assert played["peak_mb"] is None or played["peak_mb"] < len(held) / 1e6


def test_differences_are_those_of_what_was_said(both: list[compare.Played]) -> None:
    differ = compare.differences(*both)
    assert differ["safety"] == []
    assert 3 in differ["emotion"]
    assert 0 in differ["facts"]
    assert all(turns == [] for turns in compare.differences(both[0], both[0]).values())


def test_time_and_memory_are_measured(both: list[compare.Played]) -> None:
    figures = compare.summary(both[0])
    assert figures["turn_ms"] > 0
    assert figures["peak_mb"] is None or 10 < figures["peak_mb"] < 1000
    assert set(figures["stage_ms"]) >= {"safety.rules", "emotion.lexicon", "reply.first"}


@pytest.mark.parametrize("width", [50, 120])
def test_the_tables_fit_and_say_what_differs(both: list[compare.Played], width: int) -> None:
    out = io.StringIO()
    Console(file=out, width=width).print(compare_show.tables(*both, width))
    shown = out.getvalue()
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert "1. hi im lena" in shown
    assert "facts     A name=Lena" in shown
    assert "reply as expected" in shown
    assert "4 turns, 0 of them the same" in " ".join(shown.split())


class Page(HTMLParser):
    """Counts the tags and collects the words; fails on a tag that is closed and was not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.words = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_is_whole_and_asks_for_nothing_else(both: list[compare.Played]) -> None:
    text = compare_show.html(*both)
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.count["svg"] == 5  # scores, stages, a turn, loading, memory
    assert all(word in page.words for word in ("As expected", "100 %", "Memory at most", " MB"))
    stages = {label for played in both for label in compare.summary(played)["stage_ms"]}
    assert all(label in page.words for label in stages)
    kinds = 3 + len(compare.summary(both[0])["passed"])
    assert page.count["rect"] == sum(len(compare.summary(played)["stage_ms"]) + kinds for played in both)
    assert "http" not in text
    assert "script" not in page.count


def test_what_was_said_cannot_become_markup(both: list[compare.Played]) -> None:
    evil = json.loads(json.dumps(both[0]))
    evil["turns"][0]["text"] = "<script>alert(1)</script>"
    page = Page()
    page.feed(compare_show.html(evil, both[1]))
    assert "script" not in page.count


def test_the_command_prints_json_and_nothing_else_and_writes_the_page(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("hello\n")
    page = tmp_path / "page.html"
    arguments = ["compare", "tiny", "tiny", "--on", str(tmp_path / "one.txt"), "--json", "--html", str(page)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["a"]["turns"][0]["text"] == "hello"
    assert page.read_text().startswith("<!doctype html>")


def test_a_wrong_config_is_told_in_its_own_words(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(DEAF.replace("lexicon", "lexicn"))
    done = CliRunner().invoke(main, ["compare", "tiny", str(tmp_path / "wrong.toml"), "--on", str(folder / "on.jsonl")])
    assert done.exit_code == 2
    assert 'Did you mean "lexicon"?' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", "\n\n", "nothing to say"),
        ("a.jsonl", "nonsense\n", "a.jsonl:1: this is no JSON object"),
        ("a.jsonl", '{"text": "hi", "emotoin": []}\n', "a.jsonl:1: unknown emotoin; known: say, reply, facts"),
        ("a.jsonl", '{"text": "hi"}\n{"text": "hi", "facts": ["name=Lena"]}\n', 'a.jsonl:2: facts: write it as {"has"'),
        ("a.jsonl", '{"text": "hi", "emotion": "sadness"}\n', "emotion: Input should be a valid list"),
        ("a.jsonl", '{"text": "hi", "safety": "high"}\n', "safety: Input should be 'none', 'low', 'risk' or 'now'"),
        ("a.jsonl", '{"text": 3}\n', "say: Input should be a valid string"),
        ("a.toml", 'title = "t"\n[[session]]\n[[session.turn]]\nsay = "hi"\nreply = "yes"\n', "'hi': reply: write it"),
        ("a.toml", "x = 1\n", "not a scene"),
    ],
)
def test_files_that_will_not_do_are_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=re.escape(says)):
        compare.read(tmp_path / name)
    done = CliRunner().invoke(main, ["compare", "tiny", "tiny"])
    assert done.exit_code == 2
    assert "--on FILE or --scenes" in done.output
