"""Trains the judge of the ranker, a cross-encoder (models/judge.py).

    python -m models.training.judge --out FOLDER [--judged FILE ...]     three quarters of an hour on one core
    python -m models.training.ranker --out FOLDER                        then the weights of the other measures

First it learns to tell the reply that followed in our own dialogues from replies of other talks, and of other places in
the same talk; then, on judged candidates, to put good before bad and best before all. Held-out topics
(`reply.held_out`) are never read; every sixth learned topic only checks. The ranker's weights are fitted on
other prompts.
Interrupt it and start it again with the same --out: it goes on from the last pass that it finished, with what is judged
by then; Adam's moments begin anew.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding import plain, readable
from models.hub import fetch
from models.judge import FILE, context, scores, tokenizer_of, tokens
from models.training.preferences import JUDGED, cuts, turn_of
from models.training.ranker import Judged, choices, read, split
from models.training.reply import DIALOGUES, held_out, read_talks

WRONG = 2
"""Replies of other talks beside each reply that really followed; and one of another place in the same talk."""


@dataclass(frozen=True)
class Group:
    """pairs: of a talk with each of its replies; good: 1 or 0 for each; best: which of them, if any."""

    pairs: list[tuple[str, str]]
    good: list[float]
    best: int | None


def followed(talks: Sequence[Mapping[str, Any]], count: int, chance: random.Random) -> list[Group]:
    """Replies that followed, at most `count` and in random order, each beside some that did not."""
    replies = [turn["text"] for talk in talks for turn in talk["turns"] if turn["who"] == "companion"]
    places = [(talk, i) for talk in talks for i in range(len(talk["turns"]) // 2)]
    found = []
    for talk, i in chance.sample(places, min(count, len(places))):
        own = [turn["text"] for turn in talk["turns"] if turn["who"] == "companion"]
        reply = own[i]
        others = chance.sample([r for r in own if r != reply], min(1, len(own) - 1))
        while len(others) <= WRONG:
            if (other := chance.choice(replies)) != reply:
                others.append(other)
        before = context(turn_of(next(islice(cuts(talk), i, None))))
        pairs = [(before, readable(text)) for text in (reply, *others)]
        found.append(Group(pairs, [1.0, *[0.0] * len(others)], 0))
    return found


def judged(parts: Sequence[Judged], better: bool) -> list[Group]:
    """The candidates of each judged prompt; better: with the one that the reader would have sent as the best."""
    found = []
    for j in parts:
        texts, good, best = [c.text for c in j.candidates], j.good.tolist(), j.best
        if better and j.better:
            texts, good, best = [*texts, j.better], [*good, 1.0], len(texts)
        found.append(Group([(context(j.turn), readable(text)) for text in texts], good, best))
    return found


def loss_of(model: Any, out: Any, tokenizer: Any, part: Sequence[Group]) -> Any:
    """Good before bad by a logistic for each reply, the best before all by a softmax; the mean over the groups."""
    import torch

    found = scores(model, out, *tokens(tokenizer, [pair for group in part for pair in group.pairs]))
    loss = found.new_zeros(())
    for each, group in zip(found.split([len(group.pairs) for group in part]), part, strict=True):
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(each, torch.tensor(group.good))
        if group.best is not None:
            loss = loss + 0.5 * torch.nn.functional.cross_entropy(each.unsqueeze(0), torch.tensor([group.best]))
    return loss / len(part)


def judge(model: Any, out: Any, tokenizer: Any, groups: Sequence[Group]) -> list[NDArray[np.float32]]:
    """The scores of each group's replies."""
    import torch

    model.eval()
    with torch.inference_mode():
        found = [scores(model, out, *tokens(tokenizer, group.pairs)).numpy() for group in groups]
    model.train()
    return found


def train(arguments: argparse.Namespace) -> None:
    import torch
    from tqdm import tqdm

    folder: Path = arguments.out
    torch.manual_seed(arguments.seed)
    chance = random.Random(arguments.seed)
    base = fetch("minilm")
    model, tokenizer = plain(base), tokenizer_of(base)
    out = torch.nn.Linear(2 * model.config.hidden_size, 1)
    model.embeddings.requires_grad_(False)
    parts = split([j for path in arguments.judged for j in read(path)])
    talks = [talk for talk in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) if not held_out(talk)]
    first = followed(talks, arguments.followed, chance)
    learn, check = judged(parts["learn"], better=True), judged(parts["check"], better=False)
    passes = [first, *(chance.sample(learn, len(learn)) for _ in range(arguments.passes))]
    sizes = [8, *[4] * arguments.passes]
    layers = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": layers, "lr": arguments.rate}, {"params": out.parameters(), "lr": 10 * arguments.rate}],
        weight_decay=0.01,
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    steps = sum(-(-len(groups) // size) for groups, size in zip(passes, sizes, strict=True))
    print(f"{len(first)} replies that followed, {len(learn)} judged prompts, {steps} steps", flush=True)
    state = folder / "run.safetensors"
    begun, step, best = 0, 0, -9.0
    if state.exists():
        begun, step, best = restore(state, model, out)
        print(f"{begun} of {len(passes)} passes are done", flush=True)
    started = time.time()
    model.train()
    for number, (groups, size) in enumerate(zip(passes, sizes, strict=True)):
        if number < begun:
            continue
        recent: list[float] = []
        for start in tqdm(range(0, len(groups), size), desc=f"pass {number}", mininterval=30):
            warm = min(1.0, (step + 1) / 60) * max(0.0, 1 - step / steps)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * warm
            loss = loss_of(model, out, tokenizer, groups[start : start + size])
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*layers, *out.parameters()], 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            recent.append(float(loss.detach()))
            step += 1
        known = dict(zip(map(id, parts["check"]), judge(model, out, tokenizer, check), strict=True))
        found = choices(parts["check"], lambda j, known=known: known[id(j)])
        minutes = round((time.time() - started) / 60)
        line = {"pass": number, "loss": round(float(np.mean(recent)), 3), "minutes": minutes, **found}
        print(json.dumps(line), flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        if number and found["best"] - found["bad"] > best:
            best = found["best"] - found["bad"]
            save(folder / FILE, model, out, {"judge": {"base": "minilm", "weights": {}, **line}}, torch.float16)
        save(state, model, out, {"run": [number + 1, step, best]}, torch.float32)


def save(path: Path, model: Any, out: Any, about: Mapping[str, Any], kind: Any) -> None:
    """Write the layers and the head, with `about` in the header as JSON; word embeddings stay where they are."""
    from safetensors.torch import save_file

    tensors = {name: value for name, value in model.state_dict().items() if not name.startswith("embeddings.")}
    tensors |= {f"out.{name}": value for name, value in out.state_dict().items()}
    small = {name: value.detach().to(kind).contiguous() for name, value in tensors.items()}
    save_file(small, path, metadata={name: json.dumps(value) for name, value in about.items()})


def restore(path: Path, model: Any, out: Any) -> tuple[int, int, float]:
    """Read what `save` wrote after a pass: the next pass, the steps done, the best choices so far."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        begun, step, best = json.loads(file.metadata()["run"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    out.load_state_dict({name: state.pop(f"out.{name}") for name in ("weight", "bias")})
    model.load_state_dict(state, strict=False)
    return begun, step, best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judged", type=Path, nargs="*", default=list(JUDGED))
    parser.add_argument("--followed", type=int, default=5000, help="replies that followed, to learn from first")
    parser.add_argument("--passes", type=int, default=3, help="over what was judged")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=7)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
