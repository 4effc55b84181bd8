"""Sampling several replies at once from a causal language model, on a CPU.

The prompt is prefilled once and its key/value cache expanded to the candidates; a candidate that is finished leaves
the batch; the stop events are looked at for every token. Knows no turn: prompts go in, texts come out.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP_K = 50
"""Sampling looks at this many tokens at most: enough for a reply, and far cheaper than sorting the vocabulary."""


@dataclass(frozen=True)
class Sampling:
    """temperature > 0; top_p: nucleus (Holtzman et al., 2020) within the 50 likeliest tokens; repetition: factor
    >= 1 by which tokens that the reply already holds are made less likely (Keskar et al., 2019)."""

    max_tokens: int = 48
    temperature: float = 0.8
    top_p: float = 0.92
    repetition: float = 1.1


@dataclass(frozen=True)
class Sample:
    """One sampled text; finished: False when the length limit or a stop cut it off; logprob: mean per token."""

    text: str
    finished: bool
    logprob: float


class Generator:
    """A causal language model with its tokenizer.

    folder: config.json, model.safetensors and the tokenizer; adapter: a folder with a LoRA adapter, merged on
    loading; int8: dynamic quantisation of the linear layers, twice as fast on a CPU at a small loss.
    """

    def __init__(self, folder: Path, adapter: Path | None = None, int8: bool = True) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        ).eval()
        if adapter:
            from models.lora import merge

            merge(self.model, adapter)
        if int8:
            _quantise(self.model)
        self.end: int = self.tokenizer.convert_tokens_to_ids("<|im_end|>")

    def sample(
        self, prompts: Sequence[str], count: int, sampling: Sampling, stops: Sequence[threading.Event], seed: int | None
    ) -> list[list[Sample]]:
        """`count` samples for each prompt, all in one batch: one list per prompt, in order.

        stops: one event per prompt; when it is set, what that prompt has so far is returned as unfinished.
        """
        import torch
        from transformers import DynamicCache

        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        tokens = [self.tokenizer(p, add_special_tokens=False).input_ids for p in prompts]
        width = max(map(len, tokens))
        ids = torch.full((len(tokens), width), self.end)
        mask = torch.zeros((len(tokens), width), dtype=torch.long)
        for row, t in enumerate(tokens):
            ids[row, width - len(t) :] = torch.tensor(t)
            mask[row, width - len(t) :] = 1

        with torch.inference_mode():
            cache = DynamicCache()
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            out = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache.batch_repeat_interleave(count)
            logits = out.logits[:, -1].repeat_interleave(count, 0)
            mask = mask.repeat_interleave(count, 0)
            position = positions[:, -1:].repeat_interleave(count, 0)
            rows = list(range(len(tokens) * count))  # which sample each row of the batch is
            texts: list[list[int]] = [[] for _ in rows]
            sums = [0.0 for _ in rows]
            done = [False for _ in rows]
            for _ in range(sampling.max_tokens):
                chosen, logprobs = _choose(logits, [texts[r] for r in rows], sampling, generator)
                stay = []
                for i, r in enumerate(rows):
                    sums[r] += logprobs[i]
                    if chosen[i] == self.end:
                        done[r] = True
                    elif not stops[r // count].is_set():
                        texts[r].append(chosen[i])
                        stay.append(i)
                if not stay:
                    break
                if len(stay) < len(rows):
                    keep = torch.tensor(stay)
                    cache.batch_select_indices(keep)
                    mask, position = mask[keep], position[keep]
                    rows = [rows[i] for i in stay]
                mask = torch.cat([mask, mask.new_ones((len(rows), 1))], 1)
                position = position + 1
                out = self.model(
                    input_ids=torch.tensor([[texts[r][-1]] for r in rows]),
                    attention_mask=mask,
                    position_ids=position,
                    past_key_values=cache,
                    use_cache=True,
                )
                logits = out.logits[:, -1]
        samples = [
            Sample(self.tokenizer.decode(text, skip_special_tokens=True).strip(), done[r], sums[r] / (len(text) + 1))
            for r, text in enumerate(texts)
        ]
        return [samples[i : i + count] for i in range(0, len(samples), count)]


def _choose(
    logits: Any, texts: Sequence[Sequence[int]], sampling: Sampling, generator: Any
) -> tuple[list[int], list[float]]:
    """One token for each row of logits (rows, vocabulary), with its log-probability before temperature."""
    import torch

    for row, text in enumerate(texts):
        if text and sampling.repetition > 1:
            seen = torch.tensor(sorted(set(text)))
            score = logits[row, seen]
            logits[row, seen] = torch.where(score > 0, score / sampling.repetition, score * sampling.repetition)
    top, index = logits.topk(TOP_K, dim=-1)
    p = torch.softmax(top / sampling.temperature, -1)
    p = p.masked_fill(p.cumsum(-1) - p > sampling.top_p, 0.0)
    picked = torch.multinomial(p, 1, generator=generator)
    logprobs = (top.gather(1, picked) - logits.logsumexp(-1, keepdim=True)).squeeze(1)
    return index.gather(1, picked).squeeze(1).tolist(), logprobs.tolist()


def _quantise(model: Any) -> None:
    """Dynamic int8 of all linear layers, in place. Measured beside torchao's int8, bfloat16 and torch.compile on two
    CPU cores, this plain one was the fastest."""
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if torch.backends.quantized.engine == "none":
            torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
        torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)
