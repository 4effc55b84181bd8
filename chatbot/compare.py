"""The same messages through two configs: what each stage said, where they differ, scores, time and memory.

Each config runs in a process of its own, one after the other, so that the peak of memory is its own; people's real
memories are never touched. Scores are shares of passed checks (chatbot/scenes.py), where the messages come with any.
Generated replies are left to chance unless the config sets a seed: two runs of one config may differ in them.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from chatbot.scenes import Scene, check, problem, read_scene
from pipelines.errors import ChatbotError, UsageError
from pipelines.turn import SLOTS

SAID = [slot for slot in SLOTS if slot not in ("embedding", "candidates")]
"""The slots whose values are compared."""

Played = dict[str, Any]
"""config, load_s, peak_mb (None where the system does not tell) and turns: Turn.as_dict with `passed`, `say_ms`."""


def read(path: Path) -> list[Scene]:
    """Conversations from a file or folder. `.toml`: a scene; `.jsonl`: {"text": ..., checks} per line, a line without
    text ends a conversation; anything else: a message per line, an empty line ends a conversation.

    Raises UsageError when there is nothing to say in it.
    """
    if path.is_dir():
        scenes = [read_scene(file) for file in sorted(path.glob("*.toml"))]
    elif path.suffix == ".toml":
        scenes = [read_scene(path)]
    else:
        scenes = _read_lines(path)
    if not scenes:
        raise UsageError(f"{path}: there is nothing to say in it")
    return scenes


def _read_lines(path: Path) -> list[Scene]:
    talks: list[list[dict[str, Any]]] = [[]]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        turn: dict[str, Any] = {"say": line.strip()}
        if path.suffix == ".jsonl" and line.strip():
            try:
                turn = json.loads(line)
                turn["say"] = turn.pop("text", turn.get("say", ""))
            except (ValueError, AttributeError, TypeError) as error:
                raise UsageError(f"{path}:{number}: this is no JSON object: {error}") from None
            if turn["say"] and (wrong := problem(turn)):
                raise UsageError(f"{path}:{number}: {wrong}")
        if turn["say"]:
            talks[-1].append(turn)
        elif talks[-1]:
            talks.append([])
    return [Scene(f"{path.name} {i}", [{"turn": talk}], path) for i, talk in enumerate(talks, 1) if talk]


def compare(configs: Sequence[str], scenes: Sequence[Scene]) -> list[Played]:
    """Play the scenes through each config. Raises what reading or building a config raised."""
    from chatbot.assemble import read_config

    for config in configs:  # both must be right before the time for one is spent
        read_config(config)
    played = []
    for config in configs:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            done = process.submit(_play, config, list(scenes), sys.stderr.isatty()).result()
        if isinstance(done, str):
            raise UsageError(done)
        played.append(done)
    return played


def _play(config_name: str, scenes: list[Scene], tell: bool) -> Played | str:
    """In a process of its own. An error that has words for a person comes back as those words."""
    from chatbot.assemble import make_companion, read_config

    with tempfile.TemporaryDirectory() as folder:
        try:
            config = read_config(config_name, [f"memory.folder={json.dumps(folder)}"])
            started = time.perf_counter()
            companion = make_companion(config, lambda label: _tell(tell, f"{config_name}: loading {label}"))
        except ChatbotError as error:
            return str(error)
        load = time.perf_counter() - started
        turns: list[dict[str, Any]] = []
        for number, scene in enumerate(scenes):
            for session in scene.sessions:
                person = f"{number}:{session.get('person', 'someone')}"  # scenes do not know of each other
                start = session["at"].astimezone() if "at" in session else None
                for minute, expected in enumerate(session["turn"]):
                    _tell(tell, f"{config_name}: {scene.title}, message {len(turns) + 1}")
                    at = start + timedelta(minutes=minute) if start else None
                    begun = time.perf_counter()
                    [turn] = companion.answer([(person, expected["say"])], at=at)
                    ms = (time.perf_counter() - begun) * 1000
                    known = companion.memory(person).facts()
                    passed = {key: not check(turn, known, {key: expected[key]}) for key in expected if key != "say"}
                    turns.append({**turn.as_dict(), "scene": scene.title, "passed": passed, "say_ms": round(ms, 2)})
                companion.close_memories()
        companion.close()
        _tell(tell, "")
        return {"config": config_name, "load_s": round(load, 3), "peak_mb": _peak(), "turns": turns}


def _peak() -> int | None:
    """Megabytes at most so far, of this program alone: getrusage also counts what the process was before it."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1000)
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3))


def _tell(tell: bool, line: str) -> None:
    if tell:
        sys.stderr.write(f"\r\x1b[2K{line[:78]}")
        sys.stderr.flush()


# -- what came out


def says(turn: Mapping[str, Any], slot: str) -> str:
    """What a slot held, in words that two runs can be compared by: without probabilities and scores."""
    value = turn.get(slot)
    if slot == "reply" or value is None:
        return str(value or "")
    if slot == "safety":
        return " ".join(filter(None, (value["level"], value.get("kind"))))
    if slot == "intent":
        return str(value["label"])
    if slot == "emotion":
        return ", ".join(value["labels"])
    if slot == "entities":
        return ", ".join(f"{entity['text']} ({entity['label']})" for entity in value)
    if slot == "facts":
        return ", ".join(f"{f['about']}.{f['slot']}={f['value']}".lstrip(".") for f in value)
    return " / ".join(memory["moment"]["text"] for memory in value)


def differences(a: Played, b: Played) -> dict[str, list[int]]:
    """Per slot, the numbers of the turns in which the two said different things."""
    pairs = list(zip(a["turns"], b["turns"], strict=True))
    return {slot: [i for i, (x, y) in enumerate(pairs) if says(x, slot) != says(y, slot)] for slot in SAID}


def summary(played: Played) -> dict[str, Any]:
    """What was measured: load_s, peak_mb, turn_ms (median), turn_ms_most, stage_ms (mean over all turns, so that they
    add up: a stage that a turn did not need took none of its time), passed per kind of check as (passed, of), and
    failed (turns)."""
    turns = played["turns"]
    stages = list(dict.fromkeys(label for turn in turns for label in turn["ms"]))
    kinds = sorted({kind for turn in turns for kind in turn["passed"]})
    return {
        "load_s": played["load_s"],
        "peak_mb": played["peak_mb"],
        "turn_ms": round(statistics.median(turn["say_ms"] for turn in turns), 1),
        "turn_ms_most": round(max(turn["say_ms"] for turn in turns), 1),
        "stage_ms": {s: round(statistics.fmean(t["ms"].get(s, 0.0) for t in turns), 2) for s in stages},
        "passed": {
            kind: (sum(t["passed"].get(kind, False) for t in turns), sum(kind in t["passed"] for t in turns))
            for kind in kinds
        },
        "failed": sum(bool(turn["failed"]) for turn in turns),
    }


def report(a: Played, b: Played) -> dict[str, Any]:
    """All of it, for JSON."""
    return {"a": a, "b": b, "summary": [summary(a), summary(b)], "differences": differences(a, b)}
