"""The recall suite: whole conversations over several sessions, and what must be known, recalled and said after them.

Run on the chain without weights, and on the default models but for the language model, whose wording is no business
of memory: what skills and templates say of the same facts stands in for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chatbot.companion import Companion
from chatbot.scenes import read_scene, run
from pipelines.pipeline import Pipeline, Step
from pipelines.stages import stage_names

SCENES = sorted(Path(__file__).parent.glob("*.toml"))
Make = Callable[[Pipeline], Callable[[], Companion]]


@pytest.mark.parametrize("path", SCENES, ids=lambda p: p.stem)
def test_scene_on_the_weightless_chain(path: Path, tiny_pipeline: Pipeline, companions: Make) -> None:
    assert run(read_scene(path), companions(tiny_pipeline)) == []


@pytest.fixture(scope="session")
def without_language_model(default_pipeline: Pipeline) -> Pipeline:
    template = Step("candidates", "template", stage_names()["candidates.template"].load()())
    steps = [template if step.name == "transformers" else step for step in default_pipeline.steps]
    return Pipeline(steps)


@pytest.mark.models
@pytest.mark.parametrize("path", SCENES, ids=lambda p: p.stem)
def test_scene_on_the_default_models(path: Path, without_language_model: Pipeline, companions: Make) -> None:
    assert run(read_scene(path), companions(without_language_model)) == []


def test_there_are_enough_scenes_and_enough_on_whose_fact_it_is() -> None:
    assert len(SCENES) >= 60
    assert sum(path.stem.startswith("own_") for path in SCENES) >= 15
