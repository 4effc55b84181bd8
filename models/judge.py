"""How well a reply fits a talk: MiniLM reads both together and gives one number.

A cross-encoder (Humeau et al. 2020, "Poly-encoders", compare kinds of encoders): facts, what was recalled, the latest
utterances and the reply are one input of two segments. Its upper layers were trained on real next utterances and then
on candidates of our own reply model that readers judged one by one (models/training/ranker.py). It knows no rule: what
must never be said is models/outgoing.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding import readable
from models.hub import fetch
from models.prompt import fact_line
from pipelines.errors import WeightsError
from pipelines.turn import Turn

MAX_TOKENS = 128
"""Of a pair. Of a longer talk the beginning is cut off."""

FILE = "judge.safetensors"


def talk_of(turn: Turn, utterances: int = 3) -> str:
    """What the judge reads of a turn: facts, the recalled, the latest utterances and the message, in this order."""
    parts = [fact_line(fact) for fact in list(turn.profile)[:8]]
    parts += [f"recalled: {memory.moment.text}" for memory in turn.memories or ()]
    parts += [f"{'it' if u.role == 'companion' else 'me'}: {u.text}" for u in list(turn.history)[-utterances:]]
    return " | ".join([*parts, f"me: {turn.text}"])


class Judge:
    """Scores pairs of talk and reply.

    folder: judge.safetensors, whose header names the encoder that lends the word embeddings and the lower layers.
    Raises WeightsError when it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, framework="pt") as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})["judge"])
                state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
            self.network = network(self.about["base"])
            unknown = self.network.load_state_dict(state, strict=False).unexpected_keys
        except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{folder / FILE}: this is no judge: {error}") from error
        if unknown:
            raise WeightsError(f"{folder / FILE}: {len(unknown)} tensors are not a judge's, such as {unknown[0]}")
        self.network.eval()
        self.tokenizer = tokenizer(self.about["base"])

    def __call__(self, talk: str, replies: Sequence[str]) -> NDArray[np.float32]:
        """(n,) one number for each reply to this talk: the higher, the better; about 0 where every other is bad."""
        import torch

        if not replies:
            return np.zeros(0, dtype=np.float32)
        with torch.inference_mode():
            found: NDArray[np.float32] = self.network(*pairs(self.tokenizer, [(talk, r) for r in replies])).numpy()
        return found


def network(base: str) -> Any:
    """The cross-encoder as a torch module: token ids, types and mask of pairs, (n, longest), to scores (n,)."""
    import torch
    from transformers import AutoModel

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(fetch(base), local_files_only=True, add_pooling_layer=False)
            self.score = torch.nn.Linear(2 * self.encoder.config.hidden_size, 1)

        def forward(self, ids: Any, types: Any, mask: Any) -> Any:
            hidden = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
            reply = (types * mask).unsqueeze(-1)
            mean = (hidden * reply).sum(1) / reply.sum(1).clamp(min=1)
            return self.score(torch.cat([hidden[:, 0], mean], 1)).squeeze(1)

    return Network()


def tokenizer(base: str) -> Any:
    """The encoder's, for pairs: of a talk that is too long the beginning is cut off."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(fetch(base) / "tokenizer.json"))
    found.enable_truncation(MAX_TOKENS, strategy="longest_first", direction="left")
    found.enable_padding()
    return found


def pairs(tokenizer: Any, texts: Sequence[tuple[str, str]]) -> tuple[Any, Any, Any]:
    """Ids, types and mask, (n, longest) each, of pairs of talk and reply."""
    import torch

    tokens = tokenizer.encode_batch([(readable(talk), readable(reply)) for talk, reply in texts])
    columns = [[getattr(t, name) for t in tokens] for name in ("ids", "type_ids", "attention_mask")]
    ids, types, mask = (torch.tensor(column) for column in columns)
    return ids, types, mask
