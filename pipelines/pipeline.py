"""The loop: a stage reads turns and returns one value per turn; the value goes into the field of the stage's slot.

Knows no model: it is given built stages. Failure is per turn: when a stage fails on a batch it is asked again turn
by turn, and a turn on which it fails goes on without that value. Safety is the exception and fails closed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.errors import StageError
from pipelines.turn import Candidate, Embedding, Emotion, Intent, Reply, Risk, Turn

log = logging.getLogger(__name__)

CLOSED = (
    "Something in me that keeps us safe isn't working right now, so I'd rather not answer. "
    "If you need someone right now, findahelpline.com lists people to talk to, in every country."
)
"""What is said when the safety stage fails: written by a person, and the whole turn ends with it."""


KINDS: dict[str, type] = {
    "safety": Risk,
    "embedding": Embedding,
    "intent": Intent,
    "entities": list,
    "emotion": Emotion,
    "facts": list,
    "memories": list,
    "candidates": list,
    "reply": Reply,
}
"""What a slot holds. A stage that returns something else fails by itself, before others trip over it."""


class Stage(Protocol):
    """What fills a slot. Any class with these two members will do; there is no base class.

    needs: the slots that must have been filled before (a slot that is merely used when it is there is not listed).
    The constructor's arguments are the stage's settings, plain values only, and it loads what it needs, so that a
    bad path fails at the start. Calling the stage with n >= 1 turns returns n values, in order. It keeps no state
    of a person and writes to no turn. A class attribute `weights`, if there is one, names the settings that name a
    model card, and `packages` the importable packages that it needs beyond the base install.
    """

    @property
    def needs(self) -> tuple[str, ...]: ...

    def __call__(self, turns: Sequence[Turn]) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Step:
    """A built stage at its place: slot, its name in the config (such as "encoder"), the stage itself."""

    slot: str
    name: str
    stage: Stage

    @property
    def label(self) -> str:
        return f"{self.slot}.{self.name}"


class Pipeline:
    """Steps in running order. Several steps may fill `candidates`: their lists are joined."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)

    def __call__(self, turns: Sequence[Turn], until: str | None = None) -> None:
        """Run every step on the turns, in place; with `until`, the steps up to and including that slot (none, if no
        step fills it)."""
        last = len(self.steps) - 1
        if until is not None:
            last = max((i for i, step in enumerate(self.steps) if step.slot == until), default=-1)
        for step in self.steps[: last + 1]:
            live = [t for t in turns if not _closed(t) and _has_needs(step, t)]
            if live:
                _run(step, live)

    def close(self) -> None:
        """Let go of what the stages hold open (servers, threads); those without `close` need none."""
        for step in self.steps:
            close = getattr(step.stage, "close", None)
            if close:
                close()


def _closed(turn: Turn) -> bool:
    return turn.reply is not None and turn.reply.source == "closed"


def _has_needs(step: Step, turn: Turn) -> bool:
    """Whether all that the stage needs was filled; where a stage before it failed on this turn, it is left out.

    Safety is never left out: it decides with what there is, or raises, and then the turn is closed."""
    if step.slot == "safety":
        return True
    lacking = [slot for slot in step.stage.needs if getattr(turn, slot) is None]
    if lacking:
        turn.failed[step.label] = f"left out: there is no {', '.join(lacking)}"
    return not lacking


def _run(step: Step, turns: list[Turn]) -> None:
    started = time.perf_counter()
    try:
        values = _values(step, turns)
    except Exception as error:
        if len(turns) == 1:
            _fail(step, turns[0], error)
            values = []
        else:
            # One poisonous turn must harm only itself: ask again, each turn alone.
            for turn in turns:
                _run(step, [turn])
            return
    ms = (time.perf_counter() - started) * 1000
    for turn in turns:
        turn.ms[step.label] = ms
    for turn, value in zip(turns, values, strict=False):
        if step.slot == "candidates":
            value = [*(turn.candidates or []), *value]
        setattr(turn, step.slot, value)


def _values(step: Step, turns: list[Turn]) -> list[Any]:
    given = step.stage(turns)
    if not isinstance(given, Sequence):
        raise StageError(f"{step.label} returned {_kind(given)}; it must return a list with one value per turn")
    values = list(given)
    if len(values) != len(turns):
        raise StageError(f"{step.label} returned {len(values)} values for {len(turns)} turns; it must return one each")
    wrong = next((v for v in values if v is not None and not isinstance(v, KINDS.get(step.slot, object))), None)
    if wrong is not None:
        raise StageError(f"{step.label} returned {_kind(wrong)}; {step.slot} holds {_kind(KINDS[step.slot])}")
    if step.slot == "safety" and any(value is None for value in values):
        raise StageError(f"{step.label} returned no verdict")
    if step.slot == "candidates" and not all(isinstance(c, Candidate) for value in values for c in value):
        raise StageError(f"{step.label} must return a list of Candidate per turn")
    return values


def _kind(value: object) -> str:
    """What sort of thing it is, with its article."""
    name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _fail(step: Step, turn: Turn, error: Exception) -> None:
    # The message may quote what the person said, so the log gets the type alone; the trace shows the rest.
    turn.failed[step.label] = f"{type(error).__name__}: {error}"
    log.error("stage %s failed on a turn: %s", step.label, type(error).__name__)
    if step.slot == "safety":
        turn.reply = Reply(CLOSED, source="closed", why="the safety stage failed, so nothing else was asked")
