"""Packages written by `chatbot stages new`: they install, pass their tests and run in a chain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatbot import new_stage
from chatbot.cli import main
from pipelines.errors import UsageError
from pipelines.turn import SLOTS


def run(*command: str, path: Path, text: str = "") -> str:
    environ = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run([sys.executable, "-m", *command], input=text, env=environ, capture_output=True, text=True, check=False)  # fmt: skip  # noqa: E501
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_stage_installs_and_runs_in_a_chain(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["stages", "new", "emotion.my_own", "--dir", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert "pip install -e" in done.output
    target = tmp_path / "site"
    options = ["--no-build-isolation", "--no-deps", "--quiet", "--no-index", "--target", str(target)]
    run("pip", "install", *options, str(tmp_path / "mine"), path=target)
    shown = run("chatbot", "stages", "show", "emotion.my_own", path=target)
    assert "emotion_my_own:MyOwn" in shown
    assert 'word = "hello"' in shown
    sets = ["--set", "stages.emotion.use=my_own", "--set", "stages.emotion.word=zebra"]
    lines = run("chatbot", "repl", "--config", "tiny", "--json", *sets, path=target, text="a zebra!\na dog\n")
    assert [json.loads(line)["emotion"]["labels"] for line in lines.splitlines()] == [["joy"], ["neutral"]]


def test_the_example_of_every_slot_passes_its_own_test_and_the_style_of_the_project(tmp_path: Path) -> None:
    for slot in SLOTS:
        new_stage.write(f"{slot}.mine", tmp_path / slot)
    folders = [str(tmp_path / slot) for slot in SLOTS]
    passed = run("pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *folders, path=tmp_path)
    assert f"{2 * len(SLOTS)} passed" in passed
    root = Path(__file__).parent.parent.parent
    run("ruff", "check", "--config", str(root / "pyproject.toml"), "--ignore", "S101,E501", *folders, path=tmp_path)


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("emotions.mine", 'unknown slot "emotions". Did you mean "emotion"?'),
        ("mine", 'unknown slot "mine"'),
        ("emotion.", "will not do as a name"),
        ("emotion.My-Own", "will not do as a name"),
        ("emotion.class", "will not do as a name"),
        ("emotion.../evil", "will not do as a name"),
    ],
)
def test_names_that_will_not_do_are_refused(tmp_path: Path, label: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        new_stage.write(label, tmp_path / "x")
    assert says in str(error.value)
    assert not (tmp_path / "x").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        new_stage.write("emotion.mine", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]
