"""How likely a causal language model finds given replies: sums of log-probabilities, of many candidates at once.

A talk is read once. The candidates for one reply are read side by side in a single row behind it, each seeing the talk
and itself only (a block mask), so that neither the talk nor its cache is ever repeated. Knows no data set and no
measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.generation import Generator
from models.prompt import chatml

HEAD = "<|im_start|>assistant\n"


@dataclass(frozen=True)
class Score:
    """Of one candidate, in nats: words, the summed log-probability of its tokens; end, that of the token that ends it;
    tokens: how many there are, without the end."""

    words: float
    end: float
    tokens: int


class Likelihood:
    """Scores with the float32 weights of a generator, with or without adapter."""

    def __init__(self, generator: Generator) -> None:
        self.tokenizer, self.model, self.end = generator.tokenizer, generator.reader, generator.end

    def talk(self, messages: Sequence[Mapping[str, str]], candidates: Sequence[Sequence[str]]) -> Iterator[list[Score]]:
        """For each message of the assistant, in order, the scores of its candidates, given all before it.

        messages: role and content, with the true replies, which the next ones are read behind.
        """
        import torch
        from transformers import DynamicCache

        cache: Any = DynamicCache()
        waiting = iter(candidates)
        unread: list[int] = []
        with torch.inference_mode():
            for message in messages:
                text = chatml([message], reply=False)
                if message["role"] == "assistant":
                    unread += self._tokens(HEAD)
                    yield self._beside(cache, unread, next(waiting))
                    unread = []
                    text = text.removeprefix(HEAD)
                unread += self._tokens(text)

    def beside(self, messages: Sequence[Mapping[str, str]], candidates: Sequence[str]) -> list[Score]:
        """The scores of candidates for the reply that comes next."""
        import torch
        from transformers import DynamicCache

        with torch.inference_mode():
            return self._beside(DynamicCache(), self._tokens(chatml(messages)), candidates)

    def alone(self, texts: Sequence[str], at_once: int = 24) -> list[Score]:
        """The scores of texts as replies to nothing."""
        import torch
        from transformers import DynamicCache

        found: list[Score] = []
        with torch.inference_mode():
            for start in range(0, len(texts), at_once):
                found += self._beside(DynamicCache(), self._tokens(HEAD), texts[start : start + at_once])
        return found

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _beside(self, cache: Any, unread: Sequence[int], texts: Sequence[str]) -> list[Score]:
        """Read what is unread of the talk into the cache, then the candidates, which leave no trace in it."""
        import torch

        out = self.model(input_ids=torch.tensor([unread]), past_key_values=cache, use_cache=True, logits_to_keep=1)
        first = out.logits[0, -1].log_softmax(-1)
        before = cache.get_seq_length()
        written = [chatml([{"role": "assistant", "content": text}], reply=False) for text in texts]
        # The end is predicted, not read.
        parts = [self._tokens(text.removeprefix(HEAD).removesuffix("\n"))[:-1] for text in written]
        width = sum(map(len, parts))
        which = torch.cat([torch.full((len(part),), i) for i, part in enumerate(parts)])
        where = torch.cat([torch.arange(len(part)) for part in parts])
        seen = (which[:, None] == which[None, :]) & (where[:, None] >= where[None, :])
        mask = torch.cat([torch.ones(width, before, dtype=torch.bool), seen], 1)[None, None]
        logits = self.model(
            input_ids=torch.tensor([[token for part in parts for token in part]]),
            attention_mask=mask,
            position_ids=(before + where)[None],
            past_key_values=cache,
            use_cache=True,
        ).logits[0]
        cache.crop(-width)
        found, start = [], 0
        for part in parts:
            rows = logits[start : start + len(part)].log_softmax(-1)
            start += len(part)
            words = float(first[part[0]]) + float(rows[:-1].gather(1, torch.tensor(part[1:])[:, None]).sum())
            found.append(Score(words, float(rows[-1, self.end]), len(part)))
        return found
