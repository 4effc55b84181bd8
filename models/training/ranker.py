"""Trains what ranks the candidates: the judge (models/judge.py), then the weights that join it to the plain measures.

    python -m models.training.ranker --out FOLDER [--talks PUBLIC.jsonl]     train: minutes
    python -m models.training.ranker --out FOLDER --report [--judged FILE]   how often its choice is best, and bad

First the judge learns to tell the reply that followed from replies of other talks, on our own dialogues and (--talks)
on openly licensed ones; then, on judged candidates (judged/first.jsonl), to put good before bad, best before all. The
weights of the measures are fitted on learned topics that the judge was not trained on. Held-out topics
(`reply.held_out`) are only reported on.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import judge
from models.reply import Ranker
from models.training.preferences import JUDGED, turn_of
from models.training.reply import DIALOGUES, held_out, read_talks
from pipelines.turn import Candidate, Turn

HELD = {"repeats_itself": -1.5, "repeats_person": -0.8, "tact": 1.0}
"""Weights that are set by hand. A judge saw one reply of a talk and not the one before it; and a hurt is met by words
that a person wrote, which costs nothing on the topics that weigh (best 0.299 after 0.294, bad 0.584 after 0.593)."""

WRONG = 3
"""Replies of other talks beside each reply that really followed."""


@dataclass(frozen=True)
class Judged:
    """A turn with its candidates; labels: "best", "ok", or why it is bad."""

    topic: str
    turn: Turn
    candidates: tuple[Candidate, ...]
    labels: tuple[str, ...]

    @property
    def good(self) -> NDArray[np.float32]:
        return np.array([label in ("best", "ok") for label in self.labels], dtype=np.float32)

    @property
    def best(self) -> int | None:
        return self.labels.index("best") if "best" in self.labels else None


def read(path: Path) -> list[Judged]:
    """A file of judged prompts, as models.training.preferences gathers it."""
    found = []
    for line in read_talks([path]):
        candidates = tuple(
            Candidate(text, "template" if source == "template" else "transformers", False, bool(finished), scores)
            for text, _, logprob, finished, source in line["candidates"]
            for scores in [{} if source == "template" else {"logprob": logprob}]
        )
        found.append(Judged(line["topic"], turn_of(line), candidates, tuple(c[1] for c in line["candidates"])))
    return found


def split(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """learn, weigh (every sixth of the learned topics) and held: by topic, so that no talk is in two of them."""
    parts: dict[str, list[Judged]] = {"learn": [], "weigh": [], "held": []}
    topics = sorted({j.topic for j in judged if not held_out({"topic": j.topic})})
    random.Random(5).shuffle(topics)
    weighed = set(topics[::6])
    for j in judged:
        parts["held" if held_out({"topic": j.topic}) else "weigh" if j.topic in weighed else "learn"].append(j)
    return parts


# -- the judge


def following(talks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """(the companion's words before, the person's message, the companion's reply) of every exchange."""
    found = []
    for talk in talks:
        said = [("", ""), *((t["who"], t["text"]) for t in talk["turns"])]
        for (before, last), (who, message), (then, reply) in zip(said, said[1:], said[2:], strict=False):
            if who == "person" and then == "companion":
                found.append((last if before == "companion" else "", message, reply))
    return found


def encode(texts: Sequence[str], ranker: Ranker) -> dict[str, NDArray[np.float32]]:
    """Features of every text, each read once; of the empty text zeros, as the ranker has it for no last words."""
    assert ranker.encoder is not None
    unique = sorted(set(texts) - {""})
    features = ranker.encoder.features(unique)
    return {"": np.zeros(features.shape[1], dtype=np.float32), **dict(zip(unique, features, strict=True))}


def last_words(turn: Turn) -> str:
    return next((u.text for u in reversed(turn.history) if u.role == "companion"), "")


def train_judge(
    exchanges: Sequence[tuple[str, str, str]],
    learn: Sequence[Judged],
    check: Sequence[Judged],
    ranker: Ranker,
    seed: int,
    hidden: int = 64,
    first: int = 4,
    then: int = 30,
) -> dict[str, Any]:
    """Tensors of a judge: `first` passes over exchanges with replies of other talks, then up to `then` over what was
    judged; of these the pass whose choices on `check` are best (best minus bad) is kept."""
    import torch

    torch.manual_seed(seed)
    chance = random.Random(seed)
    parts = [*learn, *check]
    known = encode(
        [*(text for exchange in exchanges for text in exchange), *(j.turn.text for j in parts)]
        + [last_words(j.turn) for j in parts]
        + [c.text for j in parts for c in j.candidates],
        ranker,
    )
    width = len(known[""])
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.2), torch.nn.Linear(4 * width, hidden), torch.nn.ReLU(), torch.nn.Dropout(0.2),
        torch.nn.Linear(hidden, 1),
    )  # fmt: skip

    def rows(message: str, last: str, replies: Sequence[str]) -> Any:
        found = judge.inputs(known[message], known[last], np.stack([known[r] for r in replies]))
        return torch.from_numpy(found)

    def read(j: Judged) -> Any:
        return rows(j.turn.text, last_words(j.turn), [c.text for c in j.candidates])

    truth = np.eye(1 + WRONG, dtype=np.float32)[0]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.02)
    for _ in range(first):
        order = chance.sample(range(len(exchanges)), len(exchanges))
        plan = []
        for i in order:
            last, message, reply = exchanges[i]
            others = [exchanges[chance.randrange(len(exchanges))][2] for _ in range(WRONG)]
            plan.append((lambda m=message, s=last, r=(reply, *others): rows(m, s, r), truth, 0))
        loss = _pass(network, optimizer, plan)
    print(json.dumps({"after following": choices(check, _alone(network, read)), "loss": round(loss, 3)}), flush=True)
    for group in optimizer.param_groups:
        group["lr"] = 5e-4
    judged = [(lambda j=j: read(j), j.good, j.best) for j in learn]
    kept, best = None, -9.0
    for number in range(then):
        chance.shuffle(judged)
        loss = _pass(network, optimizer, judged)
        found = choices(check, _alone(network, read))
        if found["best"] - found["bad"] > best:
            best, kept = found["best"] - found["bad"], {k: v.clone() for k, v in network.state_dict().items()}
            print(json.dumps({"pass": number + 1, "loss": round(loss, 3), **found}), flush=True)
    assert kept is not None
    names = {"1.weight": "hidden.weight", "1.bias": "hidden.bias", "4.weight": "out.weight", "4.bias": "out.bias"}
    return {names[key]: value.to(torch.float16).contiguous() for key, value in kept.items()}


def _pass(network: Any, optimizer: Any, plan: Sequence[tuple[Any, Any, int | None]], batch: int = 32) -> float:
    """Once over talks with their replies; the mean loss. Good before bad by a logistic for each reply, the best before
    all by a softmax."""
    import torch

    network.train()
    total = 0.0
    for start in range(0, len(plan), batch):
        part = plan[start : start + batch]
        read = [rows() for rows, _, _ in part]
        scores = network(torch.cat(read))[:, 0].split([len(r) for r in read])
        loss = scores[0].new_zeros(())
        for found, (_, good, best) in zip(scores, part, strict=True):
            loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(found, torch.from_numpy(good))
            if best is not None:
                loss = loss + 0.5 * torch.nn.functional.cross_entropy(found.unsqueeze(0), torch.tensor([best]))
        (loss / len(part)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        total += float(loss.detach())
    network.eval()
    return total / max(1, len(plan))


def _alone(network: Any, read: Any) -> Any:
    import torch

    def scores(j: Judged) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = network(read(j))[:, 0].numpy()
            return found

    return scores


# -- the weights of the measures


def measures(judged: Sequence[Judged], ranker: Ranker) -> list[NDArray[np.float32]]:
    """For each turn (candidates, measures), in the order of the ranker's `weight_of`."""
    return [
        np.array(
            [[m[name] for name in ranker.weight_of] for m in ranker.measures(j.turn, j.candidates)], dtype=np.float32
        )
        for j in judged
    ]


def fit(
    found: Sequence[NDArray[np.float32]], judged: Sequence[Judged], given: NDArray[np.float32], penalty: float = 0.01
) -> NDArray[np.float32]:
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
    parser.add_argument("--judged", type=Path, default=JUDGED[0])
    parser.add_argument("--talks", type=Path, nargs="*", default=[], help="more talks to learn what follows from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    parts = split(read(arguments.judged))
    out: Path = arguments.out
    if arguments.report:
        report(out, parts["held"])
        return
    out.mkdir(parents=True, exist_ok=True)
    started = time.time()
    talks = [t for t in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) if not held_out(t)]
    exchanges = following([*talks, *read_talks(arguments.talks)])
    counts = {name: len(part) for name, part in parts.items()}
    print(f"{len(exchanges)} replies that followed; judged prompts: {counts}", flush=True)
    tensors = train_judge(exchanges, parts["learn"], parts["weigh"], Ranker(), arguments.seed)
    finish(
        out,
        tensors,
        parts["weigh"],
        {"judged": counts, "followed": len(exchanges), "seconds": int(time.time() - started)},
    )


def finish(out: Path, tensors: dict[str, Any], weigh: Sequence[Judged], about: dict[str, Any]) -> None:
    """Fit the weights of the measures and write judge.safetensors, with them in its header."""
    from safetensors.torch import save_file

    encoder = Ranker().encoder
    assert encoder is not None
    header: dict[str, Any] = {"encoder": encoder.name, "weights": {}, **about}
    save_file(tensors, out / judge.FILE, metadata={"judge": json.dumps(header)})
    ranker = Ranker(judge=str(out))
    weighed = measures(weigh, ranker)
    given = np.array([HELD.get(name, np.nan) for name in ranker.weight_of], dtype=np.float32)
    weights = fit(weighed, weigh, given)
    header["weights"] = {name: round(float(w), 4) for name, w in zip(ranker.weight_of, weights, strict=True)}
    save_file(tensors, out / judge.FILE, metadata={"judge": json.dumps(header)})
    print(json.dumps(header["weights"]))
    print(json.dumps({"weigh": choices(weigh, _weighed(weigh, weighed, weights))}))


def _weighed(judged: Sequence[Judged], found: Sequence[NDArray[np.float32]], weights: Any) -> Any:
    totals = {id(j): f @ weights for j, f in zip(judged, found, strict=True)}
    return lambda j: totals[id(j)]


def report(out: Path, held: Sequence[Judged]) -> None:
    """The ranker as it is used, and the one whose weights were set by hand, on the held-out topics."""
    rows = {}
    for name, ranker in (("trained", Ranker(judge=str(out))), ("set by hand", Ranker(judge=""))):
        weights = np.array(list(ranker.weight_of.values()))
        rows[name] = choices(held, _weighed(held, measures(held, ranker), weights))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
