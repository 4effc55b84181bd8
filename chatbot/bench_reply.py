"""What a reply costs, beside others: `chatbot bench reply`.

First the engines: eight candidates and one, of a fixed number of tokens, written by ours (the eight also ranked), by
transformers' `generate` and by llama.cpp, each in a process of its own, asked in turn so that a busy machine is unfair
to none. Then whole turns of the companion of a config, as long as they come, after talks of several lengths: cold
(nothing is kept of earlier prompts) and warm. Knows no model; whether the replies are any good is told elsewhere.
"""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

import numpy as np

from chatbot.memory import Memory
from pipelines.errors import StageError

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)
MANY = 8
TALKS = (2, 10, 30, 200)
"""How many messages were answered before those that are timed."""

FIXED = 16
"""Tokens of each candidate where a long talk is compared with a short one, so that no reply's length decides."""

SAID = (
    "i repotted the basil on the balcony today",
    "work was slow, half the office is away",
    "we argued about the dishes again",
    "the train stood still for an hour in the rain",
    "i finally finished that long book",
    "my neighbour plays the drums at night and i can't sleep",
    "i think i burnt the lentils",
    "there was a fox behind the bins this morning",
)
"""Things to answer that no skill is sure of, so that candidates are written."""

ANSWERED = (
    "Oh, that sounds like a day of its own. What came after it?",
    "I can picture it. How do you feel about it now?",
    "That would get on my nerves too. Is it better now?",
)

Report = dict[str, Any]


def run(
    config: str | None,
    sets: Sequence[str],
    tokens: int,
    rounds: int,
    threads: int,
    tell: Callable[[str], None] = lambda line: None,
) -> Report:
    """Measure all of it. Raises StageError when a turn of the config writes no candidates."""
    engines, missing = _engines(tokens, rounds, threads, tell)
    turns = _turns(config, sets, rounds, threads, tell)
    report: Report = {"machine": _machine(threads), "tokens": tokens, "rounds": rounds, "left out": missing}
    return report | {"engines": engines, "turns": turns, "ratios": _ratios(engines, turns)}


def table(report: Report) -> str:
    """The report in lines for people."""
    machine = report["machine"]
    lines = [
        f"{machine['cores']} cores, {machine['threads']} threads, load {machine['load']:.1f}; medians of "
        f"{report['rounds']} rounds; {report['tokens']} tokens a candidate",
        "",
        f"{'engine':<14}"
        + "".join(f"{word:>10}" for word in ("eight", "cpu", "tokens/s", "one", "cpu", "tokens/s"))
        + f"{'first':>10}{'peak':>10}",
    ]
    for name, row in report["engines"].items():
        cells = [cell for what in ("eight", "one") for cell in (*_seconds(row[what]), f"{row[what]['tokens/s']:.0f}")]
        cells += [_seconds(row["first"])[0], f"{row['peak MB']} MB"]
        lines.append(f"{name:<14}" + "".join(f"{cell:>10}" for cell in cells))
    titles = ("cold", "cpu", "warm", "cpu", "written")
    lines += ["", f"{'a turn after':<14}" + "".join(f"{word:>10}" for word in titles)]
    for name, row in report["turns"].items():
        cells = [*_seconds(row["cold"]), *_seconds(row["warm"]), f"{row['candidates']:.0f}"]
        lines.append(f"{name:<14}" + "".join(f"{cell:>10}" for cell in cells))
    lines += ["", *(f"{name}: {value:.2f}" for name, value in report["ratios"].items()), *report["left out"]]
    return "\n".join(lines)


def _seconds(row: Report) -> tuple[str, str]:
    return f"{row['s']:.2f} s", f"{row['cpu']:.2f} s"


def _engines(tokens: int, rounds: int, threads: int, tell: Callable[[str], None]) -> tuple[Report, list[str]]:
    from models.training.bench_engines import ENGINES, work

    asked = {"eight": (MANY, tokens), "one": (1, tokens), "first": (1, 1)}
    took: dict[str, dict[str, list[tuple[float, float]]]] = {}
    peaks: dict[str, float] = {}
    missing = []
    with _processes(work, [(name, threads) for name in ENGINES]) as pipes:
        there = {}
        for name, pipe in zip(ENGINES, pipes, strict=True):
            tell(f"loading {name}")
            said = pipe.recv()
            if said == "ready":
                there[name] = pipe
            else:
                missing.append(said)
        for turn in range(-1, rounds):  # the first warms up
            for what, (count, length) in asked.items():
                for name, pipe in there.items():
                    tell(f"round {turn + 1}: {name} writes {what}")
                    pipe.send((count, length))
                    seconds, busy, peaks[name] = pipe.recv()
                    if turn >= 0:
                        took.setdefault(name, {}).setdefault(what, []).append((seconds, busy))
        for pipe in there.values():
            pipe.send(None)
    engines = {
        name: {what: _summary(times, asked[what][0] * asked[what][1]) for what, times in rows.items()}
        | {"peak MB": round(peaks[name])}
        for name, rows in took.items()
    }
    return engines, missing


def _turns(config: str | None, sets: Sequence[str], rounds: int, threads: int, tell: Callable[[str], None]) -> Report:
    with _processes(_talk, [(config, tuple(sets), rounds, threads)]) as [pipe]:
        tell("loading the companion")
        while isinstance(said := pipe.recv(), str):
            if said.startswith("! "):
                raise StageError(said[2:])
            tell(said)
    rows: Report = {}
    for talk, times in said.items():
        rows[f"{talk} messages"] = {
            "cold": _summary([t[:2] for t in times["cold"]]),
            "warm": _summary([t[:2] for t in times["warm"]]),
            **({"fixed": _summary([t[:2] for t in times["fixed"]])} if "fixed" in times else {}),
            "candidates": statistics.median(t[2] for t in times["cold"] + times["warm"]),
        }
    return rows


def _talk(pipe: Any, config: str | None, sets: Sequence[str], rounds: int, threads: int) -> None:
    """The process of the companion: sends lines of progress, or "! " with what is wrong, and last the times."""
    import torch

    from chatbot.assemble import make_companion, read_config

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        companion = make_companion(read_config(config, [*sets, f"memory.folder={folder}"]))
        generators = [g for step in companion.pipeline.steps if (g := getattr(step.stage, "generator", None))]
        [first] = companion.answer([("warm up", SAID[0])])
        for talk in TALKS:
            _fill(companion.memory(str(talk)), talk, first.embedding.encoder if first.embedding else "")
        times: dict[int, dict[str, list[tuple[float, float, int]]]] = {t: {"cold": [], "warm": []} for t in TALKS}
        for number in range(rounds):
            for talk, kind in itertools.product(TALKS, ("cold", "warm")):
                pipe.send(f"round {number + 1}: a {kind} turn after {talk} messages")
                if kind == "cold":
                    for generator in generators:
                        generator.forget()
                text = SAID[(2 * number + (kind == "warm")) % len(SAID)]
                started, busy = time.perf_counter(), time.process_time()
                [turn] = companion.answer([(str(talk), text)])
                took = time.perf_counter() - started, time.process_time() - busy
                written = [c for c in turn.candidates or () if c.source not in ("skills", "template", "retrieval")]
                if not written:
                    pipe.send(f"! no stage wrote a candidate for {text!r}: {turn.failed or 'a skill was sure'}")
                    return
                times[talk][kind].append((*took, len(written)))
        stage: Any
        for stage in (step.stage for step in companion.pipeline.steps if hasattr(step.stage, "generator")):
            stage.generator.end = -1
            stage.sampling = dataclasses.replace(stage.sampling, max_tokens=FIXED)
        for number in range(-1, rounds):  # the first reads what the rounds above made the models forget
            for talk in (TALKS[1], TALKS[-1]):
                pipe.send(f"round {number + 1}: a turn of one length after {talk} messages")
                started, busy = time.perf_counter(), time.process_time()
                companion.answer([(str(talk), SAID[(number + 1) % len(SAID)])])
                if number >= 0:
                    times[talk].setdefault("fixed", []).append(
                        (time.perf_counter() - started, time.process_time() - busy, 0)
                    )
        companion.close()
    pipe.send(times)


def _fill(memory: Memory, messages: int, encoder: str) -> None:
    """Said and answered, with vectors that mean nothing: the search looks at them all the same."""
    chance = np.random.default_rng(messages)
    for i in range(messages):
        at = AT + timedelta(minutes=3 * i)
        id = memory.hear(SAID[i % len(SAID)], at)
        vector = chance.normal(size=384).astype(np.float32)
        memory.learn(id, [], vector / np.linalg.norm(vector), encoder)
        memory.answer(ANSWERED[i % len(ANSWERED)], at + timedelta(seconds=2), to=id)


@contextmanager
def _processes(work: Callable[..., None], each: Sequence[tuple[Any, ...]]) -> Any:
    """A process for each tuple of arguments, and its pipe; all are ended when the body is left."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    try:
        for arguments in each:
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
            process.start()
            theirs.close()  # so that a process that dies is heard
            pipes.append(ours)
            processes.append(process)
        yield pipes
        for process in processes:
            process.join(timeout=10)
    except EOFError:
        raise StageError("a process of the bench died; what it said stands above") from None
    finally:
        for process in processes:
            process.terminate()


def _summary(times: Sequence[tuple[float, float]], tokens: int = 0) -> dict[str, Any]:
    seconds = statistics.median(t[0] for t in times)
    result = {"s": round(seconds, 4), "cpu": round(statistics.median(t[1] for t in times), 4)}
    if tokens:
        result["tokens/s"] = round(tokens / seconds, 1)
    return result | {"all": [round(t[0], 4) for t in times], "all cpu": [round(t[1], 4) for t in times]}


def _ratios(engines: Report, turns: Report) -> dict[str, float]:
    """Of medians, by the clock and by the processor."""
    result = {}
    for other in ("llama.cpp", "transformers"):
        if other in engines:
            for measure, how in (("s", "time"), ("cpu", "processor")):
                mine, theirs = (engines[name]["eight"][measure] for name in ("ours", other))
                result[f"eight ranked of ours / eight of {other}, {how}"] = round(mine / theirs, 3)
    long, short = (turns[f"{talk} messages"]["fixed"] for talk in (TALKS[-1], TALKS[1]))
    for measure, how in (("s", "time"), ("cpu", "processor")):
        ratio = long[measure] / short[measure]
        result[f"a turn after {TALKS[-1]} messages / after {TALKS[1]}, one length, {how}"] = round(ratio, 3)
    return result


def _machine(threads: int) -> Report:
    versions = {}
    for package in ("torch", "transformers", "xllamacpp"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    wait = os.environ.get("OMP_WAIT_POLICY", "")
    when = datetime.now().astimezone().isoformat(timespec="minutes")
    return {
        "at": when,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load": round(load, 2),
        "OMP_WAIT_POLICY": wait,
        "versions": versions,
    }
