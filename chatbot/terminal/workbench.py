"""Swapping stages in a running chat: /use, /set and /config.

What is asked for becomes a whole new config, checked as a file is. Stages that are the same in both are kept; the
others are built beside the running ones and tried on the last message, and only then exchanged, between two batches.
Whatever fails before that leaves everything as it was. Two chains are in memory while the new one is tried.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import re
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from chatbot.companion import Companion
from chatbot.settings import SECTIONS
from chatbot.terminal import earlier, show, trace
from pipelines import config as configs
from pipelines.config import Config
from pipelines.errors import ChatbotError, ConfigError, StageError, UsageError
from pipelines.pipeline import Pipeline, Step
from pipelines.stages import Planned
from pipelines.turn import SLOTS, Turn

if TYPE_CHECKING:
    from chatbot.terminal.chat import Chat

USE = "/use SLOT STAGE [key=value ...], /use candidates +STAGE to add one, /use SLOT off"
BARE = re.compile(r"[A-Za-z0-9_-]+")


async def use(chat: Chat, rest: str) -> None:
    slot, stage, settings = _read_use(rest)
    await exchange(chat, lambda values: _use(values, slot, stage, settings), f"/use {rest}")


def _use(values: dict[str, Any], slot: str, stage: str, settings: dict[str, Any]) -> None:
    """Change the values so that the slot has this stage."""
    tables = values.setdefault("stages", {})
    slot, _, place = slot.partition(".")
    table = {"use": stage.removeprefix("+"), **settings}
    held = tables.get(slot)
    if slot not in SLOTS:
        raise UsageError(f"There is no slot {slot!r}. Slots: {', '.join(SLOTS)}")
    if stage == "off":
        if isinstance(held, list) and place:
            tables[slot] = [t for t in held if t.get("use") != place]
        else:
            tables.pop(slot, None)
    elif slot == "candidates":
        several = list(held) if isinstance(held, list) else [held] if held else []
        names = [t.get("use") for t in several]
        if place and place not in names:
            raise UsageError(f"candidates has no stage {place!r}. It has: {', '.join(map(str, names))}")
        if stage.startswith("+") or not several:
            several.append(table)
        else:  # the one that was named, the same stage with other settings, or else the last
            wanted = place or (stage if stage in names else names[-1])
            several[names.index(wanted)] = table
        tables[slot] = several
    else:
        tables[slot] = table
    if held is None:  # new slots take their usual place
        values["stages"] = {name: tables[name] for name in SLOTS if name in tables}


async def set_(chat: Chat, rest: str) -> None:
    dotted, _, text = rest.partition(" ")
    if not dotted or not text.strip():
        raise UsageError("/set emotion.threshold 0.3, /set candidates.transformers.count 8, /set persona.name Ada")
    if dotted == "memory.folder":
        raise UsageError("The memory folder cannot change while its files are open: start anew with --set")
    await exchange(chat, lambda values: _set(values, dotted, _value(text.strip())), f"/set {rest}")


def _set(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Change one of the values. Raises UsageError when there is nothing of that name."""
    *parents, key = dotted.split(".")
    if parents and parents[0] in SLOTS:
        parents.insert(0, "stages")
    table: Any = values
    for part in parents:
        if isinstance(table, list):
            table = next((t for t in table if t.get("use") == part), None)
        elif part in SECTIONS or part == "persona":
            table = table.setdefault(part, {})
        else:
            table = table.get(part)
        if not isinstance(table, dict | list):
            raise UsageError(f"There is no {dotted} to set: /config shows what there is")
    if isinstance(table, list) or not parents:
        raise UsageError(f"Name one of its stages: {parents[-1] if parents else 'candidates'}.STAGE.{key}")
    table[key] = value


async def config(chat: Chat, rest: str) -> None:
    if rest.startswith("save "):
        path = Path(rest.removeprefix("save ").strip()).expanduser()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(toml(chat.config.values))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}. Name another file: /config save FILE") from None
        await chat.print(Text(f"Saved. Talk with it: chatbot repl --config {path}", "dim"))
    elif rest:
        raise UsageError("/config shows what holds and where it comes from; /config save FILE writes it down")
    else:
        for line in configs.describe(chat.config):
            value, _, source = line.rpartition("  # ")
            style = "dim" if source == "default" else "cyan"
            await chat.print(Text.assemble((value.rstrip(), "dim" * (source == "default")), (f"  # {source}", style)))


async def exchange(chat: Chat, change: Callable[[dict[str, Any]], None], source: str) -> None:
    """Make the running chain what the changed values say, or raise and leave it as it was."""
    async with chat.changing:
        values = deepcopy(chat.config.values)
        change(values)
        new, old = checked(values, chat.config, source), chat.config
        before, started = resident(), time.monotonic()
        chat.beside = f"loading beside, as {source} wants; the chat goes on"
        try:
            running = await chat.worker.call(lambda companion: list(companion.pipeline.steps))
            steps, built = await asyncio.to_thread(build, new, old, running)
            text, user = (chat.turn.text if chat.turn else "Hello there."), chat.user
            tried = await chat.worker.call(lambda companion: _swap(companion, new, steps, built, text, user))
        finally:
            chat.beside = ""
        chat.config = new
        await chat.call(partial(earlier.learn_name, chat))
        both, gone = resident(), let_go(running, steps)
    came = [step.label for step in built]
    lines = [f"{', '.join(came) or 'no stage'} in, {', '.join(gone) or 'none'} out, {time.monotonic() - started:.1f} s"]
    if before:
        lines.append(f"memory: {before} MB before, {both} MB with old and new, {resident()} MB now")
    before_it = [turn for turn in (chat.tried, chat.turn) if turn and turn.text == text]
    for label in came:
        slot = label.partition(".")[0]
        if (found := trace.found(tried, label)) and slot != "reply":
            others = [other for other in gone if other.startswith(f"{slot}.")]
            was = next((trace.found(turn, other) for other in others for turn in before_it if other in turn.ms), "")
            lines.append(f"{show.quoted(text, 60)} {found}" + (f" (was: {was})" if was else ""))
    chat.tried = tried
    await chat.print(*[Text(line, "dim") for line in lines])


def let_go(running: list[Step], kept: Sequence[Step]) -> list[str]:
    """Close the steps that were not kept, and give their memory back; gives their labels. Empties `running`, because
    as long as anything holds an old stage, its models stay."""
    gone = [step.label for step in running if step not in kept]
    while running:
        if running[0] not in kept and (close := getattr(running[0].stage, "close", None)):
            close()
        running.pop(0)
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
    return gone


def checked(values: dict[str, Any], old: Config, source: str) -> Config:
    """These values as a config. Raises UsageError with everything that is wrong with them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / old.path.name
        path.write_text(toml(values), encoding="utf-8")
        try:
            new = configs.load(path, sections=SECTIONS, environ={})
        except ConfigError as error:
            problems = [problem.replace(str(path), "").lstrip(":0123456789 ") for problem in error.problems]
            raise UsageError("\n".join([*problems, "Nothing was changed."])) from None
    for key in list(new.origin):
        same = _at(values, key) == _at(old.values, key)
        new.origin[key] = old.origin.get(key, source) if same else source
    new.path = old.path
    return new


def build(new: Config, old: Config, running: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """All steps of the new config, those that are in the old one taken from it, and the steps that were built.

    Raises StageError, in the words of what the stage's constructor raised.
    """
    kept: list[tuple[Planned, Step]] = list(zip(old.stages, running, strict=True))
    steps, built = [], []
    for planned in new.stages:
        same = next((i for i, (other, _) in enumerate(kept) if other == planned), None)
        if same is not None:
            steps.append(kept.pop(same)[1])
            continue
        try:
            steps.append(planned.build())
        except ChatbotError as error:
            raise StageError(f"{error}. The old one stays.") from error
        built.append(steps[-1])
    return steps, built


def _swap(companion: Companion, new: Config, steps: list[Step], built: Sequence[Step], text: str, user: str) -> Turn:
    """In the worker's thread: try the new steps on a message that nobody keeps, then exchange. Raises StageError."""
    memory = companion.memory(user)
    turn = Turn(text, user, persona=new.persona, profile=memory.facts(), past=memory)
    turn.history = memory.talk(new.sections["memory"].history)
    if built:
        Pipeline(steps)([turn], until=built[-1].slot)
    failed = [f"{step.label}: {turn.failed[step.label]}" for step in built if step.label in turn.failed]
    if failed:
        raise StageError(f"{'; '.join(failed)}. The old one stays.")
    companion.pipeline.steps = steps
    companion.persona, companion.settings = new.persona, new.sections["memory"]
    return turn


def resident() -> int | None:
    """Megabytes of memory that this process holds, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    import resource

    return round(pages * resource.getpagesize() / 1e6)


def _read_use(rest: str) -> tuple[str, str, dict[str, Any]]:
    parts = re.findall(r"""(?:[^\s"'\[]|"[^"]*"|'[^']*'|\[[^\]]*\])+""", rest[:2000])
    if len(parts) < 2 or any("=" not in part for part in parts[2:]):
        raise UsageError(USE)
    settings = {key: _value(text) for key, _, text in (part.partition("=") for part in parts[2:])}
    return parts[0], parts[1], settings


def _value(text: str) -> Any:
    """As TOML reads it, else as it stands."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _at(values: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        if isinstance(values, list):
            values = values[int(part)] if part.isdigit() and int(part) < len(values) else None
        else:
            values = values.get(part) if isinstance(values, Mapping) else None
    return values


def toml(values: Mapping[str, Any]) -> str:
    """Plain values as TOML: keys first, then tables and arrays of tables."""
    lines: list[str] = []
    _table(lines, values, "")
    return "\n".join(lines).strip() + "\n"


def _table(lines: list[str], values: Mapping[str, Any], name: str) -> None:
    tables = {k: v for k, v in values.items() if isinstance(v, Mapping) or _is_tables(v)}
    lines += [f"{_key(k)} = {_inline(v)}" for k, v in values.items() if k not in tables]
    for key, value in tables.items():
        dotted = f"{name}.{_key(key)}" if name else _key(key)
        for table in [value] if isinstance(value, Mapping) else value:
            if isinstance(value, list):
                lines += ["", f"[[{dotted}]]"]
            elif not table or any(not isinstance(v, Mapping) and not _is_tables(v) for v in table.values()):
                lines += ["", f"[{dotted}]"]
            _table(lines, table, dotted)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")
