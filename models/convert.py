"""Turns fetched weights into a form that loads in about a second. Knows one conversion: GGUF to safetensors.

Reading a GGUF through transformers takes about twenty seconds, so it is done once: dequantised, saved as float16
safetensors with the config and the tokenizer beside it.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from pipelines.errors import WeightsError


def convert(kind: str, folder: Path, file: str) -> Path:
    """Convert the file in the folder; returns the folder with the result. Raises WeightsError for an unknown kind."""
    if kind != "gguf":
        raise WeightsError(f'the card says convert = "{kind}"; known is only "gguf"')
    return _gguf(folder, file)


def _gguf(folder: Path, file: str) -> Path:
    print(f"Converting {file} (once, about half a minute)", file=sys.stderr, flush=True)  # noqa: T201
    if not sys.stderr.isatty():
        os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported, by transformers below
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    logging.getLogger("transformers").setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    result = folder.parent / "converted"
    result.mkdir()
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
    # save_pretrained refuses a model that was loaded from GGUF. The output layer shares the embedding's weights.
    tensors = {
        name: tensor.to(torch.float16).contiguous()
        for name, tensor in model.state_dict().items()
        if not (name == "lm_head.weight" and model.config.tie_word_embeddings)
    }
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    save_file(tensors, result / "model.safetensors", metadata={"format": "pt"})
    type(model.config).from_dict(config).to_json_file(result / "config.json")
    tokenizer.save_pretrained(result)
    return result
