"""From a TOML file to a pipeline, or to the whole list of what is wrong with it.

Four sources, the strongest first: `--set a.b=value`, the environment (`CHATBOT__A__B=value`), the file, defaults.
Every stage is found by name in the entry points of the group "chatbot.stages"; its settings are checked against
the types of its constructor's arguments. Nothing is built before the whole file is right. Knows no stage: what a
setting means is the stage's business.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipelines.errors import ConfigError, StageError, UsageError
from pipelines.pipeline import Pipeline
from pipelines.stages import Planned, load_stage, nearest, settings_of, stage_names
from pipelines.turn import SLOTS, Persona

NO_SAFETY = "i_accept_a_companion_without_safety"
"""The top-level switch that a config without a safety stage must set to true."""

WeightsCheck = Callable[[str], str | None]
"""Given the value of a weights setting: what is wrong with these weights, or None."""


@dataclass
class Config:
    """A config that is right. sections: the parts that belong to others (memory, a channel), already built.
    origin: for each dotted key, where its value came from."""

    path: Path
    persona: Persona
    stages: list[Planned]
    sections: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def build(self, progress: Callable[[str], None] = lambda label: None) -> Pipeline:
        """Build every stage, in order; `progress` is told the label of the stage that is about to load."""
        steps = []
        for planned in self.stages:
            progress(planned.label)
            steps.append(planned.build())
        return Pipeline(steps)


def load(
    path: Path,
    sets: Sequence[str] = (),
    sections: Mapping[str, type] | None = None,
    environ: Mapping[str, str] = os.environ,
    check_weights: WeightsCheck | None = None,
) -> Config:
    """Read the file and the overrides, and check all of it.

    sections: the top-level tables that belong to others, each with the dataclass that holds it.
    Raises ConfigError with every problem found, UsageError for an override that cannot be read.
    """
    return _Reader(path, sections or {}, check_weights).read(sets, environ)


class _Reader:
    """One reading of one file: collects the problems as it goes."""

    def __init__(self, path: Path, sections: Mapping[str, type], check_weights: WeightsCheck | None) -> None:
        self.path, self.sections, self.check_weights = path, sections, check_weights
        self.problems: list[tuple[int, str]] = []
        self.origin: dict[str, str] = {}
        self.lines: dict[str, int] = {}

    def read(self, sets: Sequence[str], environ: Mapping[str, str]) -> Config:
        values = self._parse()
        for name, text in sorted(environ.items()):
            if name.startswith("CHATBOT__"):
                dotted = name.removeprefix("CHATBOT__").lower().replace("__", ".")
                self._override(values, dotted, text, f"environment {name}")
        for item in sets:
            dotted, equals, text = item.partition("=")
            if not equals or not dotted.strip():
                raise UsageError(f"--set {item!r}: write it as --set stages.emotion.threshold=0.3")
            self._override(values, dotted.strip(), text, f"--set {item}")

        allowed = ["persona", "stages", NO_SAFETY, *self.sections]
        for key in values:
            if key not in allowed:
                self._problem(key, f"unknown table or key {nearest(key, allowed)}")
        persona = self._section("persona", Persona, values.get("persona", {}))
        sections = {name: self._section(name, kind, values.get(name, {})) for name, kind in self.sections.items()}
        stages = self._stages(values)
        if self.problems:
            raise ConfigError([text for _, text in sorted(self.problems, key=lambda p: p[0])])
        return Config(self.path, persona, stages, sections, self.origin, values)

    # -- reading

    def _parse(self) -> dict[str, Any]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigError([f"{self.path}: there is no such file"]) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{self.path}: cannot be read: {error}"]) from None
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            where = f"{self.path}:{found[1]}" if found else str(self.path)
            what = str(error).split(" (at ")[0]
            raise ConfigError([f"{where}: this is not TOML: {what}"]) from None
        self.lines = _lines(text)
        for dotted, line in self.lines.items():
            self.origin[dotted] = f"{self.path.name}:{line}"
        return values

    def _override(self, values: dict[str, Any], dotted: str, text: str, source: str) -> None:
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *parents, last = dotted.split(".")
        table: Any = values
        for depth, key in enumerate(parents):
            if isinstance(table, list):
                table = next((t for i, t in enumerate(table) if key in (t.get("use"), str(i))), None)
            else:
                table = table.setdefault(key, {})
            if not isinstance(table, dict | list):
                raise UsageError(f"{source}: there is no {'.'.join(parents[: depth + 1])} in {self.path}")
        if isinstance(table, list):
            raise UsageError(f"{source}: name one of its stages, such as {'.'.join(parents)}.skills.{last}")
        table[last] = value
        self.origin[dotted] = source

    # -- checking

    def _stages(self, values: Mapping[str, Any]) -> list[Planned]:
        tables = values.get("stages", {})
        if not isinstance(tables, dict) or not tables:
            what = "there is no [stages.X] table; a companion needs at least safety, candidates, reply"
            self._problem("stages", what)
            return []
        names = stage_names()
        planned: list[Planned] = []
        filled: list[str] = []
        for slot, value in tables.items():
            if slot not in SLOTS:
                self._problem(f"stages.{slot}", f"unknown slot {nearest(slot, SLOTS)}")
                continue
            several = isinstance(value, list)
            if several and slot != "candidates":
                self._problem(f"stages.{slot}", f"only candidates takes several stages; write [stages.{slot}] once")
                continue
            for i, table in enumerate(value if several else [value]):
                dotted = f"stages.{slot}.{i}" if several else f"stages.{slot}"
                stage = self._stage(dotted, slot, table, names, filled)
                if stage:
                    planned.append(stage)
            filled.append(slot)
        if not values.get(NO_SAFETY):
            if "safety" not in filled:
                self._problem("stages", f"there is no [stages.safety]. To talk without it, set {NO_SAFETY} = true")
            else:
                needed = next((getattr(s.factory, "needs", ()) for s in planned if s.slot == "safety"), SLOTS)
                early = [slot for slot in filled[: filled.index("safety")] if slot not in needed]
                if early:
                    what = f"safety must come before {', '.join(early)}; only what it needs itself may run before it"
                    self._problem("stages.safety", what)
        for slot in ("candidates", "reply"):
            if slot not in tables:
                self._problem("stages", f"there is no [stages.{slot}], so there could be no reply")
        return planned

    def _stage(
        self, dotted: str, slot: str, table: Any, names: Mapping[str, EntryPoint], filled: Sequence[str]
    ) -> Planned | None:
        head = f"[stages.{slot}]"
        offered = sorted(name.split(".", 1)[1] for name in names if name.startswith(f"{slot}."))
        if not isinstance(table, dict):
            self._problem(dotted, f"{head} must be a table with use = one of {', '.join(offered)}")
            return None
        settings = {key: value for key, value in table.items() if key != "use"}
        use = table.get("use")
        if not isinstance(use, str):
            self._problem(dotted, f"{head} does not say which stage to use. Write use = one of: {', '.join(offered)}")
            return None
        entry = names.get(f"{slot}.{use}")
        if entry is None:
            self._problem(f"{dotted}.use", f"{head} unknown stage {nearest(use, offered)}")
            return None
        try:
            factory = load_stage(entry)
        except StageError as error:
            self._problem(f"{dotted}.use", f'{head} use = "{use}" {error}. chatbot doctor shows where')
            return None
        for package, install in getattr(factory, "packages", {}).items():
            if importlib.util.find_spec(package) is None:
                what = f"needs a package that is not installed: {package}. Install: pip install '{install}'"
                self._problem(f"{dotted}.use", f'{head} use = "{use}" {what}')
                return None
        for slot_needed in getattr(factory, "needs", ()):
            if slot_needed not in filled:
                what = f"needs the slot {slot_needed}, which no stage above it fills"
                self._problem(dotted, f'{head} use = "{use}" {what}. Put a [stages.{slot_needed}] before it')
        arguments = self._arguments(dotted, head, factory, settings)
        stage = Planned(slot, use, factory, arguments)
        if self.check_weights:
            for weights in stage.weights():
                what_is_wrong = self.check_weights(weights)
                if what_is_wrong:
                    self._problem(f"{dotted}.use", f'{head} use = "{use}": {what_is_wrong}')
        return stage

    def _section(self, name: str, kind: type, table: Any) -> Any:
        if not isinstance(table, dict):
            self._problem(name, f"[{name}] must be a table")
            return None
        before = len(self.problems)
        arguments = self._arguments(name, f"[{name}]", kind, table)
        return kind(**arguments) if len(self.problems) == before else None

    def _arguments(
        self, dotted: str, head: str, factory: Callable[..., Any], settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The settings, converted to the types of the factory's arguments; problems are collected."""
        parameters, hints = settings_of(factory)
        arguments = {}
        for key, value in settings.items():
            if key not in parameters:
                self._problem(f"{dotted}.{key}", f"{head} unknown setting {nearest(key, list(parameters))}")
                continue
            try:
                adapter = TypeAdapter(hints.get(key, Any))
                arguments[key] = adapter.validate_json(json.dumps(value, default=str), strict=True)
            except ValidationError as error:
                what = "; ".join(dict.fromkeys(e["msg"] for e in error.errors(include_url=False)))
                self._problem(f"{dotted}.{key}", f"{head} {key} = {json.dumps(value, default=str)}: {what}")
        for key, parameter in parameters.items():
            if parameter.default is inspect.Parameter.empty and key not in settings:
                self._problem(dotted, f'{head} lacks the setting "{key}", which has no default')
        return arguments

    def _problem(self, dotted: str, text: str) -> None:
        line = self.lines.get(dotted) or self.lines.get(dotted.rpartition(".")[0])
        source = self.origin.get(dotted, "")
        if source.startswith(("--set", "environment")):
            self.problems.append((0, f"{source}: {text}"))
        else:
            self.problems.append((line or 0, f"{self.path}:{line}: {text}" if line else f"{self.path}: {text}"))


def _lines(text: str) -> dict[str, int]:
    """The line of each table and key, by dotted name; tomllib does not tell. The tables of an array are numbered."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]", line):
            table = header[2]
            if header[1] == "[[":
                i = counts.get(table, 0)
                counts[table] = i + 1
                lines.setdefault(table, number)
                table = f"{table}.{i}"
            lines[table] = number
        elif key := re.match(r"\s*([\w.\-]+)\s*=", line):
            lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return lines


# -- for people


def describe(config: Config) -> list[str]:
    """Every value that holds, one `key = value` per line, with where it comes from."""
    lines = []

    def add(dotted: str, value: Any, *also: str) -> None:
        source = next((config.origin[d] for d in (dotted, *also) if d in config.origin), "default")
        lines.append(f"{f'{dotted} = {json.dumps(value, ensure_ascii=False, default=str)}':<60}  # {source}")

    for name, section in {"persona": config.persona, **config.sections}.items():
        for key, value in vars(section).items():
            add(f"{name}.{key}", value)
    counts: dict[str, int] = {}
    for stage in config.stages:
        table = f"stages.{stage.slot}"
        if isinstance(config.values["stages"][stage.slot], list):
            i = counts.get(stage.slot, 0)
            counts[stage.slot] = i + 1
            numbered, table = f"{table}.{i}", f"{table}.{stage.name}"
        else:
            numbered = table
        add(f"{table}.use", stage.name, f"{numbered}.use")
        for key, parameter in inspect.signature(stage.factory).parameters.items():
            add(f"{table}.{key}", stage.settings.get(key, parameter.default), f"{numbered}.{key}")
    return lines
