"""Merges a LoRA adapter (Hu et al., 2021) into a model's weights: W + scale * B A, once, when the model is loaded.

Reads the format that the peft library writes (adapter_config.json and adapter_model.safetensors), so that adapters
from elsewhere work too; knows only plain LoRA on linear layers, and says so when an adapter is something else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.errors import WeightsError


def merge(model: Any, folder: Path) -> None:
    """Add the adapter in the folder to the model's linear layers, in place.

    Raises WeightsError when the folder holds no adapter, or one that does not fit this model.
    """
    import torch
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError) as error:
        raise WeightsError(f"{folder}: there is no LoRA adapter here: {error}") from error
    unknown = [key for key in ("use_dora", "use_rslora", "modules_to_save", "alpha_pattern") if config.get(key)]
    if config.get("peft_type") != "LORA" or unknown:
        raise WeightsError(f"{folder}: only plain LoRA adapters are known, this one uses {unknown or 'another method'}")
    scale = config["lora_alpha"] / config["r"]
    layers = dict(model.named_modules())
    for key, a in tensors.items():
        if not key.endswith(".lora_A.weight"):
            continue
        name = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        layer = layers.get(name)
        b = tensors[key.replace(".lora_A.", ".lora_B.")]
        if layer is None or tuple(layer.weight.shape) != (b.shape[0], a.shape[1]):
            raise WeightsError(f"{folder}: the adapter was made for another model: {name} does not fit")
        with torch.no_grad():
            layer.weight += scale * (b.float() @ a.float())
