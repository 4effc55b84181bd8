"""Candidates from a generative language model: several sampled replies per turn, in one batch.

Knows no memory and no channel: what it may say of the person is in the turn. Turns that already have a fixed reply,
or a candidate that is sure, are left alone: nothing is generated for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from models import grounding
from models.generation import Sample, Sampling, load
from models.hub import fetch
from models.outgoing import objections
from models.prompt import chatml, messages
from pipelines.turn import Candidate, Turn


class Transformers:
    """A causal language model of the transformers library, on this machine's CPU.

    weights: a card or folder with a model that speaks ChatML; adapter: a card or folder with a LoRA adapter, or "";
    count: candidates per turn; together: samples in one batch at most, so that of many turns each gets fewer
    candidates, and all are answered sooner; seed: for repeatable replies, or -1; fallback: generate only for turns for
    which no stage before this one (a served model, say) found a candidate.
    """

    needs: ClassVar[tuple[str, ...]] = ("safety",)
    weights: ClassVar[tuple[str, ...]] = ("weights", "adapter")

    def __init__(
        self,
        weights: str = "smollm2-135m-instruct",
        adapter: str = "",
        count: Annotated[int, Field(ge=1, le=32)] = 8,
        together: Annotated[int, Field(ge=1, le=1024)] = 64,
        max_tokens: Annotated[int, Field(ge=8, le=512)] = 48,
        temperature: Annotated[float, Field(gt=0, le=2)] = 0.8,
        top_p: Annotated[float, Field(gt=0, le=1)] = 0.92,
        repetition: Annotated[float, Field(ge=1, le=2)] = 1.1,
        int8: bool = True,
        seed: int = -1,
        fallback: bool = False,
    ) -> None:
        self.generator = load(fetch(weights), fetch(adapter) if adapter else None, int8)
        self.sampling = Sampling(max_tokens, temperature, top_p, repetition)
        self.count, self.together, self.seed, self.fallback = count, together, seed, fallback

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        result: list[list[Candidate]] = [[] for _ in turns]
        asked = [
            i for i, turn in enumerate(turns) if wants_generation(turn) and not (self.fallback and turn.candidates)
        ]
        if asked:
            prompts = [chatml(messages(turns[i], turns[i].companion_name)) for i in asked]
            stops = [turns[i].stop for i in asked]
            seed = self.seed if self.seed >= 0 else None
            one = turns[asked[0]] if len(asked) == 1 else None
            stream = streaming(one) if one else None
            lead = leading(one) if one and self.count > 1 else None
            count = max(1, min(self.count, self.together // len(asked)))
            samples = self.generator.sample(prompts, count, self.sampling, stops, seed, stream, lead)
            for i, group in zip(asked, samples, strict=True):
                result[i] = [candidate for sample in group if (candidate := tidy(sample))]
        return result


def wants_generation(turn: Turn) -> bool:
    """Whether anything is to be generated: not over a fixed reply, and not over a skill that is sure."""
    fixed = turn.safety is not None and turn.safety.reply is not None
    return not fixed and not any(c.sure for c in turn.candidates or ())


def streaming(turn: Turn) -> Callable[[str], None] | None:
    """What to call with the text so far: hands whole words to turn.on_text, until the outgoing check objects."""
    hear, shown, open = turn.on_text, "", True
    if hear is None:
        return None

    def stream(text: str) -> None:
        nonlocal shown, open
        words = " ".join(text.split("<|")[0].split(" ")[:-1])  # the last word may still grow
        if not open or words == shown or not re.search(r"\w", words):
            return
        open = not objections(words, turn) and not grounding.objections(words, turn)
        if open:
            shown = words
            hear(words)

    return stream


def leading(turn: Turn) -> Callable[[Sample], None] | None:
    """What to call with every finished sample: hands it to turn.on_candidate when it is likelier than all before it
    and passes the outgoing check. The ranker has the last word."""
    hear, best = turn.on_candidate, float("-inf")
    if hear is None:
        return None

    def lead(sample: Sample) -> None:
        nonlocal best
        candidate = tidy(sample)
        if not candidate or sample.logprob <= best:
            return
        if not objections(candidate.text, turn) and not grounding.objections(candidate.text, turn):
            best = sample.logprob
            hear(candidate)

    return lead


def tidy(sample: Sample, source: str = "transformers") -> Candidate | None:
    """A sample as a candidate: one paragraph, no unfinished last sentence when there is a finished one before it."""
    text = " ".join(sample.text.split("<|")[0].split())
    finished = sample.finished
    if not finished and (ends := list(re.finditer(r"[.!?…]+[\"')]*(?=\s|$)", text))):
        text, finished = text[: ends[-1].end()], True
    if not re.search(r"\w", text):
        return None
    return Candidate(text, source, finished=finished, scores={"logprob": sample.logprob})
