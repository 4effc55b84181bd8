"""Stages by name: which are installed, what one is and can be told, and how one is built.

A stage is an entry point of the group "chatbot.stages", named "slot.name", of this project's package or of anybody's.
Whatever goes wrong in somebody's package, at its import or in its constructor, becomes a StageError that says so.
"""

from __future__ import annotations

import difflib
import inspect
import json
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pipelines.errors import ChatbotError, StageError, UsageError
from pipelines.pipeline import Stage, Step

GROUP = "chatbot.stages"


@dataclass(frozen=True)
class Planned:
    """A stage that is right in the config and not built yet."""

    slot: str
    name: str
    factory: Callable[..., Stage]
    settings: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.slot}.{self.name}"

    def weights(self) -> list[str]:
        """The cards or paths that this stage's settings name, defaults included."""
        parameters = inspect.signature(self.factory).parameters
        values = [
            self.settings.get(key, parameters[key].default)
            for key in getattr(self.factory, "weights", ())
            if key in parameters
        ]
        return [value for value in values if isinstance(value, str) and value]

    def build(self) -> Step:
        """The stage at its place. Raises StageError, or the ChatbotError that its constructor raised."""
        try:
            stage = self.factory(**self.settings)
            needs = stage.needs
        except ChatbotError:
            raise
        except Exception as error:
            raise StageError(f"{self.label} could not be built: {_told(error)}") from error
        if not isinstance(needs, tuple | list):
            raise StageError(f"{self.label} could not be built: its needs must be a tuple of slots, not {needs!r}")
        return Step(self.slot, self.name, stage)


def stage_names() -> dict[str, EntryPoint]:
    """All installed stages by name, "slot.name"; nothing is imported."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}


def load_stage(entry: EntryPoint) -> Callable[..., Stage]:
    """What builds the stage, with settings that can be read. Raises StageError, from what went wrong."""
    try:
        factory: Callable[..., Stage] = entry.load()
    except (Exception, SystemExit) as error:
        raise StageError(f"is installed but fails to import: {_told(error)}") from error
    try:
        settings_of(factory)
    except Exception as error:
        raise StageError(f"is installed but is no stage: {_told(error)}") from error
    return factory


def settings_of(factory: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], dict[str, Any]]:
    """The arguments of what builds a stage (or a section of the config), and their types."""
    parameters = dict(inspect.signature(factory).parameters)
    target = factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]
    return parameters, typing.get_type_hints(target, include_extras=True)


def describe_stage(name: str) -> str:
    """What a stage is, from its own docstring, needs and constructor. Raises UsageError for an unknown name, and
    StageError for one that cannot be loaded."""
    names = stage_names()
    if name not in names:
        raise UsageError(f"unknown stage {nearest(name, list(names))}")
    try:
        factory = load_stage(names[name])
    except StageError as error:
        raise StageError(f"{name} {error}") from error
    slot, _, use = name.partition(".")
    lines = [f"{name}  ({names[name].value})", "", inspect.getdoc(factory) or "", ""]
    lines.append(f"needs: {', '.join(getattr(factory, 'needs', ())) or 'nothing'}")
    lines += ["", f"[stages.{slot}]" if slot != "candidates" else "[[stages.candidates]]", f'use = "{use}"']
    for key, parameter in inspect.signature(factory).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        value = "..." if required else json.dumps(parameter.default, default=str)
        lines.append(f"{key} = {value}" + ("  # required" if required else ""))
    return "\n".join(lines)


def nearest(word: str, allowed: Sequence[str]) -> str:
    """The wrong word, the nearest right one, and all that is allowed."""
    near = difflib.get_close_matches(word, allowed, n=1, cutoff=0.6)
    guess = f' Did you mean "{near[0]}"?' if near else ""
    return f'"{word}".{guess} Allowed: {", ".join(allowed) if allowed else "nothing"}'


def _told(error: BaseException) -> str:
    """The error in one line: its message alone where it is one for people, else with its kind."""
    plain = isinstance(error, ValueError | OSError) and str(error)
    return str(error) if plain else f"{type(error).__name__}: {error}".rstrip(": ")
