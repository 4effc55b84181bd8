"""Writing many continuations of a prompt at once: a copy of the model made for single steps, and a cache that branches.

The prompt's keys and values are read where they lie, by all of its continuations in one product, and are neither
copied nor padded; what each continuation adds lies in one block that is allocated once. The model stays that of the
transformers library: only its attention function, its cache and its slowest small parts are exchanged. Knows no text,
no sampling, and no attention but the plain one (no sliding window, no soft cap).
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Sequence
from typing import Any

NEAR = 1e-5
"""How near torch's RMS norm must come to a model's own to take its place."""


class Branches:
    """The keys and values of `count` continuations of each prompt, as the `past_key_values` of `writer`'s models.

    prompts: their caches, each of one row; room: the most tokens that a continuation gets. After every step of the
    model, `written` goes up by one.
    """

    def __init__(self, prompts: Sequence[Any], count: int, room: int) -> None:
        import torch

        self.prompts = [[(layer.keys[0], layer.values[0]) for layer in cache.layers] for cache in prompts]
        self.owners = [i for i in range(len(prompts)) for _ in range(count)]  # of each row: which prompt it continues
        self.spans = _spans(self.owners)
        heads, _, size = self.prompts[0][0][0].shape
        self.own = torch.empty(len(self.prompts[0]), 2, len(self.owners), heads, room, size)
        self.written = 0

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone; the places are those of now, in rising order."""
        import torch

        places = torch.tensor(rows)
        for layer in range(len(self.own)):  # moved where they lie, since a new block costs more than the step itself
            for kind in (0, 1):
                block = self.own[layer, kind, :, :, : self.written]
                block[: len(rows)] = block.index_select(0, places)
        self.own = self.own[:, :, : len(rows)]
        self.owners = [self.owners[row] for row in rows]
        self.spans = _spans(self.owners)

    def positions(self) -> Any:
        """Where the next token of each row stands in its text, shape (rows, 1)."""
        import torch

        lengths = [prompt[0][0].shape[1] for prompt in self.prompts]
        return torch.tensor([[lengths[owner] + self.written] for owner in self.owners])

    def update(self, keys: Any, values: Any, layer: int, *_: Any) -> tuple[Any, Any]:
        """Take the keys and values of one more token in each row, (rows, heads, 1, size)."""
        self.own[layer, 0, :, :, self.written].copy_(keys.squeeze(2))
        self.own[layer, 1, :, :, self.written].copy_(values.squeeze(2))
        return keys, values

    def attend(self, query: Any, layer: int, scale: float) -> Any:
        """Each row's query (rows, query heads, 1, size) over its prompt and its own tokens: (rows, 1, heads, size)."""
        import torch

        own_keys, own_values = self.own[layer].narrow(3, 0, self.written + 1).flatten(1, 2)
        rows, _, _, size = query.shape
        heads = own_keys.shape[0] // rows
        query = (query * scale).view(rows, heads, -1, size)
        single = torch.bmm(query.flatten(0, 1), own_keys.transpose(1, 2)).view(rows, heads, -1, self.written + 1)
        by_head = query.transpose(0, 1)
        prompts = [self.prompts[owner][layer] for owner, _, _ in self.spans]
        width = max(keys.shape[1] for keys, _ in prompts)
        parts = []
        for (_, start, end), (keys, _) in zip(self.spans, prompts, strict=True):
            part = torch.bmm(by_head[:, start:end].reshape(heads, -1, size), keys.transpose(1, 2))
            if keys.shape[1] < width:
                part = torch.nn.functional.pad(part, (0, width - keys.shape[1]), value=float("-inf"))
            parts.append(part.view(heads, end - start, -1, width))
        shared = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        weight = torch.cat([shared, single.transpose(0, 1)], -1).softmax(-1)
        mine = weight[..., width:].transpose(0, 1).reshape(rows * heads, -1, self.written + 1)
        out = torch.bmm(mine, own_values).view(rows, heads, -1, size)
        for (_, start, end), (_, values) in zip(self.spans, prompts, strict=True):
            part = weight[:, start:end, :, : values.shape[1]].reshape(heads, -1, values.shape[1])
            out[start:end] += torch.bmm(part, values).view(heads, end - start, -1, size).transpose(0, 1)
        return out.view(rows, 1, -1, size)


def _spans(owners: Sequence[int]) -> list[tuple[int, int, int]]:
    """The owners in order, each with the first of its rows and the one after its last."""
    spans, start = [], 0
    for owner, rows in itertools.groupby(owners):
        end = start + len(list(rows))
        spans.append((owner, start, end))
        start = end
    return spans


def _attention(module: Any, query: Any, keys: Any, values: Any, mask: Any, scaling: float, **kwargs: Any) -> Any:
    return kwargs["branches"].attend(query, module.layer_idx, scaling), None


def writer(model: Any, int8: bool) -> Any:
    """A copy of the model for single steps on `Branches`, which shares the weights of all that it does not exchange.

    int8: its linear layers are dynamic int8, one scale per output channel: beside torchao's int8, bfloat16 and
    torch.compile, this was the fastest on two CPU cores.
    """
    import torch
    from transformers import AttentionInterface

    AttentionInterface.register("branches", _attention)
    shared = {id(p): p for p in [*model.parameters(), *model.buffers()]}
    twin = copy.deepcopy(model, shared)
    twin.config._attn_implementation = "branches"
    if int8:
        if torch.backends.quantized.engine == "none":
            torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            per_channel = {torch.nn.Linear: torch.ao.quantization.per_channel_dynamic_qconfig}
            torch.ao.quantization.quantize_dynamic(twin, per_channel, inplace=True)
    for name, module in list(twin.named_modules()):
        if int8 and isinstance(module, torch.ao.nn.quantized.dynamic.Linear):
            # Without the checks that torch's own layer, and the Python side of the operator, make at every call.
            packed, multiply = module._packed_params._packed_params, torch.ops.quantized.linear_dynamic._op
            module.forward = lambda x, packed=packed, multiply=multiply: multiply(x, packed, True)
        elif type(module).__name__.endswith("RMSNorm") and (norm := _plain(module)):
            twin.set_submodule(name, norm)
    return twin


def _plain(norm: Any) -> Any:
    """torch's RMS norm with this one's weight, if it does the same; else None. Models write it out in six steps."""
    import torch

    plain = torch.nn.RMSNorm(norm.weight.shape, eps=getattr(norm, "variance_epsilon", 1e-6))
    plain.weight = norm.weight
    x = torch.linspace(-3, 3, norm.weight.numel()).view(1, 1, -1)
    with torch.inference_mode():
        return plain if torch.allclose(plain(x), norm(x), atol=NEAR) else None
