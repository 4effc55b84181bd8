"""From a config file to a companion: what all channels do before the first message."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from chatbot.companion import Companion
from chatbot.settings import SECTIONS
from pipelines import config as configs
from pipelines.config import Config
from pipelines.errors import UsageError, WeightsError

ROOT = Path(__file__).resolve().parent.parent


def find_config(name: str | None) -> Path:
    """The path that was given, else ./config.toml, else the config that comes with the project.

    A name such as "tiny" or "pipelines/tiny.toml" also finds the project's own. Raises UsageError when there is none.
    """
    if name is None:
        here = Path("config.toml")
        return here if here.is_file() else shipped("config.toml")
    path = Path(name).expanduser()
    if path.is_file():
        return path
    own = shipped(path.name if path.suffix else f"{path.name}.toml")
    if own.is_file() and (str(path.parent) in (".", "pipelines")):
        return own
    raise UsageError(f"{name}: there is no such config file. The project's own: {', '.join(shipped_names())}")


def shipped(name: str) -> Path:
    """A config of the project, in pipelines/; config.toml lies at the top of a checkout and there once installed."""
    top = ROOT / name
    return top if name == "config.toml" and top.is_file() else ROOT / "pipelines" / name


def shipped_names() -> list[str]:
    """The names of the project's own configs."""
    return ["config.toml", *sorted(p.name for p in (ROOT / "pipelines").glob("*.toml") if p.name != "config.toml")]


def read_config(name: str | None, sets: Sequence[str] = (), check_weights: bool = False) -> Config:
    """Find, read and check a config with all that belongs to the companion."""
    from models import hub

    return configs.load(
        find_config(name), sets, sections=SECTIONS, check_weights=hub.problem if check_weights else None
    )


def make_companion(
    config: Config,
    progress: Callable[[str], None] = lambda label: None,
    warn: Callable[[str], None] = lambda text: print(text, file=sys.stderr),  # noqa: T201
) -> Companion:
    """Build the pipeline (fetching weights that are not there yet) and the companion around it.

    When weights cannot be had, `warn` is told why and the weightless chain answers in their place.
    """
    try:
        pipeline = config.build(progress)
    except WeightsError as error:
        warn(f"{error}\nUntil then I answer without any models, as in pipelines/tiny.toml.")
        pipeline = read_config("tiny").build(progress)
    return Companion(pipeline, config.persona, config.sections["memory"])
