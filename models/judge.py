"""How well a reply fits a talk: a cross-encoder, which reads message and reply as one text (Nogueira and Cho 2019,
"Passage re-ranking with BERT"; Humeau et al. 2020, "Poly-encoders", for replies).

The layers of the sentence encoder were trained further (models/training/judge.py) on replies that really followed in a
talk, and on candidates of our own reply model that readers judged one by one. That costs a pass for each candidate, and
sees what two vectors cannot: who did what to whom, and whether the reply's own words make sense. Of what was said
before the message it sees the last words alone; what must never be said is models/outgoing.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding import plain, readable
from models.hub import fetch
from models.int8 import replace_linear, supported
from pipelines.errors import WeightsError
from pipelines.turn import Turn

FILE = "judge.safetensors"
MAX_TOKENS = 128
"""Of a talk with a reply; the talk is cut first, at its beginning."""
MAX_REPLY = 64
KNOWN = 80
"""Characters of facts, and of a recalled moment, that are read."""


def context(turn: Turn) -> str:
    """What a reply is judged by: known facts, a recalled moment, the companion's last words, the message."""
    known = ", ".join(fact.value for fact in turn.known() if fact.about != "companion")[:KNOWN]
    recalled = next((memory.moment.text for memory in turn.memories or ()), "")[:KNOWN]
    last = next((said.text for said in reversed(turn.history) if said.role == "companion"), "")
    return " / ".join(readable(part) for part in (known, recalled, last, turn.text) if part)


def tokens(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> tuple[Any, Any, Any]:
    """Ids, token types (1 for the reply) and mask of talks with a reply, each (pairs, longest), int64."""
    import torch

    start, end = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
    talks, replies = (tokenizer.encode_batch(list(side), add_special_tokens=False) for side in zip(*pairs, strict=True))
    rows = []
    for talk, reply in zip(talks, replies, strict=True):
        second = [*reply.ids[:MAX_REPLY], end]
        rows.append(([start, *talk.ids[len(second) + 2 - MAX_TOKENS :], end], second))
    width = max(len(first) + len(second) for first, second in rows)
    ids, kinds, mask = (torch.zeros(len(rows), width, dtype=torch.int64) for _ in range(3))
    for i, (first, second) in enumerate(rows):
        length = len(first) + len(second)
        ids[i, :length] = torch.tensor(first + second)
        kinds[i, len(first) : length] = 1
        mask[i, :length] = 1
    return ids, kinds, mask


def scores(model: Any, out: Any, ids: Any, kinds: Any, mask: Any) -> Any:
    """(n,) from the first token's state and the mean of the reply's states, by the linear layer `out`."""
    import torch

    hidden = model(input_ids=ids, token_type_ids=kinds, attention_mask=mask).last_hidden_state
    reply = kinds.unsqueeze(-1)
    return out(torch.cat([hidden[:, 0], (hidden * reply).sum(1) / reply.sum(1)], 1))[:, 0]


def tokenizer_of(folder: Path) -> Any:
    """The encoder's tokenizer, which neither cuts nor pads."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Judge:
    """Scores replies to one message.

    folder: judge.safetensors with the encoder's layers, out.weight (1, 2 * width) and out.bias; its header names the
    card of the encoder that it began with and whose word embeddings it reads ("base"), and the weights of the ranker's
    measures. Raises WeightsError when it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        import torch
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, framework="pt") as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})["judge"])
                state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
            base = fetch(self.about["base"])
            self.tokenizer, self.model = tokenizer_of(base), plain(base)
            self.out = torch.nn.Linear(2 * self.model.config.hidden_size, 1)
            self.out.load_state_dict({name: state.pop(f"out.{name}") for name in ("weight", "bias")})
            wrong = self.model.load_state_dict(state, strict=False)
            strange = [*wrong.unexpected_keys, *(k for k in wrong.missing_keys if not k.startswith("embeddings."))]
            if strange or not isinstance(self.about["weights"], dict):
                raise ValueError(f"not the layers of {self.about['base']}: {strange[:1]}")
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise WeightsError(
                f"{folder / FILE}: this is no judge, or one of an older version: {error}. "
                'Set stages.reply.judge = "", or train it anew (models/training/judge.py)'
            ) from error
        if supported():
            replace_linear(self.model)

    def __call__(self, turn: Turn, replies: Sequence[str]) -> NDArray[np.float32]:
        """(n,) a number for each reply to the turn's message, the higher the better."""
        import torch

        talk = context(turn)
        with torch.inference_mode():
            pairs = [(talk, readable(reply)) for reply in replies]
            found: NDArray[np.float32] = scores(self.model, self.out, *tokens(self.tokenizer, pairs)).numpy()
        return found
