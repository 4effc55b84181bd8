"""What writes replies, side by side for `chatbot bench reply`: our generator, transformers' own `generate`, llama.cpp.

All get one prompt and write a fixed number of tokens for each candidate: the end of a reply is not heard. Each runs in
a process of its own, which answers one request at a time. Knows no companion.
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from models.candidates import tidy
from models.generation import TOP_K, Generator, Sampling
from models.hub import fetch
from models.prompt import chatml, messages
from pipelines.turn import Emotion, Fact, Risk, Turn, Utterance

BASE = "smollm2-135m-instruct"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = (
    ("person", "hi, i'm lena"),
    ("companion", "Hi Lena! How is your evening going?"),
    ("person", "long day, we moved the whole office to the second floor"),
    ("companion", "That sounds heavy. Did you at least get a desk by the window?"),
)
SAMPLING = {"temperature": 0.8, "top_p": 0.92}
REPETITION = 1.1

Write = Callable[[int, int], None]
"""Reads the prompt anew and writes so many candidates of so many tokens."""


def turn() -> Turn:
    """A message in the middle of a talk, with a fact and a feeling."""
    return Turn(
        "yes, but my boss wants it back tomorrow, i could scream",
        history=[Utterance("person" if who == "person" else "companion", text, NOON) for who, text in SAID],
        profile=[Fact("name", "Lena"), Fact("home", "Leeds")],
        safety=Risk(),
        emotion=Emotion({"annoyance": 0.8}, ("annoyance",), -0.4),
    )


PROMPT = chatml(messages(turn()))


def ours(threads: int) -> Write:
    """Our generator with the adapter; several candidates are also ranked, as in a turn."""
    from models.embedding import MiniLM
    from models.reply import Ranker

    _torch(threads)
    generator = Generator(fetch(BASE), fetch("companion"))
    generator.end = -1
    ranker, encoder = Ranker(judge="judge", reader=BASE, adapter="companion"), MiniLM()

    def write(count: int, tokens: int) -> None:
        generator.forget()
        [samples] = generator.sample([PROMPT], count, Sampling(tokens, **SAMPLING), [threading.Event()], None)
        if count > 1:
            asked = turn()
            [asked.embedding] = encoder([asked])
            asked.candidates = [candidate for sample in samples if (candidate := tidy(sample))]
            ranker([asked])

    return write


def transformers(threads: int) -> Write:
    """The library by itself, in float32, the same weights without the adapter."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    _torch(threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder = fetch(BASE)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    given = tokenizer(PROMPT, return_tensors="pt", add_special_tokens=False)

    def write(count: int, tokens: int) -> None:
        how = {"do_sample": True, "top_k": TOP_K, "repetition_penalty": REPETITION, **SAMPLING}
        length = {"min_new_tokens": tokens, "max_new_tokens": tokens, "pad_token_id": 0}
        with torch.inference_mode():
            model.generate(**given, **how, **length, num_return_sequences=count)

    return write


def llamacpp(threads: int) -> Write:
    """llama.cpp with the same weights in their 4 bits, its slots in parallel. Raises ImportError without the extra."""
    from models.llamacpp import gguf, serve

    server = serve(gguf(fetch(f"{BASE}-gguf")), slots=8, context=8192, threads=threads)

    def write(count: int, tokens: int) -> None:
        how = {"top_k": TOP_K, "min_p": 0.0, "repeat_penalty": REPETITION, **SAMPLING}
        fixed = {"max_tokens": tokens, "ignore_eos": True, "cache_prompt": False}
        answer = server.handle_completions({"prompt": PROMPT, "n": count, **how, **fixed})
        if "choices" not in answer or len(answer["choices"]) != count:
            raise RuntimeError(f"llama.cpp refuses: {answer}")

    return write


ENGINES: dict[str, Callable[[int], Write]] = {"ours": ours, "transformers": transformers, "llama.cpp": llamacpp}


def work(pipe: Any, name: str, threads: int) -> None:
    """The life of an engine's process: says "ready" or what it lacks, then answers (count, tokens) with seconds,
    seconds of the processor and megabytes at the peak, until it is sent None."""
    try:
        write = ENGINES[name](threads)
    except ImportError as error:
        pipe.send(f"{name} is left out: {error}")
        return
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        started, busy = time.perf_counter(), time.process_time()
        write(*asked)
        pipe.send((time.perf_counter() - started, time.process_time() - busy, peak()))


def peak() -> float:
    """The most memory that this process has held, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def _torch(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
