"""Linear layers that compute in int8 when there is much to compute, so that a batch of messages is read faster.

Weights are rounded once, with one scale per output; what comes in is rounded at every call, with one scale per token
(Dettmers et al. 2022, "LLM.int8()", without its outliers), so that no text changes what another one gets. Few tokens
stay in float32: there the time goes into fetching the weights. On a processor without int8 dot products everything
stays in float32. Knows no model.
"""

from __future__ import annotations

from typing import Any

FEWEST = 64
"""Tokens from which on int8 is used."""


def supported() -> bool:
    """Whether this processor multiplies int8 fast: VNNI, by oneDNN."""
    import torch

    known = getattr(torch.cpu, "_is_vnni_supported", lambda: False)
    return bool(torch.backends.mkldnn.is_available() and known())


def for_batches(model: Any) -> Any:
    """The model, each of its linear layers replaced in place by one that can do both; for inference only."""
    import torch

    class Linear(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, plain: Any) -> None:
            super().__init__()
            self.weight, self.bias = plain.weight, plain.bias
            scale = plain.weight.detach().abs().amax(1).clamp_(min=1e-8).div_(127)
            rounded = (plain.weight.detach() / scale[:, None]).round_().to(torch.int8).t()
            self.register_buffer("scale", scale, persistent=False)
            self.register_buffer("rounded", rounded, persistent=False)

        def forward(self, x: Any) -> Any:
            tokens = x.reshape(-1, x.shape[-1])
            if len(tokens) < FEWEST:
                return torch.nn.functional.linear(x, self.weight, self.bias)
            scale = tokens.abs().amax(1, keepdim=True).clamp_(min=1e-8).div_(127)
            product = torch._int_mm((tokens / scale).round_().to(torch.int8), self.rounded)
            found = torch.addcmul(self.bias, product.float().mul_(scale), self.scale)
            return found.view(*x.shape[:-1], -1)

    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Linear:
                setattr(module, name, Linear(child))
    return model
