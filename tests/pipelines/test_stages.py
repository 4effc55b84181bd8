"""Stages of somebody else's package that are broken, each in its own way: they harm themselves and say how."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from pipelines import config as configs
from pipelines import stages
from pipelines.errors import ConfigError, StageError, WeightsError
from pipelines.stages import Planned

BROKEN = """
from pipelines.errors import WeightsError

NUMBER = 3


class Fine:
    needs = ()

    def __call__(self, turns):
        return [None for _ in turns]


class Hints(Fine):
    def __init__(self, size: "Nowhere" = 3): ...


class NoGPU(Fine):
    def __init__(self):
        raise RuntimeError("no GPU")


class NoFile(Fine):
    def __init__(self):
        open("/no/such/file")


class NoWeights(Fine):
    def __init__(self):
        raise WeightsError("model.gguf is not here")


class OddNeeds(Fine):
    needs = "intent"


class NoNeeds:
    def __call__(self, turns):
        return [None for _ in turns]
"""
CONFIG = """
[stages.safety]
use = "rules"
[stages.emotion]
use = "broken"
[[stages.candidates]]
use = "template"
[stages.reply]
use = "first"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "broken_stages.py").write_text(BROKEN)
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path  # type: ignore[misc]
    for name in ("broken_stages", "leaves"):
        sys.modules.pop(name, None)


def entry(value: str) -> EntryPoint:
    return EntryPoint("emotion.broken", value, stages.GROUP)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("broken_stages:NotThere", "fails to import: AttributeError: module 'broken_stages' has no attribute"),
        ("no_such_package:Stage", "fails to import: ModuleNotFoundError: No module named 'no_such_package'"),
        ("leaves:Stage", "fails to import: SystemExit: 3"),
        ("broken_stages:NUMBER", "is no stage: TypeError: 3 is not a callable object"),
        ("broken_stages:Hints", "is no stage: NameError: name 'Nowhere' is not defined"),
    ],
)
def test_what_cannot_be_loaded_is_a_problem_of_the_config_that_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    with pytest.raises(StageError, match="is installed but ") as caught:
        stages.load_stage(entry(value))
    assert says in str(caught.value)
    assert caught.value.__cause__ is not None, "the doctor shows its traceback"
    known = stages.stage_names()
    monkeypatch.setattr(configs, "stage_names", lambda: {**known, "emotion.broken": entry(value)})
    (folder / "my.toml").write_text(CONFIG)
    with pytest.raises(ConfigError) as found:
        configs.load(folder / "my.toml", environ={})
    [problem] = found.value.problems
    assert problem.startswith(f'{folder / "my.toml"}:5: [stages.emotion] use = "broken" is installed but ')
    assert says in problem
    (folder / "fine.toml").write_text(CONFIG.replace("broken", "lexicon"))
    assert len(configs.load(folder / "fine.toml", environ={}).build().steps) == 4


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("NoGPU", "emotion.broken could not be built: RuntimeError: no GPU"),
        ("NoFile", "emotion.broken could not be built: [Errno 2] No such file or directory: '/no/such/file'"),
        ("NoNeeds", "emotion.broken could not be built: AttributeError: 'NoNeeds' object has no attribute 'needs'"),
        ("OddNeeds", "emotion.broken could not be built: its needs must be a tuple of slots, not 'intent'"),
    ],
)
def test_what_cannot_be_built_is_one_message(folder: Path, name: str, says: str) -> None:
    planned = Planned("emotion", "broken", stages.load_stage(entry(f"broken_stages:{name}")), {})
    with pytest.raises(StageError) as caught:
        planned.build()
    assert str(caught.value) == says


def test_missing_weights_stay_what_they_are(folder: Path) -> None:
    planned = Planned("emotion", "broken", stages.load_stage(entry("broken_stages:NoWeights")), {})
    with pytest.raises(WeightsError, match=r"model\.gguf is not here"):
        planned.build()


def test_a_broken_stage_can_be_asked_for_and_says_what_is_wrong(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "stage_names", lambda: {"emotion.broken": entry("no_such_package:Stage")})
    with pytest.raises(StageError, match=r"emotion\.broken is installed but fails to import"):
        stages.describe_stage("emotion.broken")
