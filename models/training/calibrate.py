"""From a trained network to the files that a stage reads: the vector's projection, calibrated heads, thresholds.

Everything here is chosen on the training and validation splits. The vector for recall is fitted anew, in closed form
(ridge regression), from the first token's state and the mean to the untouched encoder's sentence embedding: training
only kept the two near each other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import heads
from models.training import fitting, scores, tasks
from models.training.datasets import OUT_OF_SCOPE
from models.training.encoder import Task
from models.training.network import Teacher, network, states

Floats = NDArray[np.floating]

OUT_OF_SCOPE_RECALL = 0.7
"""Asked of the operating point on dev: 0.66 is wanted of new texts, and dev has but a hundred (standard error 0.05).
On dev, asking 0.7 costs no more in-scope accuracy than 0.66 (0.968); 0.75 costs 0.4 points."""


def finish(
    trained: Path,
    data: Path | dict[str, tasks.Data],
    out: Path,
    weights: str = "minilm",
    texts: int = 5000,
    earlier: Path | None = None,
    share: float = 0.5,
) -> dict[str, float]:
    """Write encoder.safetensors and one NAME.safetensors per task to `out`; returns the scores on dev.

    trained: the folder that models.training.encoder wrote; data: the folder of the public sets, or what was read of
    the data by task; texts: how many training texts the projection is fitted on. earlier: the folder of the released
    encoder that the training began from; then layers are the mean of both, `share` of it the new ones, and logits the
    mean of both heads' (Wortsman et al. 2022, "Model soups"): what is learned late is joined with what it displaced.
    """
    import torch
    from safetensors.torch import save_file

    about = json.loads((trained / "encoder.json").read_text(encoding="utf-8"))
    loaded = data if isinstance(data, dict) else {name: tasks.load(name, data) for name in about["labels"]}
    model = network(weights, {name: len(labels) for name, labels in about["labels"].items()}, trained)
    if earlier:
        _blend(model, earlier, share)
    teacher = Teacher(weights)
    pool = [e.text for d in loaded.values() for e in d.splits["train"]]
    random.Random(7).shuffle(pool)
    sample, held_out = pool[:texts], pool[texts : texts + 1000]
    weight, bias = ridge(states(model, teacher.tokenizer, sample), teacher(sample).numpy())
    near = _unit(states(model, teacher.tokenizer, held_out) @ weight.T + bias) * teacher(held_out).numpy()
    result = {"cosine to the untouched encoder": float(near.sum(1).mean())}
    layers = {
        key.removeprefix("encoder."): value.to(torch.float16).contiguous()
        for key, value in model.state_dict().items()
        if key.startswith("encoder.encoder.")
    }
    layers["recall.weight"] = torch.from_numpy(weight).to(torch.float16).contiguous()
    layers["recall.bias"] = torch.from_numpy(bias).to(torch.float16)
    digest = hashlib.sha256(b"".join(layers[key].numpy().tobytes() for key in sorted(layers))).hexdigest()
    name = f"{weights}-tuned-{digest[:8]}"
    out.mkdir(parents=True, exist_ok=True)
    header = {"name": name, "base": weights, "settings": {k: v for k, v in about.items() if k != "labels"}}
    save_file(layers, out / "encoder.safetensors", metadata={"encoder": json.dumps(header)})
    for task, found in loaded.items():
        layer = model.heads[task]
        state = states(model, teacher.tokenizer, [e.text for e in found.splits["dev"]])
        half = state.shape[1] // 2
        features = np.concatenate([state[:, :half], _unit(state @ weight.T + bias)], axis=1)
        target = Task(task, found.labels, [], [], found.several, 0).targets(found.splits["dev"])
        about_head = {"labels": found.labels, "several": found.several, "encoder": name}
        head = heads.Head(layer.weight.detach().numpy(), layer.bias.detach().numpy(), about_head)
        if earlier:
            before = heads.load(earlier / f"{task}.safetensors")
            places = [before.labels.index(label) for label in found.labels]
            scale = 1 / before.about.get("temperature", 1.0)
            head = heads.Head(
                (head.weight + scale * before.weight[places]) / 2,
                (head.bias + scale * before.bias[places]) / 2,
                about_head,
            )
        head, result[task] = calibrate(head, features, target)
        heads.save(head, out / f"{task}.safetensors")
    print(json.dumps(result))
    return result


def _blend(model: Any, earlier: Path, share: float) -> None:
    """The model's layers become `share` of themselves and the rest of the earlier encoder's."""
    import torch
    from safetensors.torch import load_file

    state = model.state_dict()
    for key, value in load_file(earlier / "encoder.safetensors").items():
        if key.startswith("encoder."):
            state[f"encoder.{key}"] = torch.lerp(value.float(), state[f"encoder.{key}"], share)
    model.load_state_dict(state)


def calibrate(head: heads.Head, features: Floats, target: Floats) -> tuple[heads.Head, float]:
    """The head with its temperature and threshold (or, with several labels, scales and thresholds per label) from dev
    features and targets, and its score there: accuracy of the in-scope, or macro-F1."""
    logits = head.logits(features)
    if head.about["several"]:
        scale, shift = fitting.platt(logits, target)
        weight = (head.weight * scale[:, None]).astype(np.float32)
        bias = (head.bias * scale + shift).astype(np.float32)
        sure = 1 / (1 + np.exp(-(logits * scale + shift)))
        limits = fitting.best_thresholds(target, sure)
        about = {**head.about, "thresholds": [round(float(t), 3) for t in limits]}
        return heads.Head(weight, bias, about), scores.macro_f1(target, sure >= limits)
    temperature = fitting.best_temperature(logits, target, several=False)
    sure = np.exp(fitting.log_softmax(logits / temperature))
    about = {**head.about, "temperature": round(temperature, 3), "threshold": 0.0}
    if OUT_OF_SCOPE in head.labels:
        about["threshold"] = operating_point(sure, target, head.labels.index(OUT_OF_SCOPE))
    inside = np.array([head.labels[i] != OUT_OF_SCOPE for i in target.argmax(1)])
    accuracy = float((sure.argmax(1) == target.argmax(1))[inside].mean())
    return heads.Head(head.weight, head.bias, about), accuracy


def operating_point(sure: Floats, target: Floats, out_of_scope: int, recall: float = OUT_OF_SCOPE_RECALL) -> float:
    """The lowest threshold on the likeliest intent's probability at which `recall` of dev's out-of-scope texts are
    refused. In-scope accuracy only falls with the threshold, so of all points with that recall this is the best."""
    outside = target[:, out_of_scope] > 0.5
    best = np.delete(sure, out_of_scope, axis=1).max(1)[outside]
    if not len(best):
        return 0.0
    return min(0.95, float(np.ceil(np.quantile(best, recall, method="higher") * 1000 + 1) / 1000))


def ridge(x: Floats, y: Floats, penalty: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """weight (outputs, inputs) and bias (outputs,) of the linear map from x (n, inputs) to y (n, outputs)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    mean, middle = x.mean(0), y.mean(0)
    centred = x - mean
    weight = np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - middle)).T
    return weight.astype(np.float32), (middle - weight @ mean).astype(np.float32)


def _unit(x: Floats) -> Floats:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def main(argv: Sequence[str] | None = None) -> None:
    """python -m models.training.calibrate --trained FOLDER --data FOLDER --out FOLDER"""
    parser: Any = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trained", type=Path, required=True, help="what models.training.encoder wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the public data sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--earlier", type=Path, help="folder of a released encoder and heads to take the mean with")
    parser.add_argument("--share", type=float, default=0.5, help="of the new layers in that mean")
    args = parser.parse_args(argv)
    finish(args.trained, args.data, args.out, earlier=args.earlier, share=args.share)


if __name__ == "__main__":
    main()
