"""The chooser on a few made talks: projections learn what goes with what, a finished one is loaded as it was."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import save_file  # noqa: E402

from models.training import chooser, choosing  # noqa: E402
from models.training.chooser import WIDTH, Chooser, Pair, learn, pairs_of, table  # noqa: E402
from models.training.choosing import Choice  # noqa: E402
from models.training.likelihood import Score  # noqa: E402


class Numbers(chooser.Texts):
    """Made-up features: a fixed random vector per word."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}

    def features(self, texts: list[str]) -> Any:  # type: ignore[override]
        for text in texts:
            if text not in self.known:
                rng = np.random.default_rng(zlib.crc32(text.encode()))
                row = rng.normal(size=2 * WIDTH).astype(np.float32)
                row[WIDTH:] /= np.linalg.norm(row[WIDTH:])
                self.known[text] = row
        return torch.tensor(np.stack([self.known[text] for text in texts]))


PAIRS = [Pair(f"m{i % 16}", "b", (f"a{i % 4}",), f"r{i % 16}") for i in range(256)]
EVEN = [Score(-4.0, -1.0, 2)] * 4


def choice(i: int) -> Choice:
    return Choice((), (f"a{i % 4}",), ("b", f"m{i}"), (f"r{i}", *(f"r{(i + k) % 16}" for k in (1, 2, 3))))


def test_pairs_are_cut_from_a_talk() -> None:
    found = pairs_of(["one", "two", "three"], ["me"] * 9, [1, 2])
    assert found[0] == Pair("one", "one", ("me",) * 5, "two")
    assert found[1] == Pair("two", "one", ("me",) * 5, "three")


def test_projections_learn_what_goes_with_what() -> None:
    texts = Numbers()
    model = learn([PAIRS], texts, 12, 1)
    projected = [table(model, texts, choice(i), EVEN, EVEN)[:, 0] for i in range(16)]
    assert np.mean([choosing.hit(scores) for scores in projected]) > 0.8


def test_a_finished_chooser_is_loaded_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chooser, "Texts", Numbers)
    model = chooser.network().eval()
    weights = {name: float(name == "projected") for name in choosing.FEATURES}
    state = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(state, tmp_path / chooser.FILE, metadata={"weights": json.dumps(weights)})
    found = Chooser(tmp_path)(choice(3), EVEN, EVEN)
    assert found == pytest.approx(table(model, Numbers(), choice(3), EVEN, EVEN)[:, 0], abs=0.01)
