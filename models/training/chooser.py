"""Trains what chooses among 20 replies, for Hits@1: projections of sentence features, then a mix of measures.

    python -m models.training.chooser --data ../shared/data --adapter companion --out FOLDER

The projections (a bi-encoder in the words of Humeau et al. 2020, "Poly-encoders") learn from ConvAI2's dialogues 1 to
400, both speakers, our own dialogues and Topical-Chat valid to tell the true reply from the others of a batch; the mix
is fitted on dialogues 401 to 500, and the projections are then learned again from 1 to 500. It is for measuring: the
chain ranks with models/reply.py. ConvAI2's halves share nearly all of their personas, so that a chooser that learned
from the first has met the personas of the second, which the competition's hidden test did not allow.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.embedding import MiniLM
from models.generation import Generator
from models.hub import fetch
from models.training import choosing, convai2
from models.training.choosing import Choice
from models.training.evaluate_reply import BASE, Alone, chosen, resumed
from models.training.likelihood import Likelihood, Score
from models.training.public_talks import CONVAI2_OTHER, plain, topical_chat
from models.training.public_talks import convai2 as read_convai2
from models.training.reply import DIALOGUES, held_out, read_talks
from models.training.reply_scores import both

FILE = "chooser.safetensors"
LEARN = 400
"""Of the first half: projections learn from dialogues up to here, the mix from those after it."""

WIDTH = 384
BATCH = 128
RATE = 2e-4
SCALE = 1 / 14
"""Of the first token's state, by which it is about as long as the sentence vector."""

ABOUT = 5
"""Sentences about the one who replies, at most."""


@dataclass(frozen=True)
class Pair:
    """A reply with the message, what was said before it, and sentences about the one who replies."""

    message: str
    before: str
    about: tuple[str, ...]
    reply: str


def pairs_of(said: Sequence[str], about: Sequence[str], places: Sequence[int]) -> list[Pair]:
    """The replies at these places of a talk."""
    return [Pair(said[at - 1], said[max(0, at - 2)], tuple(about[:ABOUT]), said[at]) for at in places]


def learned_pairs(data: Path, until: int) -> list[list[Pair]]:
    """Pairs of ConvAI2's dialogues up to `until`, of our own and of Topical-Chat, a list per source."""
    partners = read_convai2(data / CONVAI2_OTHER)
    first: list[Pair] = []
    for dialogue, partner in zip(convai2.half(data, second=False)[:until], partners, strict=False):
        said = [plain(text) for text in dialogue.said]
        for persona, places in ((dialogue.persona, range(1, len(said), 2)), (partner.persona, range(2, len(said), 2))):
            first += pairs_of(said, [plain(sentence) for sentence in persona], places)
    own: list[Pair] = []
    for talk in read_talks(sorted(DIALOGUES.glob("*.jsonl"))):
        if not held_out(talk):
            who = [turn["who"] for turn in talk["turns"]]
            own += pairs_of(
                [t["text"] for t in talk["turns"]], (), [i for i, w in enumerate(who) if i and w == "companion"]
            )
    topical = [
        pair
        for path in sorted((data / "topical_chat").glob("valid_*.json"))
        for talk in topical_chat(path)
        for pair in pairs_of(talk.said, (), range(2, len(talk.said), 4))
        if len(pair.reply) < 200
    ]
    return [first, own, topical]


def network() -> Any:
    """Projections of message, before, about and reply (two), each (features, WIDTH), and the weights of the cosines.
    They begin as the untouched sentence vector."""
    import torch

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.each = torch.nn.ModuleDict()
            for name in ("message", "before", "about", "reply", "reply_about"):
                layer = torch.nn.Linear(2 * WIDTH, WIDTH, bias=False)
                torch.nn.init.zeros_(layer.weight)
                layer.weight.data[:, WIDTH:] = torch.eye(WIDTH)
                self.each[name] = layer
            self.gain = torch.nn.Parameter(torch.tensor([12.0, 4.0, 12.0]))
            self.drop = torch.nn.Dropout(0.4)

        def project(self, name: str, features: Any) -> Any:
            return torch.nn.functional.normalize(self.each[name](self.drop(features)), dim=-1)

        def forward(self, message: Any, before: Any, about: Any, known: Any, replies: Any) -> Any:
            """(n, features), (n, features), (n, ABOUT, features), which of these there are, and (m, features) of the
            replies; (n, m) scores."""
            reply, fact = self.project("reply", replies), self.project("reply_about", replies)
            each = torch.einsum("nkd,md->nmk", self.project("about", about), fact) * self.gain[2]
            each = each.masked_fill(~known[:, None, :], -1e4)
            about_score = each.logsumexp(-1) - known.sum(-1).clamp(min=1).log()[:, None]
            about_score = about_score * known.any(-1)[:, None]
            said = self.gain[0] * self.project("message", message) @ reply.T
            return said + self.gain[1] * self.project("before", before) @ reply.T + about_score

    return Network()


class Texts:
    """Features of texts, (n, 2 * WIDTH): the first token's state, scaled down, and the sentence vector; read once."""

    def __init__(self) -> None:
        self.encoder = MiniLM(batch_size=64)
        self.at: dict[str, int] = {}
        self.rows: list[choosing.Floats] = []

    def features(self, texts: Sequence[str]) -> Any:
        import torch

        self.read(texts)
        return torch.tensor(np.stack([self.rows[self.at[text]] for text in texts]))

    def read(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self.at]
        if new:
            found = self.encoder.features(new)
            found[:, :WIDTH] *= SCALE
            self.at |= {text: len(self.rows) + i for i, text in enumerate(new)}
            self.rows += list(found)

    def vectors(self, texts: Sequence[str]) -> choosing.Floats:
        return np.asarray(self.features(texts)[:, WIDTH:])

    def inputs(self, pairs: Sequence[Pair]) -> tuple[Any, Any, Any, Any]:
        """Message, before, about and which of about there are, as the network takes them."""
        import torch

        about = [[*pair.about, *[pair.message] * (ABOUT - len(pair.about))] for pair in pairs]
        known = torch.tensor([[i < len(pair.about) for i in range(ABOUT)] for pair in pairs])
        facts = self.features([text for row in about for text in row]).view(len(pairs), ABOUT, -1)
        return self.features([p.message for p in pairs]), self.features([p.before for p in pairs]), facts, known


def learn(sources: Sequence[list[Pair]], texts: Texts, epochs: int, seed: int) -> Any:
    """A network that learned to tell each reply from the others of its batch, which come from the same source."""
    import torch

    torch.manual_seed(seed)
    chance = random.Random(seed)
    model = network()
    groups = [
        {"params": list(model.each.parameters()), "lr": RATE, "weight_decay": 0.05},
        {"params": [model.gain], "lr": 0.02},
    ]
    optimiser = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, epochs)
    for _ in range(epochs):
        plan: list[list[Pair]] = []
        for pairs in sources:
            chance.shuffle(pairs)
            plan += [pairs[i : i + BATCH] for i in range(0, len(pairs) - BATCH // 2, BATCH)]
        chance.shuffle(plan)
        for part in plan:
            scores = model(*texts.inputs(part), texts.features([pair.reply for pair in part]))
            loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(part)))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return model.eval()


class Chooser:
    """Scores the candidates of a choice. folder: chooser.safetensors, as this module writes it."""

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        with safe_open(folder / FILE, framework="pt") as file:
            self.weights: dict[str, float] = json.loads((file.metadata() or {})["weights"])
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        self.model = network().eval()
        self.model.load_state_dict(state)
        self.texts = Texts()

    def __call__(self, choice: Choice, scores: Sequence[Score], alone: Sequence[Score]) -> choosing.Floats:
        """(candidates,): the higher, the better."""
        return choosing.mixed(table(self.model, self.texts, choice, scores, alone), self.weights)


def table(model: Any, texts: Texts, choice: Choice, scores: Sequence[Score], alone: Sequence[Score]) -> choosing.Floats:
    """(candidates, choosing.FEATURES) of a choice."""
    import torch

    before = choice.said[-2] if len(choice.said) > 1 else choice.said[-1]
    pair = Pair(choice.said[-1], before, choice.about[:ABOUT], choice.candidates[0])
    with torch.inference_mode():
        projected = model(*texts.inputs([pair]), texts.features(choice.candidates))[0].numpy()
    return choosing.features(choice, texts.vectors, projected, scores, alone)


def train(data: Path, adapter: str, out: Path, count: int, epochs: int, seed: int = 1) -> None:
    """Writes chooser.safetensors to `out`, where what the language model measures is kept, and goes on from it."""
    from safetensors.torch import save_file

    texts = Texts()
    weighed = convai2.half(data, second=False)[LEARN:]
    choices = convai2.choices(weighed, count, seed)
    model = learn(learned_pairs(data, LEARN), texts, epochs, seed)
    language = Likelihood(Generator(fetch(BASE), fetch(adapter) if adapter else None))
    rows = resumed(out / "chosen.jsonl", choices, partial(chosen, language, Alone(language, out / "alone.jsonl")))
    tables = [table(model, texts, c, *both(row)) for c, row in zip(choices, rows, strict=True)]
    for part, name in (((0,), "projections alone"), ((1,), "the language model alone"), ((0, 1), "all")):
        print(f"Hits@1 on {count} choices of dialogues {LEARN + 1} to 500, {name}: {cross_checked(tables, part):.3f}")
    weights = choosing.fit(tables)
    print(json.dumps(weights))
    model = learn(learned_pairs(data, 500), texts, epochs, seed)
    state = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(state, out / FILE, metadata={"weights": json.dumps(weights)})


def cross_checked(tables: Sequence[choosing.Floats], parts: Sequence[int], folds: int = 5) -> float:
    """Hits@1 with weights fitted on the other folds; parts: 0 for what sentences tell, 1 for the language model."""
    kept = [name in choosing.LANGUAGE for name in choosing.FEATURES]
    mask = np.array([int(language) in parts for language in kept], dtype=np.float32)
    shown = [table * mask for table in tables]
    hits = []
    for fold in range(folds):
        weights = choosing.fit([t for i, t in enumerate(shown) if i % folds != fold])
        hits += [choosing.hit(choosing.mixed(t, weights)) for i, t in enumerate(shown) if i % folds == fold]
    return float(np.mean(hits))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--adapter", default="companion")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300, help="choices that the mix is fitted on")
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    train(arguments.data, arguments.adapter, arguments.out, arguments.count, arguments.epochs)


if __name__ == "__main__":
    main()
