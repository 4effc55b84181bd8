"""The doctor, the line for bug reports, and the completion of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chatbot import doctor
from chatbot.cli import main


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, entries: str, **modules: str) -> None:
    """A package of somebody else's, with these entry points and modules."""
    info = folder / "other-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[chatbot.stages]\n{entries}\n")
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def checked(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["doctor", "--config", "tiny", *arguments])


def test_a_sound_machine_is_said_to_be_so() -> None:
    done = checked()
    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith("All is well.")
    for about in ("python", "packages", "stages", "config", "weights", "memory", "cache", "terminal", "machine"):
        assert f" {about} " in done.output, about


@pytest.mark.parametrize("code", ["import no_such_package", "raise SystemExit(3)", "1 / 0", "def broken(:"])
def test_a_broken_plugin_is_shown_with_its_traceback_and_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    install(tmp_path / "site", monkeypatch, "emotion.broken = broken_stage:Stage", broken_stage=code)
    monkeypatch.delitem(sys.modules, "broken_stage", raising=False)
    done = checked()
    assert done.exit_code == 1
    assert "emotion.broken (broken_stage:Stage, from other 1.2) is installed but fails to import: " in done.output
    assert "broken_stage.py" in done.output
    assert "1 to mend" in done.output
    assert "config    " in done.output  # the chain that does not use it is still right
    said = CliRunner().invoke(main, ["repl", "--config", "tiny"], input="hello\n")
    assert said.exit_code == 0
    assert said.output.strip()


def test_two_packages_with_the_same_stage_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, "emotion.lexicon = models.emotion:Lexicon")
    done = checked()
    assert done.exit_code == 1
    assert "emotion.lexicon is offered by several packages" in done.output


def test_a_wrong_config_is_told_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[stages.safety]\nuse = "ruls"\n')
    done = CliRunner().invoke(main, ["doctor", "--config", str(path)])
    assert done.exit_code == 1
    assert 'Did you mean "rules"?' in done.output


def test_missing_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBOT_CACHE", str(tmp_path / "empty"))
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "chatbot models pull" in done.output


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_folder_that_others_can_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBOT_DATA", str(tmp_path / "open"))
    (tmp_path / "open").mkdir(mode=0o755)
    done = checked()
    assert done.exit_code == 1
    assert "chmod 700" in done.output


def test_requirements_are_compared_with_what_is_installed() -> None:
    assert doctor._lacking("click>=8") is None
    assert doctor._lacking("click>=99") == f"click is {version('click')}, but >=99 is needed"
    assert doctor._lacking("no-such-package-at-all>=1") == "no-such-package-at-all is not installed"
    assert doctor._lacking('no-such-package-at-all>=1; extra == "dev"') == ""


def test_the_version_line_says_what_a_bug_report_needs() -> None:
    line = CliRunner().invoke(main, ["--version"]).output
    assert line.startswith("chatbot 0.")
    assert len(line.splitlines()) == 1
    assert all(word in line for word in ("Python 3.", "torch ", "transformers ", "spacy ", "prompt_toolkit "))


@pytest.mark.parametrize(
    ("words", "count", "offered"),
    [
        ("chatbot sta", 1, "plain,stages"),
        ("chatbot stages show emotion.l", 3, "plain,emotion.lexicon"),
        ("chatbot repl --config ti", 3, "plain,tiny.toml"),
    ],
)
def test_the_shell_completes(words: str, count: int, offered: str) -> None:
    environ = {**os.environ, "_CHATBOT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    command = [sys.executable, "-c", "from chatbot.cli import main; main(prog_name='chatbot')"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert offered in done.stdout.splitlines(), done.stdout + done.stderr
