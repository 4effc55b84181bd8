"""Sampling several replies at once from a causal language model, on a CPU.

The prompt is read once (and of a prompt that begins like an earlier one, only what is new), and its candidates share
what was read; a candidate that is finished leaves the batch; the stop events are looked at for every token that is
written and before every layer that reads. Knows no turn and no person: prompts go in, texts come out.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

TOP_K = 50
"""Sampling looks at this many tokens at most: enough for a reply, and far cheaper than sorting the vocabulary."""

KEPT_TOKENS = 4096
"""Tokens of earlier prompts whose keys and values are kept (46 kB each in SmolLM2-135M); the least recently used go."""

READ_AT_ONCE = 512
"""Tokens of a prompt that are read in one pass, so that a layer of a very long one does not hold up a stop. Small
parts cost a lot, and looking before every layer nothing: `python -m models.training.stopping` prints how much."""

STRAGGLERS = 4
"""When at most one in so many of a prompt's samples is still being written, it is not waited for."""


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


class Stopped(Exception):
    """A stop was heard while a prompt was read or a token written."""


class Generator:
    """A causal language model with its tokenizer.

    folder: config.json, model.safetensors and the tokenizer; adapter: a folder with a LoRA adapter, merged on
    loading. int8: tokens are written by a dynamically quantised copy of the linear layers, about twice as fast on a
    CPU; prompts are always read in float32, since one scale for a whole prompt's activations costs a lot there
    (`python -m models.training.quantisation` prints how much).
    """

    def __init__(self, folder: Path, adapter: Path | None = None, int8: bool = True) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        from models.branches import writer

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.reader: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        ).eval()
        if adapter:
            from models.lora import merge

            merge(self.reader, adapter)
        self.writer: Any = writer(self.reader, int8)
        self._stop: threading.Event | None = None
        for layer in (*self.reader.get_decoder().layers, *self.writer.get_decoder().layers):
            layer.register_forward_pre_hook(self._look)
        self.end: int = self.tokenizer.convert_tokens_to_ids("<|im_end|>")
        self._kept: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def sample(
        self,
        prompts: Sequence[str],
        count: int,
        sampling: Sampling,
        stops: Sequence[threading.Event],
        seed: int | None,
        on_text: Callable[[str], None] | None = None,
        on_sample: Callable[[Sample], None] | None = None,
    ) -> list[list[Sample]]:
        """`count` samples for each prompt, all in one batch: one list per prompt, in order.

        stops: one event per prompt; when it is set, what that prompt has so far is returned as unfinished.
        on_text: called with the text so far after every token, when one sample of one prompt is asked for.
        on_sample: called with every sample that came to its end, as soon as it has, when there is one prompt.
        """
        import torch

        from models.branches import Branches

        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        with torch.inference_mode():
            read = [self.read(prompt, stop) for prompt, stop in zip(prompts, stops, strict=True)]
            asked = [(*one, stop) for one, stop in zip(read, stops, strict=True) if one]
            if not asked:
                return [[Sample("", False, 0.0)] * count for _ in prompts]
            cache = Branches([cache for cache, _, _ in asked], count, sampling.max_tokens)
            logits = torch.cat([logits for _, logits, _ in asked]).repeat_interleave(count, 0)
            each = (lambda text: on_text(self._text(text))) if on_text and len(prompts) == count == 1 else None
            ended = (
                (lambda text, total: on_sample(Sample(self._text(text), True, total / (len(text) + 1))))
                if on_sample and len(prompts) == 1
                else None
            )
            texts, sums, done = self._write(
                cache, logits, count, sampling, [stop for _, _, stop in asked], generator, each, ended
            )
        samples = iter(Sample(self._text(text), done[r], sums[r] / (len(text) + 1)) for r, text in enumerate(texts))
        return [[next(samples) if one else Sample("", False, 0.0) for _ in range(count)] for one in read]

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True)).strip()

    def forget(self) -> None:
        """Drop all that is kept of earlier prompts."""
        self._kept.clear()

    def read(self, prompt: str, stop: threading.Event) -> tuple[Any, Any] | None:
        """The prompt's cache (batch of one) and the logits after its last token, shape (1, vocabulary); None when it
        was stopped before the end, and what was read until then is forgotten. The cache is kept for the next prompt:
        whoever adds to it crops it again."""
        import torch
        from transformers import DynamicCache

        tokens = tuple(self.tokenizer(prompt, add_special_tokens=False).input_ids)
        shared, earlier = 0, None
        for kept in self._kept:
            same = _common(kept, tokens)
            if same > shared:
                shared, earlier = same, kept
        shared = min(shared, len(tokens) - 1)  # at least one token is read, for its logits
        cache = DynamicCache()
        if earlier is not None and shared:
            for i, layer in enumerate(self._kept[earlier].layers):
                cache.update(layer.keys[:, :, :shared].clone(), layer.values[:, :, :shared].clone(), i)
        try:
            with self.heeding(stop):
                for start in range(shared, len(tokens), READ_AT_ONCE):
                    part = torch.tensor([tokens[start : start + READ_AT_ONCE]])
                    out = self.reader(input_ids=part, past_key_values=cache, use_cache=True, logits_to_keep=1)
        except Stopped:
            return None
        if earlier is not None and 2 * shared > len(earlier):  # the same talk, a turn further: it takes its place
            del self._kept[earlier]
        self._kept[tokens] = cache
        while len(self._kept) > 1 and sum(map(len, self._kept)) > KEPT_TOKENS:
            self._kept.popitem(last=False)
        return cache, out.logits[:, -1]

    @contextmanager
    def heeding(self, stop: threading.Event | None) -> Iterator[None]:
        """While this lasts, a layer that is about to compute raises Stopped when the stop is set."""
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None

    def _look(self, *_: object) -> None:
        """Before every layer of reader and writer."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped

    def _write(
        self,
        cache: Any,
        logits: Any,
        count: int,
        sampling: Sampling,
        stops: Sequence[threading.Event],
        generator: Any,
        each: Callable[[Sequence[int]], None] | None = None,
        ended: Callable[[Sequence[int], float], None] | None = None,
    ) -> tuple[list[list[int]], list[float], list[bool]]:
        """Sample until every row is done: the tokens, the sums of log-probabilities, and which came to an end."""
        import torch

        rows = list(range(len(logits)))  # which sample each row of the shrinking batch is
        texts: list[list[int]] = [[] for _ in rows]
        sums, done = [0.0 for _ in rows], [False for _ in rows]
        held = logits.new_zeros((len(rows), 0), dtype=torch.long)  # the tokens of each row
        for _ in range(sampling.max_tokens):
            chosen, logprobs = _choose(logits, held, sampling, generator)
            stay = []
            for i, r in enumerate(rows):
                sums[r] += logprobs[i]
                if chosen[i] == self.end:
                    done[r] = True
                    if ended:
                        ended(texts[r], sums[r])
                elif not stops[r // count].is_set():
                    texts[r].append(chosen[i])
                    stay.append(i)
                    if each:
                        each(texts[r])
            left = Counter(rows[i] // count for i in stay)
            stay = [i for i in stay if left[rows[i] // count] > count // STRAGGLERS]
            if not stay:
                break
            if len(stay) < len(rows):
                cache.keep(stay)
                held = held[stay]
                rows = [rows[i] for i in stay]
            latest = torch.tensor([[texts[r][-1]] for r in rows])
            held = torch.cat([held, latest], 1)
            try:
                with self.heeding(stops[0] if len(stops) == 1 else None):  # of several prompts, the others go on
                    out = self.writer(
                        input_ids=latest,
                        position_ids=cache.positions(),
                        past_key_values=cache,
                        use_cache=True,
                        branches=cache,
                    )
            except Stopped:
                break
            cache.written += 1
            logits = out.logits[:, -1]
        return texts, sums, done


_LOADED: WeakValueDictionary[tuple[Path, Path | None, bool], Generator] = WeakValueDictionary()


def load(folder: Path, adapter: Path | None = None, int8: bool = True) -> Generator:
    """One generator in memory, with what it keeps of earlier prompts, for all stages that name the same weights."""
    found = _LOADED.get((folder, adapter, int8))
    if found is None:
        found = _LOADED[folder, adapter, int8] = Generator(folder, adapter, int8)
    return found


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """The length of the longest common beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _choose(logits: Any, held: Any, sampling: Sampling, generator: Any) -> tuple[list[int], list[float]]:
    """One token for each row of logits (rows, vocabulary), with its log-probability before temperature; held: the
    tokens that each row has written, (rows, n)."""
    import torch

    if sampling.repetition > 1 and held.shape[1]:
        score = logits.gather(1, held)
        logits.scatter_(1, held, torch.where(score > 0, score / sampling.repetition, score * sampling.repetition))
    top, index = logits.topk(TOP_K, dim=-1)
    p = torch.softmax(top / sampling.temperature, -1)
    p = p.masked_fill(p.cumsum(-1) - p > sampling.top_p, 0.0)
    picked = torch.multinomial(p, 1, generator=generator)
    logprobs = (top.gather(1, picked) - logits.logsumexp(-1, keepdim=True)).squeeze(1)
    return index.gather(1, picked).squeeze(1).tolist(), logprobs.tolist()
