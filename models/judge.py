"""How well a reply fits a talk: one number from what the reply model itself makes of the reply behind the prompt.

A small network reads the states of a middle layer at the reply's words ("linear probing", Alain and Bengio 2016), where
the model has the whole talk in sight: what it could not write, it can still tell from what it could. The network was
trained on candidates that readers judged one by one (models/training/ranker.py). It knows no rules; what must never be
said is models/outgoing.py.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.generation import Generator, Stopped
from pipelines.errors import WeightsError

FILE = "judge.safetensors"
Floats = NDArray[np.float32]


class Judge:
    """Scores replies to one prompt.

    folder: judge.safetensors with hidden.weight, hidden.bias, out.weight and out.bias; its header names the layer, the
    model and adapter whose states it reads, and the weights of the ranker's measures. reader: of that model; name: as
    `states_of` gives it. Raises WeightsError when the file cannot be read or belongs to another model.
    """

    def __init__(self, folder: Path, reader: Generator, name: str) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, framework="numpy") as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})["judge"])
                self.layer, given = int(self.about["layer"]), self.about["states of"]
                self.hidden, self.bias, self.out, self.shift = (
                    file.get_tensor(name).astype(np.float32)
                    for name in ("hidden.weight", "hidden.bias", "out.weight", "out.bias")
                )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise WeightsError(f"{folder / FILE}: this is no judge: {error}") from error
        if given != name:
            raise WeightsError(
                f'{folder / FILE}: the judge was trained on the states of "{given}", not on those of "{name}": set '
                f'stages.reply.judge = "", or train it anew (models/training/ranker.py)'
            )
        self.reader = reader

    def __call__(self, prompt: str, replies: Sequence[str], stop: threading.Event) -> Floats | None:
        """(n,) a number for each reply, the higher the better; None after a stop."""
        read = states(self.reader, prompt, replies, stop, self.layer)
        if read is None:
            return None
        hidden = np.maximum(read @ self.hidden.T + self.bias, 0)
        found: Floats = (hidden @ self.out.T + self.shift)[:, 0]
        return found


def states_of(weights: str, adapter: str) -> str:
    """The name of a model with its adapter, as a judge's header has it."""
    return f"{weights} + {adapter}" if adapter else weights


def states(reader: Generator, prompt: str, texts: Sequence[str], stop: threading.Event, layer: int) -> Floats | None:
    """What the model makes of each text as the reply behind a prompt: the state before layer `layer`, at the last token
    of the text and as the mean over all of them, (n, 2 hidden); None after a stop.

    The texts are read side by side in one row, each seeing the prompt and itself, and leave no trace in what is kept
    of the prompt.
    """
    import torch

    with torch.inference_mode():
        read = reader.read(prompt, stop)
        if read is None:
            return None
        cache, before = read[0], read[0].get_seq_length()
        parts = [reader.tokenizer(text, add_special_tokens=False).input_ids or [reader.end] for text in texts]
        which = torch.cat([torch.full((len(part),), i) for i, part in enumerate(parts)])
        where = torch.cat([torch.arange(len(part)) for part in parts])
        seen = (which[:, None] == which[None, :]) & (where[:, None] >= where[None, :])
        decoder = reader.reader.get_decoder()
        hook = decoder.layers[layer].register_forward_pre_hook(_raise_state)
        try:
            with reader.heeding(stop):
                decoder(
                    input_ids=torch.tensor([[token for part in parts for token in part]]),
                    attention_mask=torch.cat([torch.ones(len(which), before, dtype=torch.bool), seen], 1)[None, None],
                    position_ids=(before + where)[None],
                    past_key_values=cache,
                    use_cache=True,
                )
        except Stopped:
            return None
        except _State as found:
            rows = found.state[0].split([len(part) for part in parts])
            result: Floats = torch.stack([torch.cat([row[-1], row.mean(0)]) for row in rows]).numpy()
            return result
        finally:
            hook.remove()
            for each in cache.layers:  # not all of them have read
                if more := each.get_seq_length() - before:
                    each.crop(-more)
    raise AssertionError("the layer was reached")


class _State(Exception):
    """Carries what a layer was to read out of the model, so that the layers behind it are not computed."""

    def __init__(self, state: Any) -> None:
        self.state = state


def _raise_state(_: Any, read: tuple[Any, ...]) -> None:
    raise _State(read[0])
