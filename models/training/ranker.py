"""Fits the weights that join the measures of the ranker (models/reply.py) to its judge, on judged candidates.

    python -m models.training.ranker --out FOLDER            into the header of FOLDER/judge.safetensors: a minute
    python -m models.training.ranker --out FOLDER --report --judged FILE   how often its choice is best, and bad

The judge itself is trained by models/training/judge.py. The weights are fitted on prompts that it was not trained on,
with candidates of the latest adapter. Held-out topics (`reply.held_out`) are only reported on.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import judge
from models.reply import WEIGHTS, Ranker
from models.training.preferences import UNSEEN, turn_of
from models.training.reply import held_out, read_talks
from pipelines.turn import Candidate, Turn

HELD = {"repeats_itself": -1.5, "repeats_person": -0.8, "tone": WEIGHTS["tone"]}
"""Weights that are set by hand: a judged prompt seldom shows a reply that repeats an earlier one, or the person; and
what sounds glad of a hurt is to lose whatever else is in it."""


@dataclass(frozen=True)
class Judged:
    """A turn with its candidates; labels: "best", "ok", or why it is bad; better: what the judge would have sent."""

    topic: str
    turn: Turn
    candidates: tuple[Candidate, ...]
    labels: tuple[str, ...]
    better: str = ""

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
        labels = tuple(c[1] for c in line["candidates"])
        found.append(Judged(line["topic"], turn_of(line), candidates, labels, line.get("better", "")))
    return found


def split(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """learn, check (every sixth of the learned topics) and held: by topic, so that no talk is in two of them."""
    parts: dict[str, list[Judged]] = {"learn": [], "check": [], "held": []}
    topics = sorted({j.topic for j in judged if not held_out({"topic": j.topic})})
    random.Random(5).shuffle(topics)
    checked = set(topics[::6])
    for j in judged:
        parts["held" if held_out({"topic": j.topic}) else "check" if j.topic in checked else "learn"].append(j)
    return parts


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
    parser.add_argument("--judged", type=Path, default=UNSEEN, help="prompts that the judge was not trained on")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    parts = split(read(arguments.judged))
    if arguments.report:
        report(arguments.out, parts["held"])
    else:
        weigh(arguments.out, [*parts["learn"], *parts["check"]])


def weigh(out: Path, judged: Sequence[Judged]) -> None:
    """Fit the weights of the measures, and write them into the header of the judge in `out`."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    ranker = Ranker(judge=str(out))
    found = measures(judged, ranker)
    given = np.array([HELD.get(name, np.nan) for name in ranker.weight_of], dtype=np.float32)
    weights = fit(found, judged, given)
    with safe_open(out / judge.FILE, framework="pt") as file:
        header = json.loads(file.metadata()["judge"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header["weights"] = {name: round(float(w), 4) for name, w in zip(ranker.weight_of, weights, strict=True)}
    save_file(tensors, out / judge.FILE, metadata={"judge": json.dumps(header)})
    print(json.dumps(header["weights"]))
    print(json.dumps({"weigh": choices(judged, _weighed(judged, found, weights))}))


def _weighed(judged: Sequence[Judged], found: Sequence[NDArray[np.float32]], weights: Any) -> Any:
    totals = {id(j): f @ weights for j, f in zip(judged, found, strict=True)}
    return lambda j: totals[id(j)]


def report(out: Path, held: Sequence[Judged]) -> None:
    """The ranker as it is used, the judge alone, and the ranker whose weights were set by hand, on held-out topics."""
    rows = {}
    for name, ranker in (("trained", Ranker(judge=str(out))), ("set by hand", Ranker(judge=""))):
        weights = np.array(list(ranker.weight_of.values()))
        found = measures(held, ranker)
        rows[name] = choices(held, _weighed(held, found, weights))
        if ranker.judge:
            alone = np.array([float(measure == "judged") for measure in ranker.weight_of])
            rows["judge alone"] = choices(held, _weighed(held, found, alone))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
