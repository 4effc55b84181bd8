"""What the bot counts, in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

HELP = {
    "updates": "Updates that came from Telegram",
    "turns": "Messages answered by the companion",
    "sent": "Messages sent",
    "denied": "Updates of people who are not allowed",
    "silent": "Updates that were met with a deliberate silence",
    "unreadable": "Updates that could not be parsed and were stepped over",
    "failed": "Answers or messages that failed",
    "flood": "Times that Telegram said to wait",
    "network": "Requests that the network lost",
    "interrupted": "Answers begun again since more of the message came",
    "reactions": "Reactions put on messages",
    "over_budget": "Messages over a day's budget",
    "crisis": "Messages met with a crisis reply, whoever wrote them",
}
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds; the upper ends of the histogram of waits."""


class Counters:
    """Plain numbers; used from the event loop alone."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(HELP, 0)
        self.stages: dict[str, tuple[float, int]] = {}
        self.waits = [0] * (len(BOUNDS) + 1)
        self.waited = 0.0

    def add(self, name: str, n: int = 1) -> None:
        self.counts[name] += n

    def wait(self, seconds: float) -> None:
        """Count how long a person waited from their update to the reply's sending."""
        self.waited += seconds
        self.waits[sum(seconds > bound for bound in BOUNDS)] += 1

    def stage(self, ms: Mapping[str, float]) -> None:
        """Count the milliseconds that each stage took for a turn."""
        for name, value in ms.items():
            total, n = self.stages.get(name, (0.0, 0))
            self.stages[name] = (total + value / 1000, n + 1)

    def lines(self, depth: int, chats: int) -> Iterator[str]:
        """The exposition; depth: updates that wait, chats: queues that are alive."""
        for name, n in self.counts.items():
            yield from _head(f"chatbot_{name}_total", HELP[name], "counter")
            yield f"chatbot_{name}_total {n}"
        for name, text, n in (
            ("queue_depth", "Updates that wait for their answer", depth),
            ("chats", "Chats with something to do", chats),
        ):
            yield from _head(f"chatbot_{name}", text, "gauge")
            yield f"chatbot_{name} {n}"
        yield from _head("chatbot_wait_seconds", "From the update to the reply", "histogram")
        total = 0
        for bound, n in zip([*map(str, BOUNDS), "+Inf"], self.waits, strict=True):
            total += n
            yield f'chatbot_wait_seconds_bucket{{le="{bound}"}} {total}'
        yield f"chatbot_wait_seconds_sum {self.waited:.3f}"
        yield f"chatbot_wait_seconds_count {total}"
        yield from _head("chatbot_stage_seconds", "Time per stage and turn", "summary")
        for name, (seconds, n) in self.stages.items():
            yield f'chatbot_stage_seconds_sum{{stage="{name}"}} {seconds:.4f}'
            yield f'chatbot_stage_seconds_count{{stage="{name}"}} {n}'


def _head(name: str, text: str, kind: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
