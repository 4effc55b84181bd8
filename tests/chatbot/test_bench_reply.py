"""`chatbot bench reply`: what its processes say to it, what it makes of the times, and a turn of the real models."""

from __future__ import annotations

from typing import Any

import pytest

from chatbot import bench_reply
from models.training import bench_engines


class Pipe:
    """Both ends of a pipe in one process: hands out `asked`, keeps what is sent."""

    def __init__(self, *asked: Any) -> None:
        self.asked, self.sent = list(asked), []

    def recv(self) -> Any:
        return self.asked.pop(0)

    def send(self, what: Any) -> None:
        self.sent.append(what)


def test_an_engine_answers_until_it_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    wrote: list[tuple[int, int]] = []
    monkeypatch.setitem(bench_engines.ENGINES, "fake", lambda threads: lambda count, n: wrote.append((count, n)))
    pipe = Pipe((8, 40), (1, 1), None)
    bench_engines.work(pipe, "fake", 1)
    assert wrote == [(8, 40), (1, 1)]
    ready, *times = pipe.sent
    assert ready == "ready"
    assert [len(t) for t in times] == [3, 3]
    assert all(seconds >= 0 and busy >= 0 and peak > 1 for seconds, busy, peak in times)


def test_an_engine_whose_package_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(threads: int) -> Any:
        raise ImportError("No module named 'xllamacpp'")

    monkeypatch.setitem(bench_engines.ENGINES, "fake", missing)
    pipe = Pipe()
    bench_engines.work(pipe, "fake", 1)
    assert pipe.sent == ["fake is left out: No module named 'xllamacpp'"]


def engine(eight: float, one: float) -> dict[str, Any]:
    row = {what: bench_reply._summary([(s, 2 * s)], n) for what, s, n in (("eight", eight, 320), ("one", one, 40))}
    return {**row, "first": bench_reply._summary([(0.1, 0.1)], 1), "peak MB": 700}


def turns(short: float, long: float) -> dict[str, Any]:
    rows = {}
    for talk in bench_reply.TALKS:
        warm = bench_reply._summary([(long if talk == 200 else short, 1.0)])
        rows[f"{talk} messages"] = {"cold": warm, "warm": warm, "fixed": warm, "candidates": 8}
    return rows


def test_medians_are_of_all_rounds_and_ratios_of_medians() -> None:
    assert bench_reply._summary([(3.0, 1.0), (1.0, 5.0), (2.0, 2.0)], 40)["s"] == 2.0
    assert bench_reply._summary([(2.0, 1.0)], 40)["tokens/s"] == 20.0
    ratios = bench_reply._ratios({"ours": engine(1.5, 0.5), "llama.cpp": engine(2.0, 0.4)}, turns(1.0, 1.1))
    assert ratios["eight ranked of ours / eight of llama.cpp, time"] == 0.75
    assert ratios["a turn after 200 messages / after 10, one length, time"] == 1.1
    assert not any("transformers" in name for name in ratios), "what was left out has no ratio"


def test_the_table_shows_every_engine_every_talk_and_what_was_left_out() -> None:
    engines, talks = {"ours": engine(1.5, 0.5)}, turns(1.0, 1.1)
    machine = {"cores": 2, "threads": 2, "load": 0.5}
    report = {
        "machine": machine,
        "tokens": 40,
        "rounds": 3,
        "engines": engines,
        "turns": talks,
        "ratios": {"a / b": 0.5},
    }
    shown = bench_reply.table({**report, "left out": ["llama.cpp is left out: no module"]})
    for expected in ("ours", "1.50 s", "700 MB", "200 messages", "1.10 s", "a / b: 0.50", "is left out"):
        assert expected in shown


def test_a_config_that_writes_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_reply, "TALKS", (2,))
    pipe = Pipe()
    bench_reply._talk(pipe, "tiny", (), 1, 1)
    assert pipe.sent[-1].startswith("! no stage wrote a candidate")


@pytest.mark.models
def test_a_turn_of_the_real_models_is_timed_cold_and_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_reply, "TALKS", (2, 30))
    pipe = Pipe()
    bench_reply._talk(pipe, None, ("stages.candidates.transformers.count=2",), 1, 1)
    times = pipe.sent[-1]
    assert set(times) == {2, 30}
    assert times[30]["fixed"]
    for kinds in times.values():
        for kind in ("cold", "warm"):
            [(seconds, busy, written)] = kinds[kind]
            assert busy > 0
            assert seconds > 0
            assert 1 <= written <= 2
