"""What the judge reads and how it scores, on a tiny random model made here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.numpy import save_file  # noqa: E402

from models.generation import Generator, Sampling  # noqa: E402
from models.judge import Judge, states, states_of  # noqa: E402
from pipelines.errors import WeightsError  # noqa: E402

NEVER = threading.Event()
TEXTS = ["w5 w6", "w7", "w1 w2 w3 w4"]


@pytest.fixture(scope="module")
def reader(tiny_llama: Callable[..., Path]) -> Generator:
    return Generator(tiny_llama(num_hidden_layers=4, initializer_range=0.3), int8=False)


def plainly(reader: Generator, prompt: str, text: str, layer: int) -> np.ndarray:
    """The same by one plain pass over prompt and text."""
    before, ids = (reader.tokenizer(t, add_special_tokens=False).input_ids for t in (prompt, f"{prompt} {text}"))
    with torch.inference_mode():
        found = reader.reader(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]
    own = found[len(before) :]
    return torch.cat([own[-1], own.mean(0)]).numpy()


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_texts_side_by_side_are_read_as_each_alone_behind_the_prompt(reader: Generator, layer: int) -> None:
    found = states(reader, "w9 w8 w7", TEXTS, NEVER, layer)
    assert found is not None
    for row, text in zip(found, TEXTS, strict=True):
        np.testing.assert_allclose(row, plainly(reader, "w9 w8 w7", text, layer), atol=1e-4)


def test_reading_leaves_no_trace_in_what_is_kept_of_the_prompt(reader: Generator) -> None:
    reader.forget()
    sampled = [s.text for s in reader.sample(["w9 w8"], 3, Sampling(max_tokens=6), [NEVER], 5)[0]]
    states(reader, "w9 w8", TEXTS, NEVER, 2)
    assert [s.text for s in reader.sample(["w9 w8"], 3, Sampling(max_tokens=6), [NEVER], 5)[0]] == sampled
    np.testing.assert_allclose(*(states(reader, "w9 w8", TEXTS, NEVER, 2) for _ in range(2)), atol=1e-5)


def test_a_stop_before_or_between_layers_ends_it_and_leaves_no_trace(reader: Generator) -> None:
    class Later(threading.Event):
        """Set after it was looked at a few times."""

        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks > 6

    expected = states(reader, "w9 w8", TEXTS, NEVER, 3)
    stopped = threading.Event()
    stopped.set()
    reader.forget()
    assert states(reader, "w9 w8", TEXTS, stopped, 3) is None
    assert states(reader, "w9 w8", TEXTS, Later(), 3) is None
    np.testing.assert_allclose(states(reader, "w9 w8", TEXTS, NEVER, 3), expected, atol=1e-5)


def written(folder: Path, about: dict[str, object]) -> Path:
    """A judge that likes what its first state is large in."""
    tensors = {
        "hidden.weight": np.eye(1, 64, dtype=np.float32),
        "hidden.bias": np.full(1, 9, dtype=np.float32),
        "out.weight": np.ones((1, 1), dtype=np.float32),
        "out.bias": np.zeros(1, dtype=np.float32),
    }
    save_file(tensors, folder / "judge.safetensors", metadata={"judge": json.dumps(about)})
    return folder


def test_a_judge_scores_what_it_reads(reader: Generator, tmp_path: Path) -> None:
    judge = Judge(written(tmp_path, {"layer": 2, "states of": "tiny"}), reader, "tiny")
    found, read = judge("w9 w8", TEXTS, NEVER), states(reader, "w9 w8", TEXTS, NEVER, 2)
    assert read is not None
    np.testing.assert_allclose(found, read[:, 0] + 9, atol=1e-4)


def test_a_judge_of_another_model_or_a_broken_one_is_named(reader: Generator, tmp_path: Path) -> None:
    folder = written(tmp_path, {"layer": 2, "states of": states_of("tiny", "own")})
    with pytest.raises(WeightsError, match=r"trained on the states of \"tiny \+ own\", not on those of \"tiny\""):
        Judge(folder, reader, states_of("tiny", ""))
    (folder / "judge.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="no judge"):
        Judge(folder, reader, "tiny")
