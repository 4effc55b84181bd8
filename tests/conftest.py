"""Shared by all tests: nothing of the person who runs them is read or written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatbot.assemble import read_config
from chatbot.companion import Companion
from chatbot.settings import MemorySettings
from pipelines.pipeline import Pipeline
from pipelines.turn import Persona

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBOT_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CHATBOT_CONFIG", raising=False)


@pytest.fixture(scope="session")
def default_pipeline() -> Iterator[Pipeline]:
    """The default chain on its real models, loaded once for all tests, with a seed."""
    config = read_config(str(ROOT / "config.toml"), ["stages.candidates.transformers.seed=1"])
    pipeline = config.build()
    yield pipeline
    pipeline.close()


@pytest.fixture(scope="session")
def tiny_pipeline() -> Pipeline:
    """The chain without weights."""
    return read_config("tiny").build()


@pytest.fixture
def companions(tmp_path: Path) -> Callable[[Pipeline], Callable[[], Companion]]:
    """Makes companions on one data folder of this test, around a pipeline that is already loaded."""
    settings = MemorySettings(folder=str(tmp_path / "people"))
    return lambda pipeline: lambda: Companion(pipeline, Persona(), settings)
