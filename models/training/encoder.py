"""Fine-tune MiniLM once for everything that reads a sentence: intents, emotions, and the vector for recall.

One encoder, three linear heads on the same features, trained on batches of one task at a time. The third head is
held to the sentence embedding of the untouched encoder (cosine distance), so that recall keeps working on a model
that has learned to see intents and emotions. Word embeddings stay as they are and are not saved again.

Resumable: a checkpoint with the optimizer's state every few minutes, and `--start` begins from an earlier result.
What it does not know: what a good epoch count is for new data. It keeps the moving average of the weights, which
forgives a few steps too many, and prints the dev scores as it goes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding import readable
from models.heads import load as load_head
from models.training import tasks as task_data
from models.training.datasets import Example
from models.training.fitting import best_thresholds
from models.training.network import Teacher, network, states, tensors
from models.training.noise import slip
from models.training.scores import macro_f1
from pipelines.errors import UsageError


@dataclass
class Task:
    """Examples of one head. several: labels are not exclusive (binary cross-entropy instead of softmax)."""

    name: str
    labels: list[str]
    train: list[Example]
    dev: list[Example]
    several: bool
    epochs: float

    def targets(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """(n, labels) zeros and ones."""
        index = {label: i for i, label in enumerate(self.labels)}
        found = np.zeros((len(examples), len(self.labels)), dtype=np.float32)
        for row, example in enumerate(examples):
            for label in example.labels:
                found[row, index[label]] = 1
        return found


def train(
    tasks: Sequence[Task],
    out: Path,
    weights: str = "minilm",
    start: Path | None = None,
    heads_from: Path | None = None,
    batch: int = 32,
    learning_rate: float = 1e-4,
    head_rate: float = 1e-3,
    recall_weight: float = 15.0,
    frozen_layers: int = 0,
    seed: int = 7,
    checkpoint_minutes: float = 5,
) -> dict[str, float]:
    """Train, and write encoder.safetensors (layers and heads, float16) and encoder.json (labels, settings) to `out`.

    Goes on from a checkpoint in `out` when there is one. Returns the dev scores at the end.
    """
    import torch
    from tqdm import tqdm

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    rng = random.Random(seed)
    began = time.perf_counter()
    model = network(weights, {t.name: len(t.labels) for t in tasks}, start)
    if heads_from:
        _warm_heads(model, tasks, heads_from)
    teacher = Teacher(weights)
    tokenizer = teacher.tokenizer
    plan = _plan(tasks, tokenizer, batch, rng)
    targets = {t.name: torch.from_numpy(t.targets(t.train)) for t in tasks}
    losses = {t.name: _loss(t, targets[t.name]) for t in tasks}
    optimizer = torch.optim.AdamW(_groups(model, learning_rate, head_rate), weight_decay=0.01, fused=True)
    for layer in model.encoder.encoder.layer[:frozen_layers]:
        layer.requires_grad_(False)
    warm = max(1, int(0.06 * len(plan)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, max(0.0, (len(plan) - s) / max(1, len(plan) - warm)))
    )
    average = {k: v.detach().clone() for k, v in model.named_parameters() if ".embeddings." not in k}
    step = _resume(out, model, optimizer, schedule, average)
    saved, running = time.monotonic(), {t.name: math.nan for t in tasks} | {"recall": math.nan}
    by_name = {t.name: t for t in tasks}
    model.train()
    bar = tqdm(plan[step:], initial=step, total=len(plan), mininterval=20)
    for name, rows in bar:
        task = by_name[name]
        texts = [task.train[i].text for i in rows]
        ids, mask = tensors(tokenizer, [slip(t, rng) if rng.random() < 0.15 else t for t in texts])
        read, vector = model(ids, mask)
        read = model.dropout(read)
        # Every other example without its vector, so that the first token's state learns to do without.
        read[:, read.shape[1] // 2 :] *= (torch.rand(len(read), 1) < 0.5) * 1.0
        logits = model.heads[name](read)
        loss = losses[name](logits, targets[name][rows])
        if step % 3 == 0:  # the teacher's forward pass is a third of the work, so not on every batch
            near = 1 - (vector * teacher(texts)).sum(1).mean()
            loss = loss + recall_weight * near
            running["recall"] = _smooth(running["recall"], near.item())
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        keep = min(0.998, (1 + step) / (10 + step))
        for key, value in model.named_parameters():
            if key in average:
                average[key].lerp_(value.detach(), 1 - keep)
        running[name] = _smooth(running[name], loss.item())
        if step % 100 == 0:
            bar.set_postfix({k: f"{v:.4f}" for k, v in running.items()})
        if time.monotonic() - saved > checkpoint_minutes * 60:
            _checkpoint(out, model, optimizer, schedule, average, step)
            saved = time.monotonic()
            print(json.dumps({"step": step, **{k: round(v, 4) for k, v in running.items()}}), flush=True)
    model.load_state_dict({**model.state_dict(), **average})
    scores = dev_scores(model, tokenizer, tasks)
    settings = {
        "start": start.name if start else weights,
        "epochs": {t.name: t.epochs for t in tasks},
        "steps": len(plan),
        "batch": batch,
        "learning_rate": learning_rate,
        "head_rate": head_rate,
        "recall_weight": recall_weight,
        "frozen_layers": frozen_layers,
        "seed": seed,
        "minutes": round((time.perf_counter() - began) / 60, 1),
        "dev": scores,
    }
    save(model, tasks, out, settings)
    (out / "checkpoint.safetensors").unlink(missing_ok=True)
    return scores


def _smooth(old: float, new: float) -> float:
    return new if math.isnan(old) else 0.98 * old + 0.02 * new


def dev_scores(model: Any, tokenizer: Any, tasks: Sequence[Task]) -> dict[str, float]:
    """Accuracy, or macro-F1 with a threshold per label, on the dev examples of every task."""
    import torch

    scores = {}
    for task in tasks:
        if not task.dev:
            continue
        found = torch.from_numpy(states(model, tokenizer, [e.text for e in task.dev]))
        with torch.inference_mode():
            logits = model.heads[task.name](model.read(found)[0]).numpy()
        target = task.targets(task.dev)
        if task.several:
            probabilities = 1 / (1 + np.exp(-logits))
            scores[task.name] = macro_f1(target, probabilities >= best_thresholds(target, probabilities))
        else:
            scores[task.name] = float((logits.argmax(1) == target.argmax(1)).mean())
    print(json.dumps({"dev": scores}), flush=True)
    return scores


def save(model: Any, tasks: Sequence[Task], out: Path, settings: dict[str, Any]) -> None:
    """Layers, recall projection and heads in float16; labels and settings beside them."""
    import torch
    from safetensors.torch import save_file

    state = {k: v.to(torch.float16).contiguous() for k, v in model.state_dict().items() if ".embeddings." not in k}
    save_file(state, out / "encoder.safetensors")
    about = {"labels": {t.name: t.labels for t in tasks}, **settings}
    (out / "encoder.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def _plan(tasks: Sequence[Task], tokenizer: Any, batch: int, rng: random.Random) -> list[tuple[str, list[int]]]:
    """All batches of the run, shuffled over tasks; each of one task and of texts of about the same length."""
    plan = []
    for task in tasks:
        tokens = tokenizer.encode_batch([readable(e.text) for e in task.train])
        lengths = [sum(t.attention_mask) for t in tokens]
        batches = list(_epochs(lengths, task.epochs, batch, rng))
        plan += [(task.name, rows, i / len(batches)) for i, rows in enumerate(batches)]
    # By progress through each task's own epochs, so that no task's first epoch comes after another's last.
    return [(name, rows) for name, rows, _ in sorted(plan, key=lambda p: p[2] + rng.uniform(0, 0.01))]


def _epochs(lengths: Sequence[int], epochs: float, batch: int, rng: random.Random) -> Iterator[list[int]]:
    left = epochs
    while left > 0:
        rows = list(range(len(lengths)))
        rng.shuffle(rows)
        rows = rows[: int(len(rows) * min(1.0, left))]
        found = []
        for begin in range(0, len(rows), batch * 50):
            pool = sorted(rows[begin : begin + batch * 50], key=lambda i: lengths[i])
            found += [pool[i : i + batch] for i in range(0, len(pool), batch)]
        rng.shuffle(found)
        yield from found
        left -= 1


def _loss(task: Task, targets: Any) -> Any:
    import torch

    if not task.several:
        return lambda logits, target: torch.nn.functional.cross_entropy(logits, target, label_smoothing=0.05)
    # Rare emotions (77 of 43,410 for grief) would never be learned at full imbalance: the square root is a compromise.
    count = targets.sum(0)
    weight = ((len(targets) - count) / count.clamp(min=1)).sqrt().clamp(1, 8)
    return lambda logits, target: (
        torch.nn.functional.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="sum")
        / (4 * len(target))
    )  # a quarter, to weigh about as much as one softmax


def _groups(model: Any, rate: float, head_rate: float) -> list[dict[str, Any]]:
    """Lower layers learn more slowly (0.9 a layer), heads faster."""
    layers = list(model.encoder.encoder.layer)
    groups = [
        {"params": list(layer.parameters()), "lr": rate * 0.9 ** (len(layers) - 1 - i)}
        for i, layer in enumerate(layers)
    ]
    return [*groups, {"params": [*model.heads.parameters(), *model.recall.parameters()], "lr": head_rate}]


def _warm_heads(model: Any, tasks: Sequence[Task], folder: Path) -> None:
    """Heads that were fitted on the untouched encoder's vector are the beginning; the first token adds nothing yet."""
    import torch

    for task in tasks:
        if not (folder / f"{task.name}.safetensors").is_file():
            continue
        head = load_head(folder / f"{task.name}.safetensors")
        if head.labels != task.labels:
            raise UsageError(f"{folder}/{task.name}.safetensors has other labels than the data")
        layer = model.heads[task.name]
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[:, -head.weight.shape[1] :] = torch.from_numpy(head.weight)
            layer.bias.copy_(torch.from_numpy(head.bias))


def _checkpoint(out: Path, model: Any, optimizer: Any, schedule: Any, average: Any, step: int) -> None:
    """The whole state as safetensors, with what is no tensor as JSON in its header: a checkpoint is never unpickled."""
    from safetensors.torch import save_file

    tensors = {f"model.{name}": t.clone().contiguous() for name, t in model.state_dict().items()}
    tensors |= {f"average.{name}": t.clone().contiguous() for name, t in average.items()}
    state = optimizer.state_dict()
    for index, values in state["state"].items():
        tensors |= {f"optimizer.{index}.{key}": t.clone().contiguous() for key, t in values.items()}
    plain = {"step": step, "schedule": schedule.state_dict(), "groups": state["param_groups"]}
    save_file(tensors, out / "checkpoint.part", metadata={"state": json.dumps(plain, default=str)})
    (out / "checkpoint.part").replace(out / "checkpoint.safetensors")


def _resume(out: Path, model: Any, optimizer: Any, schedule: Any, average: Any) -> int:
    from safetensors import safe_open

    path = out / "checkpoint.safetensors"
    if not path.is_file():
        return 0
    moments: dict[int, dict[str, Any]] = {}
    weights: dict[str, Any] = {}
    with safe_open(path, framework="pt") as file:
        plain = json.loads(file.metadata()["state"])
        for name in file.keys():  # noqa: SIM118 (it is no dict)
            part, _, rest = name.partition(".")
            if part == "optimizer":
                index, _, key = rest.partition(".")
                moments.setdefault(int(index), {})[key] = file.get_tensor(name)
            else:
                (weights if part == "model" else average)[rest] = file.get_tensor(name)
    model.load_state_dict(weights)
    optimizer.load_state_dict({"state": moments, "param_groups": plain["groups"]})
    schedule.load_state_dict({k: v for k, v in plain["schedule"].items() if not isinstance(v, str)})
    return int(plain["step"])


def main(argv: Sequence[str] | None = None) -> None:
    """python -m models.training.encoder --data FOLDER --out FOLDER --epochs emotion=3 intent=6"""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the public data sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", nargs="+", required=True, metavar="TASK=N", help="emotion=3 intent=6")
    parser.add_argument("--start", type=Path, help="folder of an earlier result to begin from")
    parser.add_argument("--heads", type=Path, help="folder of heads fitted on the untouched encoder, to begin from")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--recall-weight", type=float, default=15.0)
    parser.add_argument("--frozen-layers", type=int, default=0, help="lowest layers that stay as they are")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)
    found = []
    for item in args.epochs:
        name, _, number = item.partition("=")
        data = task_data.load(name, args.data)
        found.append(Task(name, data.labels, data.splits["train"], data.splits["dev"], data.several, float(number)))
    train(
        found,
        args.out,
        start=args.start,
        heads_from=args.heads,
        batch=args.batch,
        learning_rate=args.learning_rate,
        recall_weight=args.recall_weight,
        frozen_layers=args.frozen_layers,
        seed=args.seed,
    )


if __name__ == "__main__":
    main()
