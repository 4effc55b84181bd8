"""A training that was interrupted goes on exactly where it was, and its checkpoint is plain tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from models.training import encoder  # noqa: E402


def parts() -> tuple[Any, Any, Any, dict[str, Any]]:
    torch.manual_seed(1)
    model = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW([{"params": [model.weight], "lr": 0.1}, {"params": [model.bias], "lr": 0.2}])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, [lambda s: 0.9**s, lambda s: 0.5**s])
    return model, optimiser, schedule, {k: v.detach().clone() for k, v in model.named_parameters()}


def steps(model: Any, optimiser: Any, schedule: Any, count: int) -> None:
    for _ in range(count):
        model(torch.ones(4, 3)).pow(2).sum().backward()
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    model, optimiser, schedule, average = parts()
    steps(model, optimiser, schedule, 3)
    average["weight"].fill_(7)
    encoder._checkpoint(tmp_path, model, optimiser, schedule, average, 3)
    steps(model, optimiser, schedule, 2)

    again, other, plan, mean = parts()
    assert encoder._resume(tmp_path, again, other, plan, mean) == 3
    assert torch.equal(mean["weight"], torch.full((2, 3), 7.0))
    steps(again, other, plan, 2)
    assert torch.allclose(again.weight, model.weight)
    assert torch.allclose(again.bias, model.bias)


def test_without_a_checkpoint_it_begins_at_the_beginning(tmp_path: Path) -> None:
    assert encoder._resume(tmp_path, *parts()) == 0
