"""Trains what ranks the candidates: the judge (models/judge.py), then the weights that join it to the plain measures.

    python -m models.training.ranker --out FOLDER --work FOLDER              half an hour to read, then minutes
    python -m models.training.ranker --out FOLDER --work FOLDER --report     how often its choice is best, and bad

The judge learns on judged candidates (models/training/judged) to put good before bad and the best before all, from the
states of the reply model. The weights of the measures are fitted with scores of judges that have not seen the topic.
Held-out topics (`reply.held_out`) are only reported on. To be run again whenever the adapter changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import hub, judge
from models.generation import load
from models.hub import fetch
from models.reply import WEIGHTS as BY_HAND
from models.reply import Ranker
from models.training.preferences import HELD_OUT, HERE, JUDGED, chat, turn_of
from models.training.reply import held_out, read_talks
from models.training.safety import WEIGHTS, bring_up_to_date
from pipelines.turn import Candidate, Turn

HELD = {"repeats_itself": -1.5, "repeats_person": -0.8, "tact": 1.0}
"""Weights that are set by hand. A judge saw one reply of a talk and not the one before it; and a hurt is met by words
that a person wrote, which costs nothing on the topics that weigh (best 0.299 after 0.294, bad 0.584 after 0.593)."""

BASE, ADAPTER = "smollm2-135m-instruct", "companion"
READ = tuple(path for path in JUDGED if path.stem not in ("second", "third"))
"""What is learned from: second and third are candidates of adapters that are not the companion's."""

POOL = HERE / "judged" / "fourth.jsonl"
"""What the weights are fitted on: candidates of all sources beside each other, with the scores of judges that have not
seen the topic."""

FOLDS = 5

LAYER = 16
"""Of 30, whose states the judge reads. On folds of judged/fourth.jsonl the tenth and the last told good from bad less
well, the twenty-second as well (2026-11-25)."""

UNITS, PASSES, BATCH = 32, 8, 24

NAMES = ("judged", *BY_HAND)
"""The measures, in the order of their weights."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Judged:
    """A turn with its candidates; labels: "best", "ok", or why it is bad."""

    topic: str
    turn: Turn
    candidates: tuple[Candidate, ...]
    labels: tuple[str, ...]

    @property
    def good(self) -> Floats:
        return np.array([label in ("best", "ok") for label in self.labels], dtype=np.float32)

    @property
    def best(self) -> int | None:
        return self.labels.index("best") if "best" in self.labels else None


def read(path: Path) -> list[Judged]:
    """A file of judged prompts, as models.training.preferences gathers it."""
    found = []
    for line in read_talks([path]):
        candidates = tuple(
            Candidate(text, "transformers" if source == "model" else source, False, bool(finished), scores)
            for text, _, scored, finished, source in line["candidates"]
            for scores in [scored if isinstance(scored, dict) else {"logprob": scored} if source == "model" else {}]
        )
        found.append(Judged(line["topic"], turn_of(line), candidates, tuple(c[1] for c in line["candidates"])))
    return found


def fold_of(topic: str) -> int:
    """A part of the learned topics, the same on every machine, so that no talk is in two of them."""
    return int(hashlib.sha256(topic.encode()).hexdigest(), 16) % FOLDS


# -- the judge


def states_of_all(path: Path, prompts: Sequence[Mapping[str, Any]], work: Path) -> list[Floats]:
    """For each judged prompt of a file (candidates, 2 hidden): what the judge reads. Kept in `work`, since it takes a
    third of a second for each."""
    kept = work / f"{path.stem}.npz"
    if not kept.exists():
        model = load(fetch(BASE), fetch(ADAPTER))
        found = []
        for i, prompt in enumerate(prompts):
            texts = [candidate[0] for candidate in prompt["candidates"]]
            states = judge.states(model, chat(prompt), texts, threading.Event(), LAYER)
            assert states is not None  # nobody stops it
            found.append(states)
            model.forget()
            if i % 100 == 0:
                print(f"{path.name}: {i} of {len(prompts)}", flush=True)
        work.mkdir(parents=True, exist_ok=True)
        np.savez(kept, X=np.concatenate(found).astype(np.float16), n=np.array([len(f) for f in found]))
    read = np.load(kept)
    return np.split(read["X"].astype(np.float32), np.cumsum(read["n"])[:-1])


def train_judge(learn: Sequence[tuple[Judged, Floats]], seeds: int = 3) -> dict[str, Any]:
    """Tensors of a judge: `seeds` networks of one hidden layer, each trained on its own, whose mean is one network.
    Good before bad by a logistic for each reply, the best before the others by a softmax."""
    import torch

    everything = np.concatenate([states for _, states in learn])
    mean, scale = everything.mean(0), 1 / (everything.std(0) + 1e-3)
    rows = [torch.from_numpy((states - mean) * scale) for _, states in learn]
    good, best = [torch.from_numpy(j.good) for j, _ in learn], [j.best for j, _ in learn]
    networks = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        chance = random.Random(seed)
        network = torch.nn.Sequential(
            torch.nn.Dropout(0.3), torch.nn.Linear(len(mean), UNITS), torch.nn.ReLU(), torch.nn.Dropout(0.3),
            torch.nn.Linear(UNITS, 1),
        )  # fmt: skip
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1.0)
        for _ in range(PASSES):
            order = chance.sample(range(len(learn)), len(learn))
            for start in range(0, len(order), BATCH):
                part = order[start : start + BATCH]
                scores = network(torch.cat([rows[i] for i in part]))[:, 0].split([len(rows[i]) for i in part])
                loss = scores[0].new_zeros(())
                for found, i in zip(scores, part, strict=True):
                    loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(found, good[i])
                    if best[i] is not None:
                        loss = loss + 0.3 * torch.nn.functional.cross_entropy(found[None], torch.tensor([best[i]]))
                optimizer.zero_grad()
                (loss / len(part)).backward()
                optimizer.step()
        networks.append(network.eval())
    hidden = [n[1].weight.detach() * torch.from_numpy(scale) for n in networks]
    shifts = [n[1].bias.detach() - h @ torch.from_numpy(mean) for n, h in zip(networks, hidden, strict=True)]
    return {
        "hidden.weight": torch.cat(hidden),
        "hidden.bias": torch.cat(shifts),
        "out.weight": torch.cat([n[4].weight.detach() for n in networks], 1) / seeds,
        "out.bias": torch.stack([n[4].bias.detach() for n in networks]).mean(0),
    }


def judged_by(tensors: Mapping[str, Any], read: Floats) -> Floats:
    """(candidates,) the judge's scores of states (candidates, 2 hidden)."""
    t = {name: np.asarray(tensor) for name, tensor in tensors.items()}
    hidden = np.maximum(read @ t["hidden.weight"].T + t["hidden.bias"], 0)
    found: Floats = (hidden @ t["out.weight"].T + t["out.bias"])[:, 0]
    return found


# -- the weights of the measures


def measures(judged: Sequence[Judged], scores: Sequence[Floats]) -> list[Floats]:
    """For each turn (candidates, measures), in the order of NAMES; scores: the judge's."""
    ranker = Ranker(judge="")
    found = []
    for j, given in zip(judged, scores, strict=True):
        rows = ranker.measures(j.turn, j.candidates)
        each = [{**row, "judged": float(score)} for row, score in zip(rows, given, strict=True)]
        found.append(np.array([[row[name] for name in NAMES] for row in each], dtype=np.float32))
    return found


def fit(found: Sequence[Floats], judged: Sequence[Judged], given: Floats, penalty: float = 0.01) -> Floats:
    """(measures,) weights, with the judge's objective: good before bad, best before all. given: (measures,) weights
    that are not fitted, nan where they are."""
    import torch

    free = np.isnan(given)
    offsets = [torch.from_numpy(f[:, ~free] @ given[~free]) for f in found]
    x = [torch.from_numpy(f[:, free]) for f in found]
    spread = torch.cat(x).std(0).clamp(min=1e-3)
    weight = torch.zeros(x[0].shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200)

    def closure() -> Any:
        optimizer.zero_grad()
        loss: Any = penalty * (weight**2).sum()
        for f, offset, j in zip(x, offsets, judged, strict=True):
            scores = (f / spread) @ weight + offset
            target = torch.from_numpy(j.good)
            part = torch.nn.functional.binary_cross_entropy_with_logits(scores + bias, target)
            if j.best is not None:
                part = part + 0.5 * torch.nn.functional.cross_entropy(scores.unsqueeze(0), torch.tensor([j.best]))
            loss = loss + part / len(x)
        loss.backward()
        return loss

    optimizer.step(closure)
    result = given.copy()
    result[free] = (weight.detach() / spread).numpy()
    return result


def choices(judged: Sequence[Judged], scores: Any) -> dict[str, float]:
    """How often the highest scored candidate is judged best, and bad, beside a candidate picked at random."""
    found = [(j, int(np.argmax(scores(j)))) for j in judged]
    n = max(1, len(found))
    return {
        "prompts": len(found),
        "best": round(sum(j.best == i for j, i in found) / n, 3),
        "bad": round(sum(not j.good[i] for j, i in found) / n, 3),
        "random best": round(sum((j.best is not None) / len(j.labels) for j in judged) / n, 3),
        "random bad": round(sum(1 - float(j.good.mean()) for j in judged) / n, 3),
        "all bad": round(sum(not j.good.any() for j in judged) / n, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where what the judge reads is kept")
    parser.add_argument("--report", type=Path, nargs="*", help="score the judge in --out on held-out topics of files")
    arguments = parser.parse_args()
    if arguments.report is not None:
        print(json.dumps(report(arguments.out, arguments.report or (READ[0], HELD_OUT), arguments.work), indent=1))
        return
    started = time.time()
    learn = [pair for pair in together(READ, arguments.work) if not held_out({"topic": pair[0].topic})]
    pool = [pair for pair in together([POOL], arguments.work) if not held_out({"topic": pair[0].topic})]
    scores: dict[int, Floats] = {}
    for fold in range(FOLDS):
        apart = train_judge([pair for pair in learn if fold_of(pair[0].topic) != fold])
        scores |= {id(j): judged_by(apart, states) for j, states in pool if fold_of(j.topic) == fold}
        print(f"fold {fold + 1} of {FOLDS}", flush=True)
    weighed = [j for j, _ in pool]
    found = measures(weighed, [scores[id(j)] for j in weighed])
    weights = fit(found, weighed, np.array([HELD.get(name, np.nan) for name in NAMES], dtype=np.float32))
    tensors = train_judge(learn)
    about = {
        "states of": judge.states_of(BASE, ADAPTER),
        "layer": LAYER,
        "weights": {name: round(float(w), 4) for name, w in zip(NAMES, weights, strict=True)},
        "learned": len(learn),
        "weighed": len(pool),
        "seconds": int(time.time() - started),
    }
    save(arguments.out, tensors, about)
    print(json.dumps(about["weights"]))
    print(json.dumps({"weighed": choices(weighed, _weighed(weighed, found, weights))}))


def together(paths: Sequence[Path], work: Path) -> list[tuple[Judged, Floats]]:
    """All judged prompts of the files, each with what the judge reads of it."""
    found: list[tuple[Judged, Floats]] = []
    for path in paths:
        found += zip(read(path), states_of_all(path, read_talks([path]), work), strict=True)
    return found


def save(out: Path, tensors: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write judge.safetensors, with all that is said of it in its header, and bring its card up to date."""
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    halves = {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()}
    save_file(halves, out / judge.FILE, metadata={"judge": json.dumps(about)})
    if out.resolve() == WEIGHTS.resolve():
        bring_up_to_date(hub.CARDS / "judge.toml", out / judge.FILE)


def _weighed(judged: Sequence[Judged], found: Sequence[Floats], weights: Any) -> Any:
    totals = {id(j): f @ weights for j, f in zip(judged, found, strict=True)}
    return lambda j: totals[id(j)]


def report(out: Path, paths: Sequence[Path], work: Path) -> dict[str, Any]:
    """For each file: the ranker as it is used, and the one whose weights were set by hand, on held-out topics."""
    from safetensors import safe_open

    with safe_open(out / judge.FILE, framework="pt") as file:
        about = json.loads(file.metadata()["judge"])
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    by_hand = {"judged": 0.0, **BY_HAND}
    found: dict[str, Any] = {}
    for path in paths:
        pairs = [pair for pair in together([path], work) if held_out({"topic": pair[0].topic})]
        held = [j for j, _ in pairs]
        measured = measures(held, [judged_by(tensors, r) for _, r in pairs])
        for name, weights in (("trained", about["weights"]), ("set by hand", by_hand)):
            ranked = _weighed(held, measured, np.array([weights[n] for n in NAMES], dtype=np.float32))
            found.setdefault(path.stem, {})[name] = choices(held, ranked)
    return found


if __name__ == "__main__":
    main()
