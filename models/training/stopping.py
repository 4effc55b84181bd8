"""What it costs to look for a stop while a prompt is read, and how soon a stop is heard: the numbers in CHANGELOG.md.

    python -m models.training.stopping

Reads random prompts of 600 tokens with the default model, at once and in parts; then stops at ten random moments.
Knows no turn and no person.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time

from models import generation
from models.generation import Generator, Sampling
from models.hub import fetch

LENGTH = 600
"""Tokens of a prompt, more than a turn of the default config has."""


def main() -> None:
    """Print a line per size of a part, and one for the stops."""
    import torch

    generator = Generator(fetch("smollm2-135m-instruct"), fetch("companion"))
    chance = random.Random(0)
    parts = (LENGTH, 128, 64, 48, 32)
    took: dict[int, list[float]] = {part: [] for part in parts}
    for _ in range(3):  # in turn, so that a busy machine is unfair to none
        prompt = generator.tokenizer.decode([chance.randrange(1000, 20000) for _ in range(LENGTH)])
        for part in parts:
            generation.READ_AT_ONCE = part
            generator.forget()
            started = time.perf_counter()
            with torch.inference_mode():
                generator.read(prompt, threading.Event())
            took[part].append(time.perf_counter() - started)
    for part in parts:
        _say(f"read {LENGTH} tokens, {part:3} at once: {statistics.median(took[part]):.2f} s (median of 3)")
    generation.READ_AT_ONCE = 512
    late = []
    for _ in range(10):
        generator.forget()
        stop = threading.Event()
        set_at: list[float] = []
        threading.Timer(
            chance.uniform(0.1, 2.5), lambda stop=stop, at=set_at: (at.append(time.perf_counter()), stop.set())
        ).start()
        generator.sample([prompt], 4, Sampling(max_tokens=200), [stop], 1)
        if set_at:
            late.append(time.perf_counter() - set_at[0])
    _say(f"from a stop to the end: median {1000 * statistics.median(late):.0f} ms, most {1000 * max(late):.0f} ms")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
