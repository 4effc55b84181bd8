"""Train an intent or emotion stage on a person's own data: a head on the encoder's features, or the encoder as well.

With an encoder that stays as it is, the head is fitted in minutes and the other stages keep working. With epochs for
the encoder its six layers learn too, which scores higher; heads of other stages then do not fit it any more. Either
way the folder that comes out is named in a config, and a card in it says what it is made of. The test split is scored
once, at the end, and nothing is chosen on it.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from models import heads
from models.embedding import MiniLM
from models.training import calibrate, cards, fitting, scores, tasks
from models.training.datasets import OUT_OF_SCOPE, Example
from models.training.encoder import Task
from models.training.encoder import train as train_encoder
from pipelines.errors import UsageError


def train(
    name: str,
    paths: Sequence[Path],
    out: Path,
    encoder: str = "minilm-chat",
    epochs: float = 0,
    learning_rate: float = 2e-4,
    seed: int = 7,
    licence: str = "",
    command: str = "",
) -> dict[str, float]:
    """Write NAME.safetensors and NAME.toml, its card, to `out`, and encoder.safetensors when the encoder is trained.

    name: "intent" or "emotion"; encoder: the card or folder whose features the head reads ("": the untouched MiniLM),
    when epochs is 0; epochs: for which the encoder itself is trained, beginning from the untouched MiniLM.
    Taken up again from the checkpoint in `out` when it was broken off. Returns the scores of dev and test.
    """
    began = time.perf_counter()
    data = tasks.together(name, paths)
    counts = {split: len(examples) for split, examples in data.splits.items()}
    if not data.splits.get("train") or not data.splits.get("dev"):
        raise UsageError(f"{name} needs examples to train on and to choose on (dev), but there are {counts}")
    print(f"{len(data.labels)} labels, {counts}, {data.splits.leaked} dropped because a later split holds them")
    out.mkdir(parents=True, exist_ok=True)
    result: dict[str, float] = {}
    minutes = 0.0
    if epochs:
        run = out / "run"
        if done := (run / "encoder.json").is_file():
            print(f"{run} holds a finished training of the encoder: it is taken from there")
        if not done:
            task = Task(name, data.labels, data.splits["train"], data.splits["dev"], data.several, epochs)
            train_encoder([task], run, learning_rate=learning_rate, recall_weight=5.0, seed=seed, checkpoint_minutes=2)
        written = json.loads((run / "encoder.json").read_text(encoding="utf-8"))
        if written["labels"] != {name: data.labels} or written["epochs"] != {name: epochs} or written["seed"] != seed:
            raise UsageError(f"{run} holds a training on other data or with other settings: choose another --out")
        minutes = written["minutes"] if done else 0.0
        result["dev"] = calibrate.finish(run, {name: data}, out)[name]
        reader = MiniLM(tuned=str(out))
    else:
        reader = MiniLM(tuned=encoder)
        head = fit(name, data, reader, seed)
        head, result["dev"] = calibrate.calibrate(
            head, features(reader, data.splits["dev"]), _targets(name, data, "dev")
        )
        heads.save(head, out / f"{name}.safetensors")
    if data.splits.get("test"):
        head = heads.load(out / f"{name}.safetensors")
        result |= score(head, features(reader, data.splits["test"]), _targets(name, data, "test"))
    about = {
        "labels": len(data.labels),
        "leaked": data.splits.leaked,
        "encoder": "trained along" if epochs else encoder or "minilm, untouched",
        **({"epochs": epochs, "learning_rate": learning_rate} if epochs else {"epochs": 60, "learning_rate": 0.02}),
        "seed": seed,
        "minutes": round(minutes + (time.perf_counter() - began) / 60, 1),
        "machine": f"{platform.machine()}, {_threads()} thread(s)",
        "date": date.today().isoformat(),
    }
    _card(out, name, paths, counts, licence, command, about, result)
    return result


def fit(name: str, data: tasks.Data, reader: MiniLM, seed: int = 7) -> heads.Head:
    """A head, not yet calibrated, on the features of an encoder that stays as it is."""
    weight, bias = fitting.fit(
        features(reader, data.splits["train"]), _targets(name, data, "train"), data.several, seed=seed
    )
    about = {"labels": data.labels, "several": data.several, "encoder": reader.name}
    return heads.Head(weight.astype(np.float32), bias.astype(np.float32), about)


def features(reader: MiniLM, examples: Sequence[Example]) -> Any:
    """(n, features) of the examples' texts, with a progress bar."""
    from tqdm import tqdm

    texts = [e.text for e in examples]
    parts = tqdm(range(0, len(texts), 1024), desc="reading", disable=len(texts) < 4096)
    return np.concatenate([reader.features(texts[i : i + 1024]) for i in parts])


def score(head: heads.Head, found: Any, target: Any) -> dict[str, float]:
    """Scores on test features and targets, by name."""
    logits = head.logits(found)
    if head.about["several"]:
        said = 1 / (1 + np.exp(-logits)) >= np.array(head.about["thresholds"])
        return {"test_macro_f1": scores.macro_f1(target, said)}
    truth = target.argmax(1)
    if OUT_OF_SCOPE not in head.labels:
        return {"test_accuracy": float((logits.argmax(1) == truth).mean())}
    outside = head.labels.index(OUT_OF_SCOPE)
    sure = np.exp(fitting.log_softmax(logits))
    sure[:, outside] = 0
    said = np.where(sure.max(1) >= head.about["threshold"], sure.argmax(1), outside)
    right, inside = said == truth, truth != outside
    return {
        "test_in_scope_accuracy": float(right[inside].mean()),
        "test_out_of_scope_recall": float(right[~inside].mean()),
        "test_in_scope_accuracy_without_threshold": float((sure.argmax(1) == truth)[inside].mean()),
    }


def _targets(name: str, data: tasks.Data, split: str) -> Any:
    return Task(name, data.labels, [], [], data.several, 0).targets(data.splits[split])


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())


def _card(
    out: Path,
    name: str,
    paths: Sequence[Path],
    counts: dict[str, int],
    licence: str,
    command: str,
    run: dict[str, Any],
    result: dict[str, float],
) -> None:
    sets = ", ".join(p.name for p in paths)
    sizes = ", ".join(f"{n:,} {split}" for split, n in counts.items())
    about = {
        "title": f"{name} head: {sets}",
        "task": f"{run['labels']} labels",
        "licence": "of the data: " + (licence or cards.licences(paths)),
        "training_data": f"{sets}: {sizes}, {run['leaked']} leaked left out",
        "used_by": [f"{name}.encoder"],
        "command": command,
    }
    cards.write(out / f"{name}.toml", about, run, result, sorted(out.glob("*.safetensors")))
