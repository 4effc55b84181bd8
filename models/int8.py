"""Linear layers that compute in int8, always or when there is much to compute, so that messages are read faster.

Weights are rounded once, with one scale per output; what comes in is rounded at every call, with one scale per token
(Dettmers et al. 2022, "LLM.int8()", without its outliers), so that no text changes what another one gets. Where the
exact value matters more than a few milliseconds, few tokens stay in float32. Where `supported` says that a processor
has no int8 dot products, this is slower than float32. Knows no model.
"""

from __future__ import annotations

from typing import Any


def supported() -> bool:
    """Whether this processor multiplies int8 fast: VNNI, by oneDNN."""
    import torch

    known = getattr(torch.cpu, "_is_vnni_supported", lambda: False)
    return bool(torch.backends.mkldnn.is_available() and known())


def replace_linear(model: Any, fewest: int = 1) -> Any:
    """The model, each of its linear layers replaced in place by one that computes in int8 from `fewest` tokens on; for
    inference only."""
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
            if len(tokens) < fewest:
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
