"""A stage from somebody else's package, really built and installed: used by name, and harmless when broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

STAGE = '''
from collections.abc import Sequence
from typing import ClassVar

from pipelines.turn import Emotion, Turn


class Shouting:
    """Anger where most letters are capitals."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, share: float = 0.7) -> None:
        self.share = share

    def __call__(self, turns: Sequence[Turn]) -> list[Emotion]:
        return [self._one(turn.text) for turn in turns]

    def _one(self, text: str) -> Emotion:
        letters = [c for c in text if c.isalpha()]
        angry = bool(letters) and sum(c.isupper() for c in letters) / len(letters) >= self.share
        return Emotion({"anger": float(angry)}, ("anger",) if angry else ("neutral",), -0.7 * angry)
'''

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "mystage"
version = "0.1"

[project.entry-points."chatbot.stages"]
"emotion.shouting" = "mystage:Shouting"
"emotion.broken" = "mystage_that_is_not_there:Nothing"

[tool.hatch.build.targets.wheel]
include = ["mystage.py"]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, target = tmp_path_factory.mktemp("mystage"), tmp_path_factory.mktemp("site")
    (source / "mystage.py").write_text(STAGE)
    (source / "pyproject.toml").write_text(PROJECT)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True)
    return target


def run(installed: Path, folder: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(installed), "CHATBOT_DATA": str(folder)}
    command = [sys.executable, "-m", "chatbot", *arguments]
    return subprocess.run(command, input=said, capture_output=True, text=True, env=environ, cwd=ROOT, check=False)


def test_it_is_listed_shown_and_used_by_name(installed: Path, tmp_path: Path) -> None:
    assert "emotion.shouting" in run(installed, tmp_path, "stages", "list").stdout
    assert "share = 0.7" in run(installed, tmp_path, "stages", "show", "emotion.shouting").stdout
    use = ["--config", "tiny", "--set", "stages.emotion.use=shouting", "--set", "stages.emotion.share=0.5"]
    done = run(installed, tmp_path, "repl", "--json", *use, said="WHY would they DO THAT\n")
    assert done.returncode == 0, done.stderr
    turn = json.loads(done.stdout)
    assert turn["emotion"]["labels"] == ["anger"]
    assert "emotion.shouting" in turn["ms"]
    assert turn["reply"]


def test_a_broken_one_harms_nothing_but_itself(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "config", "check", "tiny").returncode == 0
    done = run(installed, tmp_path, "repl", "--config", "tiny", "--set", "stages.emotion.use=broken", said="hi\n")
    assert done.returncode == 2
    assert "is installed but fails to import" in done.stderr
    assert "mystage_that_is_not_there" in done.stderr
    assert "Traceback" not in done.stderr
