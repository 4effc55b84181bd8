"""Whether this machine can run the companion, on one screen, and what to do where it cannot.

Loads no model: it imports the stages, reads the weights' bytes, and looks at folders, packages and the terminal.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from chatbot import __version__
from chatbot.assemble import find_config, read_config
from pipelines.config import Config
from pipelines.errors import ChatbotError, StageError
from pipelines.stages import GROUP, load_stage

LOW = 1_000_000_000
"""Bytes of free disk under which the doctor warns; a twentieth of it is a failure."""


@dataclass(frozen=True)
class Finding:
    """ok: all right; note: worth knowing; wrong: has to be mended."""

    state: Literal["ok", "note", "wrong"]
    about: str
    text: str


def examine(config: str | None) -> Iterator[Finding]:
    """Everything, in order of what depends on what."""
    yield python()
    yield from packages()
    yield from plugins()
    found: Config | None = None
    try:
        found = read_config(config)
        yield Finding("ok", "config", f"{found.path}: {len(found.stages)} stages")
    except ChatbotError as error:
        yield Finding("wrong", "config", str(error))
    if found:
        yield from weights(found)
        yield from folders(found.sections["memory"].path)
    yield terminal()
    yield machine()


def python() -> Finding:
    text = f"{platform.python_version()} ({platform.python_implementation()}), {platform.platform(terse=True)}"
    return Finding("ok" if sys.version_info >= (3, 11) else "wrong", "python", text)


def packages() -> Iterator[Finding]:
    """What the project requires, extras left out: there, and new enough."""
    try:
        required = metadata.requires("chatbot") or []
    except metadata.PackageNotFoundError:
        yield Finding("wrong", "packages", "the chatbot itself is not installed: pip install -e . in its folder")
        return
    wrong, there = [], 0
    for line in required:
        problem = _lacking(line)
        if problem is None:
            there += 1
        elif problem:
            wrong.append(problem)
    for problem in wrong:
        yield Finding("wrong", "packages", f"{problem}. Install: pip install -e .")
    if not wrong:
        yield Finding("ok", "packages", f"{there} required packages, all there")


def _lacking(line: str) -> str | None:
    """What is wrong with one requirement; None when it is met, "" when it belongs to an extra or another system."""
    from packaging.requirements import Requirement

    wanted = Requirement(line)
    if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
        return ""
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed"
    met = wanted.specifier.contains(version, prereleases=True)
    return None if met else f"{wanted.name} is {version}, but {wanted.specifier} is needed"


def plugins() -> Iterator[Finding]:
    """Every installed stage, imported alone: a broken one is shown with its traceback and harms no other."""
    entries = sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name)
    loaded = 0
    for entry in entries:
        try:
            load_stage(entry)
            loaded += 1
        except StageError as error:
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
            lines = traceback.format_exception(error.__cause__)[-4:]
            text = f"{entry.name} ({entry.value}, from {package}) {error}\n{''.join(lines).rstrip()}"
            yield Finding("wrong", "stages", text)
    for name, count in Counter(entry.name for entry in entries).items():
        if count > 1:
            whose = ", ".join(e.dist.name if e.dist else "?" for e in entries if e.name == name)
            yield Finding("wrong", "stages", f"{name} is offered by several packages ({whose}): one hides the other")
    yield Finding("ok", "stages", f"{loaded} of {len(entries)} load")


def weights(config: Config) -> Iterator[Finding]:
    """The weights that this config uses: there, and with the sha256 of their card."""
    from models import hub

    verified = 0
    for name in dict.fromkeys(w for stage in config.stages for w in stage.weights()):
        problem = hub.problem(name)
        if problem:
            yield Finding("wrong", "weights", problem)
            continue
        card = hub.find(name)
        wrong = [] if isinstance(card, Path) else hub.verify(card)
        for line in wrong:
            yield Finding(
                "wrong", "weights", f"{line}. Remove and fetch: chatbot models remove {name}; models pull {name}"
            )
        verified += not wrong
    yield Finding("ok", "weights", f"{verified} verified in {hub.cache_folder()}" if verified else "none needed")


def folders(data: Path) -> Iterator[Finding]:
    """Where memory and weights lie: writable, private, with room."""
    from models import hub

    for about, folder, variable in (("memory", data, "CHATBOT_DATA"), ("cache", hub.cache_folder(), "CHATBOT_CACHE")):
        there = next(p for p in [folder, *folder.parents] if p.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            yield Finding("wrong", about, f"{there} cannot be written. Set {variable}")
            continue
        free = shutil.disk_usage(there).free
        state: Literal["ok", "note", "wrong"] = "ok" if free > LOW else "note" if free > LOW / 20 else "wrong"
        yield Finding(state, about, f"{folder}, {free / 1e9:.1f} GB free")
    if os.name == "posix" and data.is_dir() and (mode := stat.S_IMODE(data.stat().st_mode)) & 0o077:
        yield Finding("wrong", "memory", f"{data} can be read by others (mode {mode:o}). Mend: chmod 700 {data}")


def terminal() -> Finding:
    size = shutil.get_terminal_size()
    kind = f"TERM={os.environ.get('TERM', 'unset')}, {size.columns}x{size.lines}, {sys.stdout.encoding}"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Finding("note", "terminal", f"this is none: chatbot repl would answer line by line ({kind})")
    colour = "no colours, as NO_COLOR asks" if os.environ.get("NO_COLOR") else "colours"
    return Finding("ok", "terminal", f"{kind}, {colour}")


def machine() -> Finding:
    text = f"{os.cpu_count()} cores"
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        text += f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.1f} GB of memory"
    text += ", a GPU is there and not needed" if shutil.which("nvidia-smi") else ", no GPU (none is needed)"
    return Finding("ok", "machine", text)


def report(config: str | None) -> int:
    """Print all findings; 0 when nothing is wrong, else 1."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    marks = {"ok": ("ok    ", "green"), "note": ("note  ", "yellow"), "wrong": ("WRONG ", "bold red")}
    wrong = 0
    console.print(Text(f"chatbot {__version__}, config {config or find_config(None)}", "dim"))
    for finding in examine(config):
        wrong += finding.state == "wrong"
        first, *rest = finding.text.splitlines()
        console.print(Text.assemble(marks[finding.state], (f"{finding.about:<9} ", "bold"), first))
        for line in rest:
            console.print(Text(f"{'':<16} {line}", "dim"))
    console.print(Text(f"{wrong} to mend" if wrong else "All is well.", "bold"))
    return 1 if wrong else 0
