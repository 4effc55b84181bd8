"""Writing many continuations of a prompt at once: a copy of the model made for single steps, and a cache that branches.

The prompt's keys and values are read where they lie, by all of its continuations in one product, and are neither
copied nor padded; what each continuation adds lies in one block that is allocated once. The model stays that of the
transformers library: only its attention function, its cache and its slowest small parts are exchanged. Knows no text,
no sampling, and no attention but the plain one (no sliding window, no soft cap).
"""

from __future__ import annotations

import copy
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
        heads, _, size = self.prompts[0][0][0].shape
        self.own = torch.empty(len(self.prompts[0]), 2, heads, len(self.owners), room, size)
        self.written = 0

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone; the places are those of now, in rising order."""
        import torch

        self.own = self.own.index_select(3, torch.tensor(rows))
        self.owners = [self.owners[row] for row in rows]

    def positions(self) -> Any:
        """Where the next token of each row stands in its text, shape (rows, 1)."""
        import torch

        lengths = [prompt[0][0].shape[1] for prompt in self.prompts]
        return torch.tensor([[lengths[owner] + self.written] for owner in self.owners])

    def update(self, keys: Any, values: Any, layer: int, *_: Any) -> tuple[Any, Any]:
        """Take the keys and values of one more token in each row, (rows, heads, 1, size)."""
        place = self.own[layer].select(3, self.written)
        place[0].copy_(keys.squeeze(2).transpose(0, 1))
        place[1].copy_(values.squeeze(2).transpose(0, 1))
        return keys, values

    def attend(self, query: Any, layer: int, scale: float) -> Any:
        """Each row's query (rows, query heads, 1, size) over its prompt and its own tokens: (rows, 1, heads, size)."""
        import torch

        own_keys, own_values = self.own[layer].narrow(3, 0, self.written + 1)
        heads, rows, _, size = own_keys.shape
        query = (query * scale).view(rows, heads, -1, size).transpose(0, 1)
        groups, start = [], 0
        while start < rows:
            owner = self.owners[start]
            count = self.owners.count(owner)
            keys, values = self.prompts[owner][layer]
            mine = slice(start, start + count)
            q = query[:, mine].reshape(heads, -1, size)
            width, every = keys.shape[1], heads * count
            shared = torch.bmm(q, keys.transpose(1, 2))
            single = torch.bmm(q.view(every, -1, size), own_keys[:, mine].flatten(0, 1).transpose(1, 2))
            weight = torch.cat([shared, single.view(heads, -1, self.written + 1)], -1).softmax(-1)
            out = torch.bmm(weight[..., :width], values).view(every, -1, size)
            out = out.baddbmm_(
                weight[..., width:].reshape(every, -1, self.written + 1), own_values[:, mine].flatten(0, 1)
            )
            groups.append(out.view(heads, count, -1, size))
            start += count
        together = groups[0] if len(groups) == 1 else torch.cat(groups, 1)
        return together.transpose(0, 1).reshape(rows, 1, -1, size)


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
