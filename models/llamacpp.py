"""Candidates from a GGUF file through llama.cpp, in this process: the extra `chatbot[llamacpp]` brings it.

The prompt is the one that our own models get, as raw ChatML: a model that was tuned on another format will do worse.
llama.cpp opens a port on loopback of its own accord; a key that nobody else knows closes it to other programs. Knows
no LoRA adapter: what the file holds is what writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from models.candidates import leading, streaming, tidy, wants_generation
from models.generation import TOP_K, Sample
from models.hub import fetch
from models.prompt import chatml, messages
from pipelines.errors import WeightsError
from pipelines.turn import Candidate, Turn


class LlamaCpp:
    """A language model in a GGUF file, its candidates written in parallel slots.

    weights: a GGUF file, a folder that holds one, or a card; count: candidates per turn; context: tokens that all
    slots share; threads: 0 for one per core; seed: for repeatable replies, or -1; fallback: as for `transformers`.
    """

    needs: ClassVar[tuple[str, ...]] = ("safety",)
    weights: ClassVar[tuple[str, ...]] = ("weights",)
    packages: ClassVar[dict[str, str]] = {"xllamacpp": "chatbot[llamacpp]"}

    def __init__(
        self,
        weights: str = "smollm2-135m-instruct-gguf",
        count: Annotated[int, Field(ge=1, le=32)] = 8,
        max_tokens: Annotated[int, Field(ge=8, le=512)] = 48,
        temperature: Annotated[float, Field(gt=0, le=2)] = 0.8,
        top_p: Annotated[float, Field(gt=0, le=1)] = 0.92,
        repetition: Annotated[float, Field(ge=1, le=2)] = 1.1,
        context: Annotated[int, Field(ge=512, le=131072)] = 8192,
        threads: Annotated[int, Field(ge=0, le=256)] = 0,
        seed: int = -1,
        fallback: bool = False,
    ) -> None:
        self.key = secrets.token_hex()
        self.server = serve(gguf(fetch(weights)), count, context, threads, self.key)
        self.count, self.fallback = count, fallback
        self.settings = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "top_k": TOP_K,
            "min_p": 0.0,
            "repeat_penalty": repetition,
            "seed": seed,
        }
        self.pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="llamacpp")

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        one = len(turns) == 1
        asked = [
            self.pool.submit(self._write, turn, one)
            if wants_generation(turn) and not (self.fallback and turn.candidates)
            else None
            for turn in turns
        ]
        samples = [future.result() if future else [] for future in asked]
        return [[candidate for s in group if (candidate := tidy(s, "llamacpp"))] for group in samples]

    def _write(self, turn: Turn, alone: bool) -> list[Sample]:
        stream = streaming(turn) if alone and self.count == 1 else None
        lead = leading(turn) if alone and self.count > 1 else None
        prompt = chatml(messages(turn, turn.companion_name))
        return self.sample(prompt, self.settings, turn.stop.is_set, stream, lead)

    def sample(
        self,
        prompt: str,
        settings: dict[str, Any],
        stopped: Callable[[], bool] = lambda: False,
        on_text: Callable[[str], None] | None = None,
        on_sample: Callable[[Sample], None] | None = None,
    ) -> list[Sample]:
        """`count` samples, as they are when the last is done or when `stopped` says so, which is asked at every token.

        on_text: called with the first sample so far; on_sample: with each that came to its end. Raises RuntimeError
        with the reason when llama.cpp refuses, such as for a prompt that is longer than the context.
        """
        texts, sums = [""] * self.count, [0.0] * self.count
        lengths, done = [0] * self.count, [False] * self.count
        refused = ""

        def hear(chunk: Any) -> bool:
            nonlocal refused
            if not isinstance(chunk, dict) or "error" in chunk:
                refused = str(chunk)
                return True
            for choice in chunk.get("choices", ()):
                i = choice["index"]
                texts[i] += choice["text"]
                for token in (choice.get("logprobs") or {}).get("content", ()):
                    sums[i] += token["logprob"]
                    lengths[i] += 1
                if choice["text"] and on_text and i == 0:
                    on_text(texts[0].strip())
                if choice.get("finish_reason") == "stop":
                    done[i] = True
                    if on_sample:
                        on_sample(sample(i))
            return stopped()

        def sample(i: int) -> Sample:
            return Sample(texts[i].strip(), done[i], sums[i] / max(1, lengths[i]))

        if not stopped():
            asked = {"prompt": prompt, "n": self.count, "stop": ["<|im_end|>"], "logprobs": 1, "stream": True}
            answer = self.server.handle_completions({**asked, **settings}, hear)
            if isinstance(answer, dict) and "error" in answer:
                refused = str(answer["error"])
        if refused:
            raise RuntimeError(f"llama.cpp refuses: {refused}")
        return [sample(i) for i in range(self.count)]

    def close(self) -> None:
        """Let the threads go; llama.cpp goes with the object."""
        self.pool.shutdown(wait=False, cancel_futures=True)


def serve(path: Path, slots: int, context: int, threads: int = 0, key: str = "") -> Any:
    """llama.cpp with this model: its server answers in this process and at `listening_address`, on loopback.

    key: what a program at that address has to show; "" lets everybody in.
    """
    import os

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel, params.n_ctx, params.kv_unified = slots, context, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads or os.cpu_count() or 1
    params.hostnames, params.ui = ["127.0.0.1"], False
    params.verbosity = 0
    if key:
        params.api_keys = [key]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise WeightsError(f"{path}: llama.cpp cannot load it: {error}") from error


def gguf(found: Path) -> Path:
    """The GGUF file at this path, or the one in this folder. Raises WeightsError when there is not exactly one."""
    files = [found] if found.is_file() else sorted(found.glob("*.gguf"))
    if len(files) != 1:
        raise WeightsError(f"{found}: there must be one GGUF file here, and there are {len(files)}")
    return files[0]
