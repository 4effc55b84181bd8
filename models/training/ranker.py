"""Trains what ranks the candidates: the judge (models/judge.py), then the weights that join it to the plain measures.

    python -m models.training.ranker --out FOLDER [--talks PUBLIC.jsonl]     train; a finished part is taken as it is
    python -m models.training.ranker --out FOLDER --report                   how often its choice is best, and bad

First the judge learns to tell the reply that followed from replies of other talks, on our own dialogues and (--talks)
on openly licensed ones; then, on judged candidates (preferences.jsonl), to put good before bad and best before all. The
weights of the measures are fitted on learned topics that the judge was not trained on. Held-out topics
(`reply.held_out`) are only reported on.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
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

BASE = "minilm"
FROZEN = 2
"""Lower layers that stay the untouched encoder's: half of the work of learning, and they are not saved again."""

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
    """preferences.jsonl, as models.training.preferences gathers it."""
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


def following(talks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of talk and the companion's reply, with the facts and recalled moments of the talk."""
    found = []
    for talk in talks:
        for i, said in enumerate(talk["turns"]):
            if i and said["who"] == "companion" and talk["turns"][i - 1]["who"] == "person":
                history = [[t["who"], t["text"]] for t in talk["turns"][max(0, i - 4) : i - 1]]
                turn = turn_of({**talk, "history": history, "text": talk["turns"][i - 1]["text"], "emotion": []})
                about = f"{talk['system']} | " if "system" in talk else ""
                found.append((about + judge.talk_of(turn), said["text"]))
    return found


def groups(pairs: Sequence[tuple[str, str]], chance: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Each talk with the reply that followed, first, and WRONG others, in random order of talks."""
    order = list(range(len(pairs)))
    chance.shuffle(order)
    for i in order:
        yield pairs[i][0], [pairs[i][1], *(pairs[chance.randrange(len(pairs))][1] for _ in range(WRONG))]


def train_judge(
    out: Path,
    pairs: Sequence[tuple[str, str]],
    learn: Sequence[Judged],
    check: Sequence[Judged],
    epochs: int,
    seed: int,
) -> None:
    """Writes judge.safetensors to `out`; a checkpoint after each of the two parts, taken up when there is one."""
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(seed)
    chance = random.Random(seed)
    network, tokenizer = judge.network(BASE), judge.tokenizer(BASE)
    network.encoder.embeddings.requires_grad_(False)
    for layer in network.encoder.encoder.layer[:FROZEN]:
        layer.requires_grad_(False)
    followed = out / "followed.safetensors"
    if followed.is_file():
        network.load_state_dict(load_file(followed), strict=False)
    else:
        truth = np.eye(1 + WRONG)[0]
        _learn(network, tokenizer, [(talk, said, truth, 0) for talk, said in groups(pairs, chance)], 2e-4)
        save_file(_trained(network), followed)
    print(json.dumps({"after following": choices(check, _judge_alone(network, tokenizer))}), flush=True)
    for epoch in range(epochs):
        chance.shuffle(learn := list(learn))
        seen = [(judge.talk_of(j.turn), [c.text for c in j.candidates], j.good, j.best) for j in learn]
        _learn(network, tokenizer, seen, 1e-4 * (1 - epoch / epochs), last=1e-4 * (1 - (epoch + 1) / epochs))
        print(json.dumps({"epoch": epoch + 1, **choices(check, _judge_alone(network, tokenizer))}), flush=True)
    save_file(_trained(network), out / "judged.safetensors")


def _trained(network: Any) -> dict[str, Any]:
    import torch

    kept = {name for name, p in network.named_parameters() if p.requires_grad}
    return {k: v.to(torch.float16).contiguous() for k, v in network.state_dict().items() if k in kept}


def _learn(network: Any, tokenizer: Any, plan: Sequence[Any], rate: float, last: float = 0.0, batch: int = 6) -> None:
    """One pass over talks with their replies. Good before bad by a logistic for each, best by a softmax over all."""
    import torch
    from tqdm import tqdm

    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=rate, weight_decay=0.01)
    network.train()
    bar = tqdm(range(0, len(plan), batch), mininterval=20)
    running = None
    for start in bar:
        part = plan[start : start + batch]
        for group in optimizer.param_groups:
            group["lr"] = min(1.0, (start + batch) / (batch * 30)) * (rate + (last - rate) * start / len(plan))
        found = network(*judge.pairs(tokenizer, [(talk, reply) for talk, replies, _, _ in part for reply in replies]))
        loss, at = found.new_zeros(()), 0
        for _, replies, good, best in part:
            scores, at = found[at : at + len(replies)], at + len(replies)
            target = torch.tensor(np.asarray(good), dtype=torch.float32)
            loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(scores, target)
            if best is not None:
                loss = loss + 0.5 * torch.nn.functional.cross_entropy(scores.unsqueeze(0), torch.tensor([best]))
        (loss / len(part)).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = float(loss.detach()) / len(part)
        running = value if running is None else 0.98 * running + 0.02 * value
        bar.set_postfix(loss=f"{running:.3f}")
    network.eval()


def _judge_alone(network: Any, tokenizer: Any) -> Any:
    import torch

    def scores(j: Judged) -> NDArray[np.float32]:
        with torch.inference_mode():
            talk = judge.talk_of(j.turn)
            found: NDArray[np.float32] = network(
                *judge.pairs(tokenizer, [(talk, c.text) for c in j.candidates])
            ).numpy()
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


def fit(found: Sequence[NDArray[np.float32]], judged: Sequence[Judged], penalty: float = 0.01) -> NDArray[np.float32]:
    """(measures,) weights, with the judge's objective: good before bad, best before all."""
    import torch

    x = [torch.from_numpy(f) for f in found]
    spread = torch.cat(x).std(0).clamp(min=1e-3)
    weight = torch.zeros(x[0].shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200)

    def closure() -> Any:
        optimizer.zero_grad()
        loss: Any = penalty * (weight**2).sum()
        for f, j in zip(x, judged, strict=True):
            scores = (f / spread) @ weight
            target = torch.from_numpy(j.good)
            part = torch.nn.functional.binary_cross_entropy_with_logits(scores + bias, target)
            if j.best is not None:
                part = part + 0.5 * torch.nn.functional.cross_entropy(scores.unsqueeze(0), torch.tensor([j.best]))
            loss = loss + part / len(x)
        loss.backward()
        return loss

    optimizer.step(closure)
    result: NDArray[np.float32] = (weight.detach() / spread).numpy()
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
    parser.add_argument("--judged", type=Path, default=JUDGED)
    parser.add_argument("--talks", type=Path, nargs="*", default=[], help="more talks to learn what follows from")
    parser.add_argument("--epochs", type=int, default=3)
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
    pairs = following([*talks, *read_talks(arguments.talks)])
    print(f"{len(pairs)} replies that followed; judged prompts: { {k: len(v) for k, v in parts.items()} }", flush=True)
    if not (out / "judged.safetensors").is_file():
        train_judge(out, pairs, parts["learn"], parts["weigh"], arguments.epochs, arguments.seed)
    finish(out, parts, round((time.time() - started) / 60))


def finish(out: Path, parts: Mapping[str, Sequence[Judged]], minutes: int) -> None:
    """Fit the weights and write judge.safetensors: layers and, in its header, the weights of the measures."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(out / "judged.safetensors")
    about: dict[str, Any] = {"base": BASE, "weights": {}}
    save_file(tensors, out / judge.FILE, metadata={"judge": json.dumps(about)})
    ranker = Ranker(judge=str(out))
    weighed = measures(parts["weigh"], ranker)
    weights = fit(weighed, parts["weigh"])
    about["weights"] = {name: round(float(w), 4) for name, w in zip(ranker.weight_of, weights, strict=True)}
    about["minutes"] = minutes
    save_file(tensors, out / judge.FILE, metadata={"judge": json.dumps(about)})
    print(json.dumps(about["weights"]))
    print(json.dumps({"weigh": choices(parts["weigh"], _weighed(parts["weigh"], weighed, weights))}))


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
