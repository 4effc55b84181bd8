"""How many candidates a language model is asked for; the model itself is a hand-made one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from models.candidates import Transformers
from models.generation import Sample
from pipelines.turn import Turn


class Counting:
    """A generator that only notes how many samples are asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def sample(self, prompts: Sequence[str], count: int, *_: Any) -> list[list[Sample]]:
        self.asked.append((len(prompts), count))
        return [[Sample("That sounds nice.", True, -1.0)] * count for _ in prompts]


@pytest.mark.parametrize(("people", "each"), [(1, 8), (8, 8), (9, 7), (16, 4), (65, 1)])
def test_of_many_turns_each_gets_fewer_candidates(people: int, each: int) -> None:
    stage = Transformers.__new__(Transformers)
    generator = Counting()
    stage.__dict__.update(count=8, together=64, seed=1, fallback=False, sampling=None, generator=generator)
    made = stage([Turn(f"i like tea number {i}") for i in range(people)])
    assert generator.asked == [(people, each)]
    assert [len(candidates) for candidates in made] == [each] * people
