"""A stage as it is run to be measured: built by name, asked about texts, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.errors import UsageError
from pipelines.turn import Turn

Stage = Callable[[Sequence[Turn]], Sequence[Any]]


def build(name: str, **settings: Any) -> Stage:
    """A stage by its entry point, such as "intent.encoder". Raises UsageError when there is none."""
    found = {entry.name: entry for entry in entry_points(group="chatbot.stages")}
    if name not in found:
        raise UsageError(f'there is no stage "{name}". There are: {", ".join(sorted(found))}')
    stage: Stage = found[name].load()(**settings)
    return stage


def values(stages: Sequence[Stage], texts: Sequence[str]) -> list[Any]:
    """What the last stage says of texts; the one before it, if any, fills `embedding`."""
    found: list[Any] = []
    for start in range(0, len(texts), 256):
        turns = [Turn(text) for text in texts[start : start + 256]]
        for turn, embedding in zip(turns, stages[0](turns) if len(stages) > 1 else (), strict=False):
            turn.embedding = embedding
        found += stages[-1](turns)
    return found


def latency(stages: Sequence[Stage], texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds per message, median of 100 and of 8 batches of 64, on one thread; batches on all cores as well, and
    how many times as many messages a second the batches read. On one thread it is the time that the processor spent,
    which is the time that passes when nothing else runs; on all cores it is the time that passed."""
    parts = [part for i in range(0, 512, 64) if (part := texts[i : i + 64])]
    with one_thread():
        values(stages, texts[:8])
        one = float(np.median([_seconds(stages, [text]) for text in texts[:100]]) * 1000)
        batches = [_seconds(stages, part) for part in parts]
        many = float(np.median([t / len(part) for t, part in zip(batches, parts, strict=True)]) * 1000)
    spread = float(np.median([_seconds(stages, part, time.perf_counter) / len(part) for part in parts]) * 1000)
    return {
        "one by one, ms a message": one,
        "in batches of 64, ms a message": many,
        "a batch of 64, ms": float(np.median(batches) * 1000),
        "in batches of 64 on all cores, ms a message": spread,
        "messages a second, batches over one by one": one / many,
        "the same on all cores": one / spread,
    }


def understanding(embedding: Stage, weights: str | None, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of the processor per message on one thread, median of 200, of each stage of understanding and of
    all together."""
    folder = Path(weights) if weights else None
    chain: dict[str, Stage] = {"embedding": embedding}
    for slot, use in (("intent", "encoder"), ("entities", "encoder"), ("emotion", "encoder"), ("facts", "rules")):
        own = folder is not None and (folder / f"{slot}.safetensors").is_file()
        chain[slot] = build(f"{slot}.{use}", **({"weights": weights} if own else {}))
    times: dict[str, list[float]] = {slot: [] for slot in chain}
    with one_thread():
        for text in [*texts[:8], *texts[:200]]:
            turn = Turn(text)
            for slot, stage in chain.items():
                start = time.process_time()
                setattr(turn, slot, stage([turn])[0])
                times[slot].append(time.process_time() - start)
    kept = {slot: np.array(found[8:]) * 1000 for slot, found in times.items()}
    whole = np.sum(list(kept.values()), axis=0)
    return {**{f"{slot}, ms": float(np.median(t)) for slot, t in kept.items()}, "all, ms": float(np.median(whole))}


def _seconds(stages: Sequence[Stage], texts: Sequence[str], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    values(stages, texts)
    return clock() - start


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread, so that a time says what one core does."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
