"""Choosing the reply: a fixed reply first, then a skill that is sure, then the best ranked candidate.

Every candidate passes the outgoing check and that of grounding before it is ranked; when none is left, a written
fallback is said. A candidate is a text with a source; of the language model, only what it makes of a text is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models import grounding
from models import hate as hate_rules
from models.embedding import MiniLM
from models.emotion import Lexicon
from models.generation import load
from models.hate_head import Hate
from models.honest import disclosed
from models.hub import fetch
from models.judge import Judge, states_of
from models.outgoing import objections
from models.phrases import hurt
from models.prompt import chatml, messages
from models.unsafe import Unsafe
from pipelines.errors import UsageError
from pipelines.turn import Candidate, Reply, Turn

Floats = NDArray[np.float32]

FALLBACKS = (
    "I'm here, I just lost my words for a second. Say it to me another way?",
    "Hm, I don't have a good answer to that yet. Tell me a bit more?",
    "I want to get this right, and I'm not there yet. What matters most about it to you?",
)
"""Said when no candidate is fit to be said. Written by a person, in turn."""

NOT_TOLD = (
    "I'm not sure you've told me that. Will you?",
    "I don't think I know that one. Tell me, or ask what I know of you?",
    "That may be something I don't have of you yet. What is it?",
)
"""The same, when the message asks for a fact of the person."""

WEIGHTS = {
    "relevance": 0.7,
    "likely": 0.7,
    "length": 0.4,
    "repeats_itself": -1.5,
    "repeats_person": -0.8,
    "unfinished": -1.0,
    "tact": 0.5,
    "written": 0.0,
    "retrieved": 0.0,
    "near": 1.0,
    "tone": 2.0,
}
"""Set by hand, for a ranker without a judge; a judge brings fitted ones, of all but tone."""


WRITTEN = ("template", "skills")
"""The sources whose candidates were written by people."""

_KIND = re.compile(r"(?i)\b(?:glad|happy) (?:that )?(?:you (?:told|wrote|came|said|asked)|to (?:hear from|listen))")
"""Glad of being told, which is no gladness at a hurt."""
_PRAISE = re.compile(
    r"(?i)\b(?:is|was|are|’s|'s|what) (?:an? |the |such an? )?(?:(?:very|really|pretty|so|real) )?"
    r"(?:good|great|nice|lovely|wonderful|beautiful|fine|perfect|clever|best|grand|brilliant)\b"
)
_CHEERS = re.compile(
    r"(?i)\b(?:congrat\w*|(?:good|great|wonderful) news|what a relief|happy birthday|well done|hooray)\b"
)
CHEERED, GLAD = -0.3, 0.05
"""The tone of cheers to a message whose valence is not above GLAD: of something cheerful that nobody told."""

PRAISED = 0.6
"""What calls a thing good sounds this glad at least, whatever else is in it: "sad is a good start"."""


class First:
    """The first candidate that passes the outgoing check, skills that are sure before all others."""

    needs: ClassVar[tuple[str, ...]] = ("candidates",)

    def __call__(self, turns: Sequence[Turn]) -> list[Reply]:
        return [disclosed(turn, decided(turn) or first(turn)) for turn in turns]


class Ranker:
    """The candidate with the highest weighted sum of plain measures and a judge; the trace shows each of them.

    judged: how well the reply fits, by a small network on the reply model's states (models/judge.py); relevance: cosine
    of candidate and message; likely: the language model's own mean log-probability; length: 1 near `words` words, less
    far from it; repeats_itself, repeats_person: share of the text that repeats one of the companion's last replies, or
    the person's message; written, tact: whether it was written by a person, and whether it answers a hurt then;
    retrieved, near: whether it was said in another talk, and how like this one that was;
    tone: below 0 when it sounds glad of a hurt, or sad of a joy, by a lexicon.
    weights, tuned: the encoder, as for embedding.minilm (it is in memory once); weights = "" ranks without it.
    hate: the head that is asked beside the rules about candidates that name a group (models/hate_head.py); "" for none.
    unsafe: the head that is asked about candidates that a model wrote (models/unsafe.py); "" for none.
    judge: a card or folder with judge.safetensors, which brings the fitted weights of all measures; "" ranks without.
    reader, adapter: the model whose states the judge reads: weights and adapter of candidates.transformers (in memory
    once, and the prompt is read once).
    """

    needs: ClassVar[tuple[str, ...]] = ("candidates",)
    weights: ClassVar[tuple[str, ...]] = ("weights", "tuned", "judge", "reader", "adapter", "hate", "unsafe")

    def __init__(
        self,
        weights: str = "minilm",
        tuned: str = "minilm-chat",
        judge: str = "",
        reader: str = "",
        adapter: str = "",
        words: Annotated[int, Field(ge=3, le=200)] = 14,
        hate: str = "hate",
        unsafe: str = "unsafe",
    ) -> None:
        if judge and not reader:
            raise UsageError('reply.ranker: a judge reads the states of a model, so reader = "" needs judge = ""')
        self.encoder = MiniLM(weights, tuned) if weights else None
        self.hate = Hate(hate, self.encoder) if self.encoder and hate else None
        self.unsafe = Unsafe(unsafe, self.encoder.name) if self.encoder and unsafe else None
        self.judge = None
        if judge:
            model = load(fetch(reader), fetch(adapter) if adapter else None)
            self.judge = Judge(fetch(judge), model, states_of(reader, adapter))
        self.words = words
        self.lexicon = Lexicon()
        self.weight_of = dict(WEIGHTS)
        if self.judge:
            self.weight_of = {"judged": 1.0, **WEIGHTS, **self.judge.about["weights"]}

    def __call__(self, turns: Sequence[Turn]) -> list[Reply]:
        return [disclosed(turn, decided(turn) or self._rank(turn)) for turn in turns]

    def _rank(self, turn: Turn) -> Reply:
        fit = _fit(turn)
        stopped = turn.stop.is_set()
        if stopped and fit:  # whoever stopped it waits for no ranking, and keeps what led until then
            fit = [max(fit, key=lambda c: (c.finished, c.scores.get("logprob", float("-inf"))))]
        hateful = self.hateful([c.text for c in fit])
        fit = [c for c, wrong in zip(fit, hateful, strict=True) if not wrong]
        read = self._read(turn, fit)
        keep = [i for i, wrong in enumerate(self._unsafe(fit, read)) if not wrong]
        if not keep:
            return fallback(turn)
        fit, read = [fit[i] for i in keep], read[[0, *(i + 1 for i in keep)]]
        if stopped:
            return Reply(fit[0].text, fit[0].source, "stopped: the likeliest until then", tuple(fit))
        ranked = []
        for candidate, scores in zip(fit, self.measures(turn, fit, read), strict=True):
            total = sum(self.weight_of[name] * value for name, value in scores.items())
            ranked.append(replace(candidate, scores={**candidate.scores, **scores, "total": total}))
        ranked.sort(key=lambda c: -c.scores["total"])
        best = ranked[0]
        return Reply(best.text, best.source, self._why(ranked), tuple(ranked))

    def hateful(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text degrades people for their group, as far as the rules and the head can tell."""
        return self.hate(texts) if self.hate else [hate_rules.hateful(text) for text in texts]

    def unsafe_replies(self, messages: Sequence[str], replies: Sequence[str]) -> list[bool]:
        """Whether each reply is unsafe as an answer to its message, as far as the head can tell."""
        if self.unsafe is None or self.encoder is None:
            return [False] * len(replies)
        return self.unsafe(self.encoder.features(messages), self.encoder.features(replies))

    def _unsafe(self, candidates: Sequence[Candidate], read: Floats) -> list[bool]:
        if self.unsafe is None or not candidates:
            return [False] * len(candidates)
        found = self.unsafe(np.broadcast_to(read[0], read[1:].shape), read[1:])
        return [wrong and c.source not in WRITTEN for wrong, c in zip(found, candidates, strict=True)]

    def measures(
        self, turn: Turn, candidates: Sequence[Candidate], read: Floats | None = None
    ) -> list[dict[str, float]]:
        """For each candidate what it is ranked by, under the names of `weight_of`; read: what `_read` found, if it
        was asked before."""
        read = self._read(turn, candidates) if read is None else read
        valence = turn.emotion.valence if turn.emotion else 0.0
        own = [u.text for u in turn.history if u.role == "companion"][-6:]
        return [
            {
                **judged,
                "relevance": relevance,
                "likely": max(-1.0, min(0.0, candidate.scores.get("logprob", -1.5) / 3)),
                "length": length_score(candidate.text, self.words),
                "repeats_itself": repeats(candidate.text, own),
                "repeats_person": repeats(candidate.text, [turn.text]),
                "unfinished": 0.0 if candidate.finished else 1.0,
                "tact": _tact(turn) if candidate.source == "template" else 0.0,
                "written": float(candidate.source == "template"),
                "retrieved": float(candidate.source == "retrieval"),
                "near": candidate.scores.get("near", 0.0),
                "tone": min(
                    0.0, valence * feeling, CHEERED if valence < GLAD and _CHEERS.search(candidate.text) else 0.0
                ),
            }
            for candidate, judged, relevance, feeling in zip(
                candidates,
                self._judged(turn, candidates),
                self._relevance(read),
                self._feelings(candidates),
                strict=True,
            )
        ]

    def _feelings(self, candidates: Sequence[Candidate]) -> list[float]:
        """How glad or sad each candidate sounds, -1 to 1, by its words."""
        found = self.lexicon([Turn(_KIND.sub("", c.text)) for c in candidates])
        return [
            max(emotion.valence, PRAISED if _PRAISE.search(c.text) else -1.0)
            for emotion, c in zip(found, candidates, strict=True)
        ]

    def _read(self, turn: Turn, candidates: Sequence[Candidate]) -> Floats:
        """(1 + n, features) of the message and each candidate; without an encoder (1 + n, 0)."""
        texts = [turn.text, *(c.text for c in candidates)]
        return self.encoder.features(texts) if self.encoder else np.zeros((len(texts), 0), dtype=np.float32)

    def _relevance(self, features: Floats) -> list[float]:
        if self.encoder is None:
            return [0.0] * (len(features) - 1)
        vectors = features[:, -self.encoder.width :]
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    def _judged(self, turn: Turn, candidates: Sequence[Candidate]) -> list[dict[str, float]]:
        """With a judge, what it makes of each candidate: nothing of any when a stop came while it read."""
        if self.judge is None:
            return [{} for _ in candidates]
        prompt = chatml(messages(turn, turn.companion_name))
        found = self.judge(prompt, [c.text for c in candidates], turn.stop) if candidates else ()
        return [{"judged": float(score)} for score in ([0.0] * len(candidates) if found is None else found)]

    def _why(self, ranked: Sequence[Candidate]) -> str:
        """In which measures the winner beat the second, the largest first."""
        if len(ranked) < 2:
            return "the only candidate that passed the outgoing check"
        best, second = ranked[0].scores, ranked[1].scores
        gains = {name: weight * (best[name] - second[name]) for name, weight in self.weight_of.items()}
        parts = [f"{name} {gain:+.2f}" for name, gain in sorted(gains.items(), key=lambda g: -g[1]) if gain > 0.005]
        return f"best of {len(ranked)}: " + (", ".join(parts[:3]) or "equal to the second") + " against the next"


def _tact(turn: Turn) -> float:
    """How much words are wanted that a person wrote for it: at a hurt, and twice as much at a death."""
    grief = turn.emotion.probabilities.get("grief", 0.0) if turn.emotion else 0.0
    return float(hurt(turn)) * (2 if grief >= 0.4 else 1)


def decided(turn: Turn) -> Reply | None:
    """The reply that stands before any ranking: a fixed one from safety, or a skill that is sure."""
    if turn.safety is not None and turn.safety.reply is not None:
        return Reply(turn.safety.reply, "safety", f"fixed reply: {turn.safety.kind}, level {turn.safety.level}")
    sure = next((c for c in turn.candidates or () if c.sure), None)
    if sure:
        return Reply(sure.text, sure.source, f"{sure.source} is sure", tuple(turn.candidates or ()))
    return None


def first(turn: Turn) -> Reply:
    """The first fit candidate, or a written fallback that was not said last time."""
    fit = _fit(turn)
    if fit:
        return Reply(fit[0].text, fit[0].source, "the first that passed the outgoing check", tuple(fit))
    return fallback(turn)


def fallback(turn: Turn) -> Reply:
    """Written words for when no candidate is fit to be said, other than last time."""
    said = [u.text for u in turn.history if u.role == "companion"][-2:]
    texts = NOT_TOLD if grounding.asks_about_person(turn) else FALLBACKS
    text = next(text for text in texts if text not in said)
    count = len(turn.candidates or ())
    why = f"none of {count} candidates passed the outgoing check" if count else "there was no candidate"
    return Reply(text, "fallback", why)


def repeats(text: str, earlier: Sequence[str]) -> float:
    """How much of the text stands in one of the earlier texts: 0 to 1, by matching blocks of words."""
    words = _words(text)
    if not words:
        return 0.0
    shares = [0.0]
    for other in earlier:
        matcher = SequenceMatcher(None, words, _words(other), autojunk=False)
        shares.append(sum(b.size for b in matcher.get_matching_blocks() if b.size >= 2) / len(words))
    return max(shares)


def length_score(text: str, words: int) -> float:
    """1 at the wanted number of words, 0 at twice as many or at none."""
    return max(0.0, 1 - abs(len(_words(text)) - words) / words)


def _fit(turn: Turn) -> list[Candidate]:
    # A reply may have been said with a reminder behind it (models/honest.py).
    said = tuple(u.text for u in list(turn.history)[-8:] if u.role == "companion")
    return [
        c
        for c in turn.candidates or ()
        if not _said(c.text, said)
        and not objections(c.text, turn)
        and not grounding.objections(c.text, turn, written=c.source in WRITTEN)
    ]


def _said(text: str, said: Sequence[str]) -> bool:
    return any(other == text or other.startswith(f"{text} (") for other in said)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower()[:2000])
