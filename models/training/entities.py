"""Train the tagger of `models.tagger` on sentences whose words are tagged: `chatbot train entities`.

The upper layers of MiniLM and a linear layer learn to tag words; the word embeddings and the lower layers stay as they
are, so what they make of a sentence is computed once. Sets with different labels train one model: a word's loss is
minus the log of all the probability that its tag allows (`models.training.entity_data.MEANS`). Silver sets are read
first and once, the others for `epochs`, each time with a third of the sentences in which nothing is named; one sentence
in ten has slips of the finger. The moving average of the weights is kept. `outside`, how much O must win by, is chosen
on the dev splits; the test splits are scored once, at the end. Broken off, it goes on from the checkpoint in `out`.
"""

from __future__ import annotations

import json
import platform
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from models.hub import fetch
from models.tagger import FILE, Tagger, tags_of, words
from models.training import cards, datasets, entity_data
from models.training.encoder import _checkpoint, _epochs, _groups, _resume
from models.training.entity_data import Sentence, Set
from models.training.noise import slip
from pipelines.errors import UsageError

MAX_TOKENS = 64
"""Longer sentences are cut in training; none of WNUT17 is."""
BASE = "minilm"


@dataclass
class Row:
    """A sentence with what its tags allow: for each word (tags,), a one for each of the model's tags that may be.
    named: whether it has a span; silver: whether a model tagged it."""

    words: list[str]
    allowed: list[Any]
    named: bool
    silver: bool


def train(
    paths: Sequence[Path],
    out: Path,
    epochs: float = 4,
    learning_rate: float = 2e-4,
    frozen_layers: int = 4,
    batch: int = 8,
    seed: int = 7,
    licence: str = "",
    command: str = "",
    checkpoint_minutes: float = 2,
) -> dict[str, float]:
    """Write entities.safetensors and entities.toml, its card, to `out`. Returns the scores of dev and test.

    epochs: over all sets but the silver ones; frozen_layers: lowest layers that stay as they are. Raises UsageError
    when there is nothing to train on, or when `out` holds a broken-off training of something else.
    """
    began = time.perf_counter()
    sets = [entity_data.read(path) for path in paths]
    leaked = without_leaks(sets)
    counts = {s.name: {split: len(part) for split, part in s.splits.items()} for s in sets}
    if not any(s.splits.get("train") for s in sets):
        raise UsageError(f"entities need tagged sentences to train on, but there are {counts}")
    labels = sorted({label for s in sets for means in s.kinds.values() for label in means} - {"O"})
    print(f"{', '.join(labels)}; {counts}, {leaked} dropped because a later split holds them")
    out.mkdir(parents=True, exist_ok=True)
    model = network(len(tags_of(labels)), frozen_layers)
    settings = {"labels": labels, "epochs": epochs, "learning_rate": learning_rate, "frozen_layers": frozen_layers}
    settings |= {"batch": batch, "seed": seed, "counts": counts}
    _same(out, settings)
    steps = fit(model, rows(sets, labels), out, epochs, learning_rate, batch, seed, checkpoint_minutes)
    save(model, labels, frozen_layers, out, 0.0)
    result: dict[str, float] = {}
    if any(s.splits.get("dev") for s in sets):
        outside = best_outside(Tagger(out), sets)
        save(model, labels, frozen_layers, out, outside)
    for split in ("dev", "test"):
        for one in sets:
            if one.splits.get(split):
                result[f"{one.name}_{split}_span_f1"] = span_f1(Tagger(out), one, split)
    (out / "checkpoint.safetensors").unlink(missing_ok=True)
    (out / "settings.json").unlink(missing_ok=True)
    run = {k: v for k, v in settings.items() if k != "counts"} | {
        "steps": steps,
        "leaked": leaked,
        "minutes": round((time.perf_counter() - began) / 60, 1),
        "machine": f"{platform.machine()}, {_threads()} thread(s)",
        "date": date.today().isoformat(),
    }
    about = {
        "title": "tagger of words: " + ", ".join(counts),
        "task": "spans of " + ", ".join(labels),
        "licence": "of the data: " + (licence or cards.licences(paths)),
        "training_data": "; ".join(
            f"{name}: {', '.join(f'{n:,} {split}' for split, n in found.items())}" for name, found in counts.items()
        ),
        "used_by": ["entities.encoder"],
        "command": command,
    }
    cards.write(out / "entities.toml", about, run, result, [out / FILE])
    return result


def network(tags: int, frozen_layers: int) -> Any:
    """The encoder with a linear layer on every token's state, as one torch module, in two halves."""
    import torch

    from models.embedding import plain

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = plain(fetch(BASE))
            self.dropout = torch.nn.Dropout(0.1)
            self.heads = torch.nn.Linear(self.encoder.config.hidden_size, tags)
            self.recall = torch.nn.Identity()

        def lower(self, ids: Any, mask: Any) -> Any:
            """(n, tokens, width): what the layers that stay as they are make of the tokens."""
            states = self.encoder.embeddings(input_ids=ids)
            for layer in self.encoder.encoder.layer[:frozen_layers]:
                states = layer(states, mask[:, None, None].bool())
            return states

        def forward(self, states: Any, mask: Any) -> Any:
            for layer in self.encoder.encoder.layer[frozen_layers:]:
                states = layer(states, mask[:, None, None].bool())
            return self.heads(self.dropout(states))

    model = Network()
    model.encoder.embeddings.requires_grad_(False)
    for layer in model.encoder.encoder.layer[:frozen_layers]:
        layer.requires_grad_(False)
    return model


def rows(sets: Sequence[Set], labels: Sequence[str]) -> list[Row]:
    """The training sentences of all sets, with what each tag allows."""
    index = {tag: i for i, tag in enumerate(tags_of(labels))}
    found = []
    for one in sets:
        masks: dict[str, Any] = {}
        for tag in ["O", *(f"{place}-{kind}" for kind in one.kinds for place in "BI")]:
            mask = np.zeros(len(index), dtype=np.float32)
            names = ["O", *(f"{p}-{label}" for label in one.silent for p in "BI")] if tag == "O" else []
            names += [m if m == "O" else tag[:2] + m for m in one.kinds.get(tag[2:], ())]
            mask[[index[name] for name in names if name in index]] = 1
            masks[tag] = mask
        found += [
            Row(s, [masks[t] for t in tags], set(tags) != {"O"}, one.silver) for s, tags in one.splits.get("train", ())
        ]
    return found


def fit(
    model: Any,
    data: Sequence[Row],
    out: Path,
    epochs: float,
    learning_rate: float,
    batch: int,
    seed: int,
    checkpoint_minutes: float,
) -> int:
    """Train in place, from the checkpoint in `out` if there is one; the number of steps."""
    import torch
    from tqdm import tqdm

    torch.manual_seed(seed)
    rng = random.Random(seed)
    examples = read_once(model, data, rng)
    plan = [part for silver in (True, False) for part in _plan(data, silver, 1 if silver else epochs, batch, rng)]
    optimizer = torch.optim.AdamW(_groups(model, learning_rate, 1e-3), weight_decay=0.01, fused=True)
    warm = max(1, int(0.06 * len(plan)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, max(0.0, (len(plan) - s) / max(1, len(plan) - warm)))
    )
    average = {k: v.detach().clone() for k, v in model.named_parameters() if v.requires_grad}
    step = _resume(out, model, optimizer, schedule, average)
    saved, running = time.monotonic(), 1.0
    model.train()
    bar = tqdm(plan[step:], initial=step, total=len(plan), mininterval=20)
    for part in bar:
        states, mask, targets = together([examples[i] for i in part])
        logits = model(states, mask)
        known = targets.sum(-1) > 0
        likely = torch.log_softmax(logits, -1)
        # What is not allowed counts as nothing; the sum of the rest is what the tag asks for.
        loss = -torch.logsumexp(likely + (targets - 1) * 1e4, -1)[known].mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        keep = min(0.995, (1 + step) / (10 + step))
        with torch.no_grad():
            for key, value in model.named_parameters():
                if key in average:
                    average[key].lerp_(value, 1 - keep)
        running = 0.98 * running + 0.02 * loss.item()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{running:.4f}")
        if time.monotonic() - saved > checkpoint_minutes * 60:
            _checkpoint(out, model, optimizer, schedule, average, step)
            saved = time.monotonic()
    model.load_state_dict({**model.state_dict(), **average})
    model.eval()
    return step


def _plan(data: Sequence[Row], silver: bool, epochs: float, batch: int, rng: random.Random) -> list[list[int]]:
    chosen = [i for i, row in enumerate(data) if row.silver == silver]
    named = [i for i in chosen if data[i].named]
    empty = [i for i in chosen if not data[i].named]
    plan: list[list[int]] = []
    for left in np.arange(epochs, 0, -1):
        rows = named + rng.sample(empty, len(empty) // 3)
        lengths = [sum(map(len, data[i].words)) for i in rows]
        plan += [[rows[j] for j in part] for part in _epochs(lengths, min(1.0, float(left)), batch, rng)]
    return plan


def read_once(model: Any, data: Sequence[Row], rng: random.Random) -> list[tuple[Any, Any]]:
    """Of every sentence the lower layers' states (tokens, width), float16, and what is allowed at each token
    (tokens, tags): nothing but at the first token of a word."""
    import torch
    from tokenizers import Tokenizer
    from tqdm import tqdm

    model.eval()
    tokenizer = Tokenizer.from_file(str(fetch(BASE) / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    order = sorted(range(len(data)), key=lambda i: sum(map(len, data[i].words)))
    found: list[tuple[Any, Any]] = [()] * len(data)  # type: ignore[list-item]
    for begin in tqdm(range(0, len(order), 8), desc="reading", mininterval=20):
        part = order[begin : begin + 8]
        noisy = [
            [slip(w, rng) if rng.random() < 0.15 else w for w in data[i].words] if rng.random() < 0.1 else data[i].words
            for i in part
        ]
        encoded = tokenizer.encode_batch([" ".join(some) for some in noisy])
        mask = torch.tensor([e.attention_mask for e in encoded])
        with torch.inference_mode():
            states = model.lower(torch.tensor([e.ids for e in encoded]), mask).half()
        for i, text, encoding, state in zip(part, noisy, encoded, states, strict=True):
            at = np.cumsum([0, *(len(word) + 1 for word in text)]).tolist()
            begins = {a: n for n, a in enumerate(at[:-1])}
            length = sum(encoding.attention_mask)
            targets = np.zeros((length, len(data[i].allowed[0])), dtype=np.float32)
            for first, start, _ in words(encoding):
                if start in begins:
                    targets[first] = data[i].allowed[begins[start]]
            found[i] = state[:length].clone(), torch.from_numpy(targets)
    return found


def together(part: Sequence[tuple[Any, Any]]) -> tuple[Any, Any, Any]:
    """Sentences padded to one length: states (n, tokens, width), mask (n, tokens), targets (n, tokens, tags)."""
    import torch

    states, targets = (
        torch.nn.utils.rnn.pad_sequence(list(some), batch_first=True) for some in zip(*part, strict=True)
    )
    lengths = torch.tensor([len(some) for some, _ in part])
    return states.float(), torch.arange(states.shape[1]) < lengths[:, None], targets


def without_leaks(sets: Sequence[Set]) -> int:
    """Drop from each earlier split (train, dev) what a later one of any set holds; how many sentences."""
    seen: set[str] = set()
    dropped = 0
    for split in ("test", "dev", "train"):
        for one in sets:
            part = one.splits.get(split, [])
            kept = [s for s in part if datasets.key(" ".join(s[0])) not in seen]
            dropped += len(part) - len(kept)
            if part:
                one.splits[split] = kept
        seen |= {datasets.key(" ".join(s[0])) for one in sets for s in one.splits.get(split, ())}
    return dropped


def best_outside(tagger: Tagger, sets: Sequence[Set]) -> float:
    """What O must win by for the highest mean F1 on the dev splits."""
    found = {}
    for outside in (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5):
        tagger.about["outside"] = outside
        found[outside] = float(np.mean([span_f1(tagger, s, "dev") for s in sets if s.splits.get("dev")]))
    return max(found, key=lambda o: found[o])


def span_f1(tagger: Tagger, one: Set, split: str) -> float:
    """Strict F1 of the spans of a split; tags that mean the same count as one."""
    texts, right, true, said = [], 0, 0, 0
    truths = []
    for sentence in one.splits[split]:
        texts.append(" ".join(sentence[0]))
        truths.append({(a, b, one.kinds[kind][0]) for a, b, kind in gold(sentence)})
    for truth, found in zip(truths, tagger(texts), strict=True):
        named = {(a, b, one.label(kind)) for a, b, kind in found if one.label(kind)}
        right, true, said = right + len(truth & named), true + len(truth), said + len(named)
    return 2 * right / max(1, true + said)


def gold(sentence: Sentence) -> list[tuple[int, int, str]]:
    """The spans of a tagged sentence in its words joined by spaces."""
    found: list[tuple[int, int, str]] = []
    at = 0
    for word, tag in zip(*sentence, strict=True):
        if tag.startswith("B-"):
            found.append((at, at + len(word), tag[2:]))
        elif tag.startswith("I-"):
            found[-1] = (found[-1][0], at + len(word), found[-1][2])
        at += len(word) + 1
    return found


def save(model: Any, labels: Sequence[str], frozen_layers: int, out: Path, outside: float) -> None:
    """The layers that learned and the tags' layer, in float16."""
    import torch
    from safetensors.torch import save_file

    low = tuple(f"encoder.layer.{i}." for i in range(frozen_layers))
    state = {k: v for k, v in model.encoder.state_dict().items() if not k.startswith(("embeddings.", *low))}
    state |= {"tags.weight": model.heads.weight, "tags.bias": model.heads.bias}
    about = {"base": BASE, "labels": list(labels), "outside": outside}
    tensors = {k: v.detach().to(torch.float16).contiguous() for k, v in state.items()}
    save_file(tensors, out / FILE, metadata={"entities": json.dumps(about)})


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())


def _same(out: Path, settings: dict[str, Any]) -> None:
    """Refuse to go on from a checkpoint of another training."""
    path = out / "settings.json"
    text = json.dumps(settings, indent=1, default=str)
    if (out / "checkpoint.safetensors").is_file() and path.is_file() and path.read_text(encoding="utf-8") != text:
        raise UsageError(f"{out} holds a training on other data or with other settings: choose another --out")
    path.write_text(text, encoding="utf-8")
