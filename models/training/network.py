"""The encoder with its heads as one torch module, for training: what goes in, what comes out, what it is held to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding import MiniLM, readable
from models.hub import fetch

MAX_TOKENS = 48
"""Longer texts are cut in training: of GoEmotions and CLINC150, fewer than one in a hundred."""


def network(weights: str, heads: dict[str, int], start: Path | None = None) -> Any:
    """The encoder with its heads as one torch module: features (n, 768) are the first token's state and the vector."""
    import torch
    from transformers import AutoModel

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(
                fetch(weights), local_files_only=True, add_pooling_layer=False, attention_probs_dropout_prob=0.0
            )
            width = self.encoder.config.hidden_size
            self.dropout = torch.nn.Dropout(0.1)
            self.recall = torch.nn.Linear(width, width)
            self.heads = torch.nn.ModuleDict({name: torch.nn.Linear(2 * width, n) for name, n in heads.items()})
            with torch.no_grad():
                self.recall.weight.copy_(torch.eye(width))
                self.recall.bias.zero_()

        def pooled(self, ids: Any, mask: Any) -> Any:
            """(n, 2 * width): the first token's state and the mean of the states."""
            hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            mean = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
            return torch.cat([hidden[:, 0], mean], 1)

        def read(self, pooled: Any) -> tuple[Any, Any]:
            """Features (n, 2 * width), and the vector for recall (n, width), unit length."""
            first, mean = pooled.chunk(2, dim=1)
            vector = torch.nn.functional.normalize(self.recall(mean), dim=1)
            # The heads may read the vector but not bend it: what they need changed, the first token's state learns.
            return torch.cat([first, vector.detach()], 1), vector

        def forward(self, ids: Any, mask: Any) -> tuple[Any, Any]:
            return self.read(self.pooled(ids, mask))

    model = Network()
    model.encoder.embeddings.requires_grad_(False)
    if start:
        from safetensors.torch import load_file

        current = model.state_dict()
        found = load_file(start / "encoder.safetensors").items()
        state = {(k if k in current else f"encoder.{k}"): v.float() for k, v in found}  # of a run, or released
        model.load_state_dict({k: v for k, v in state.items() if current[k].shape == v.shape}, strict=False)
    return model


def tensors(tokenizer: Any, texts: Sequence[str]) -> tuple[Any, Any]:
    """Token ids and mask, (n, longest), of texts."""
    import torch

    tokens = tokenizer.encode_batch([readable(t) for t in texts])
    return torch.tensor([t.ids for t in tokens]), torch.tensor([t.attention_mask for t in tokens])


class Teacher:
    """The untouched encoder's sentence embedding, for every text at most once."""

    def __init__(self, weights: str) -> None:
        self.minilm = MiniLM(weights, tuned="", max_tokens=MAX_TOKENS)
        self.tokenizer = self.minilm.tokenizer
        self.seen: dict[str, NDArray[np.float16]] = {}

    def __call__(self, texts: Sequence[str]) -> Any:
        import torch

        new = [t for t in dict.fromkeys(texts) if t not in self.seen]
        for text, vector in zip(new, self.minilm.encode(new), strict=True):
            self.seen[text] = vector.astype(np.float16)
        return torch.from_numpy(np.stack([self.seen[t] for t in texts]).astype(np.float32))


def states(model: Any, tokenizer: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, 2 * width) of texts, in order, without dropout: the first token's state and the mean of the states."""
    import torch

    model.eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found = np.empty((len(texts), model.recall.in_features * 2), dtype=np.float32)
    with torch.inference_mode():
        for begin in range(0, len(order), 64):
            part = order[begin : begin + 64]
            found[part] = model.pooled(*tensors(tokenizer, [texts[i] for i in part])).numpy()
    model.train()
    return found
