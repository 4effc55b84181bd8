"""Every scene of this folder, on the default models, and on the chain without weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chatbot.companion import Companion
from chatbot.scenes import check, read_scene, run
from pipelines.errors import UsageError
from pipelines.pipeline import Pipeline
from pipelines.turn import Fact, Reply, Turn

SCENES = sorted(Path(__file__).parent.glob("*.toml"))
Make = Callable[[Pipeline], Callable[[], Companion]]


@pytest.mark.models
@pytest.mark.parametrize("path", SCENES, ids=lambda p: p.stem)
def test_scene_on_the_default_models(path: Path, default_pipeline: Pipeline, companions: Make) -> None:
    assert run(read_scene(path), companions(default_pipeline)) == []


@pytest.mark.parametrize("path", SCENES, ids=lambda p: p.stem)
def test_scene_on_the_weightless_chain(path: Path, tiny_pipeline: Pipeline, companions: Make) -> None:
    assert run(read_scene(path), companions(tiny_pipeline)) == []


def test_a_scene_can_fail() -> None:
    turn = Turn("hi", reply=Reply("Hello there", "fake"), facts=[Fact("name", "Lena")])
    expected = {
        "say": "hi",
        "reply": {"has": ["bye"], "lacks": ["hello"], "any": ["x", "y"]},
        "facts": {"has": ["name=Tom", "home"], "lacks": ["name"]},
        "intent": ["greeting"],
        "emotion": ["joy"],
        "safety": "now",
    }
    assert len(check(turn, [], expected)) == 9
    assert check(turn, [], {"say": "hi", "reply": {"has": ["HELLO"]}, "facts": {"has": ["name=lena"]}}) == []


def test_a_misspelt_check_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('title = "x"\n[[session]]\n[[session.turn]]\nsay = "hi"\nreplys = { has = ["x"] }\n')
    with pytest.raises(UsageError, match="replys"):
        read_scene(path)
