"""Trains the companion adapter: LoRA on the reply model, on talks written down exactly as at run time.

    python -m models.training.reply --out FOLDER [--data FILE.jsonl ...] [--epochs 1]

Interrupt it and start it again with the same --out: it goes on from its last checkpoint. Every tenth topic of the
corpus is held out (`held_out`), and the loss on these talks is printed and kept in the log beside the weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.hub import fetch, sha256
from models.prompt import chatml, note, recalled_moment, system
from pipelines.turn import Fact, Persona

DIALOGUES = Path(__file__).parent / "dialogues"
IGNORED = -100  # the label that cross-entropy leaves out


@dataclass
class Settings:
    """Of one run; all of it is written into the log. tokens: per step, with padding; minutes: stop after as many;
    steps: end the plan (and the decay of the rate) after as many;
    precision: "bfloat16" computes the passes of training in it (a quarter faster where the processor has it);
    start: folder of an adapter that an earlier run ended with, to go on from with a new schedule;
    check_talks: how many of the held-out talks are read at each checkpoint (at the end all of them are)."""

    base: str = "smollm2-135m-instruct"
    start: str = ""
    epochs: int = 1
    tokens: int = 1600
    rate: float = 5e-4
    rank: int = 32
    precision: str = "float32"
    warmup: int = 20
    seed: int = 1
    minutes: float = 1e9
    steps: int = 1_000_000
    save_minutes: float = 20
    check_talks: int = 40


def read_talks(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The talks of JSON Lines files, in order."""
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]


def held_out(talk: Mapping[str, Any]) -> bool:
    """Whether the talk belongs to the held-out tenth: whole topics, by a hash of their names."""
    return int(hashlib.sha256(talk["topic"].encode()).hexdigest(), 16) % 10 == 0


def messages(talk: Mapping[str, Any], chance: random.Random | None) -> list[dict[str, str]]:
    """A talk as chat messages. With `chance`, facts are shuffled, and the note (which at run time stands before the
    latest message only) before one message, at times without the feeling; without it, before the first, whole. Public
    talks bring a system line of their own."""
    persona = Persona(talk["persona"]["name"], tuple(talk["persona"]["traits"]), tuple(talk["persona"]["likes"]))
    facts = [Fact(f["slot"], f["value"], f["about"]) for f in talk["facts"]]
    said = [i for i, turn in enumerate(talk["turns"]) if turn["who"] == "person"]
    place, feeling = said[0], True
    if chance:
        chance.shuffle(facts)
        feeling = chance.random() < 0.7
        if not talk["recalled"] or chance.random() < 0.25:
            place = chance.choice(said)
    result = [{"role": "system", "content": talk.get("system") or system(persona, facts)}]
    for i, turn in enumerate(talk["turns"]):
        if i == place:
            recalled = [recalled_moment(text) for text in talk["recalled"]]
            labels = [e for e in turn["emotion"] if e != "neutral"][:2] if feeling else []
            if line := note(recalled, labels):
                result.append({"role": "system", "content": line})
        result.append({"role": "user" if turn["who"] == "person" else "assistant", "content": turn["text"]})
    return result


def encode(talk: Sequence[Mapping[str, str]], tokenizer: Any, limit: int = 640) -> tuple[list[int], list[int]]:
    """Tokens and labels of a talk: only what the companion says (and the end of it) is learned."""
    tokens: list[int] = []
    labels: list[int] = []
    for message in talk:
        if message["role"] == "assistant":
            head, body = "<|im_start|>assistant\n", chatml([message], reply=False).split("\n", 1)[1]
            parts = [(head, False), (body.removesuffix("\n"), True), ("\n", False)]
        else:
            parts = [(chatml([message], reply=False), False)]
        for text, learned in parts:
            ids = tokenizer(text, add_special_tokens=False).input_ids
            tokens += ids
            labels += ids if learned else [IGNORED] * len(ids)
    return tokens[:limit], labels[:limit]


def batches(encoded: list[tuple[list[int], list[int]]], size: int, chance: random.Random) -> Iterator[list[int]]:
    """Indices of talks of like length, at most `size` tokens with padding, in random order."""
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i][0]) + chance.random() * 20)
    groups: list[list[int]] = [[]]
    for i in order:
        if groups[-1] and len(encoded[i][0]) * (len(groups[-1]) + 1) > size:
            groups.append([])
        groups[-1].append(i)
    chance.shuffle(groups)
    yield from groups


def loss_of(model: Any, batch: Sequence[tuple[list[int], list[int]]]) -> tuple[Any, int]:
    """The summed cross-entropy of the learned tokens and their number; the vocabulary is only looked at for these."""
    import torch

    width = max(len(tokens) for tokens, _ in batch)
    ids = torch.tensor([tokens + [0] * (width - len(tokens)) for tokens, _ in batch])
    labels = torch.tensor([labels + [IGNORED] * (width - len(labels)) for _, labels in batch])
    mask = torch.tensor([[1] * len(tokens) + [0] * (width - len(tokens)) for tokens, _ in batch])
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = core.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
    wanted = labels[:, 1:]
    learned = wanted != IGNORED
    logits = core.lm_head(hidden[learned])
    return torch.nn.functional.cross_entropy(logits, wanted[learned], reduction="sum"), int(learned.sum())


def evaluate(model: Any, encoded: list[tuple[list[int], list[int]]]) -> float:
    """Mean loss per learned token, in nats."""
    import torch

    total, count = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for group in batches(encoded, 3000, random.Random(0)):
            loss, n = loss_of(model, [encoded[i] for i in group])
            total, count = total + float(loss), count + n
    model.train()
    return total / max(1, count)


def keep(out: Path, model: Any, optimiser: Any, trained: Sequence[tuple[str, Any]], done: Mapping[str, Any]) -> None:
    """Write a checkpoint: the adapter, the optimiser's moments of the trained parameters, how far it is."""
    from safetensors.torch import save_file

    model.save_pretrained(str(out))
    state = {f"{name}.m": optimiser.state[p]["exp_avg"] for name, p in trained if p in optimiser.state}
    state |= {f"{name}.v": optimiser.state[p]["exp_avg_sq"] for name, p in trained if p in optimiser.state}
    save_file(state, out / "moments.safetensors")
    (out / "state.json").write_text(json.dumps(done), encoding="utf-8")


def restore(out: Path, optimiser: Any, trained: Sequence[tuple[str, Any]], step: int) -> None:
    """Give the optimiser the moments that `keep` wrote."""
    import torch
    from safetensors.torch import load_file

    moments = load_file(out / "moments.safetensors")
    for name, p in trained:
        optimiser.state[p] = {
            "step": torch.tensor(float(step)),
            "exp_avg": moments[f"{name}.m"],
            "exp_avg_sq": moments[f"{name}.v"],
        }


def train(out: Path, data: Sequence[Path], settings: Settings) -> None:
    """Train, with checkpoints in `out`: the adapter in peft's format, the optimiser's moments as safetensors, and
    log.jsonl with a line per evaluation."""
    import peft
    import torch
    from tqdm import tqdm
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(settings.seed)
    folder = fetch(settings.base)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    learning = [t for t in read_talks(data) if not held_out(t)]
    own = read_talks(sorted(DIALOGUES.glob("*.jsonl")))
    kept = [encode(messages(t, None), tokenizer) for t in own if held_out(t)]
    out.mkdir(parents=True, exist_ok=True)
    state_file = out / "state.json"
    done: dict[str, Any] = {"step": 0, "seconds": 0.0, "tokens": 0}
    if state_file.exists():
        done = json.loads(state_file.read_text())
    if state_file.exists() or settings.start:
        begin = out if state_file.exists() else settings.start
        model = peft.PeftModel.from_pretrained(base, begin, is_trainable=True)
    else:
        model = peft.get_peft_model(
            base,
            peft.LoraConfig(
                r=settings.rank, lora_alpha=2 * settings.rank, lora_dropout=0.0, target_modules="all-linear"
            ),
        )
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW([p for _, p in trained], lr=settings.rate, weight_decay=0.01, betas=(0.9, 0.98))
    if state_file.exists():
        restore(out, optimiser, trained, done["step"])

    plan: list[list[tuple[list[int], list[int]]]] = []
    for epoch in range(settings.epochs):
        chance = random.Random(settings.seed * 1000 + epoch)
        encoded = [encode(messages(t, chance), tokenizer) for t in learning]
        plan += [[encoded[i] for i in group] for group in batches(encoded, settings.tokens, chance)]
    plan = plan[: settings.steps]
    print(
        f"{len(learning)} talks to learn, {len(kept)} held out, {len(plan)} steps, at step {done['step']}", flush=True
    )

    def save(final: bool = False) -> None:
        part = kept if final else kept[: settings.check_talks]
        held = evaluate(model, part)
        line = {
            **done,
            "held_out_talks": len(part),
            "held_out_loss": round(held, 4),
            "settings": asdict(settings),
            "at": time.strftime("%F %T"),
        }
        with (out / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps({k: v for k, v in line.items() if k != "settings"}), flush=True)
        keep(out, model, optimiser, trained, done)

    if not done["step"]:
        print(f"held-out loss before: {evaluate(model, kept[: settings.check_talks]):.4f}", flush=True)
    model.train()
    started = saved = time.time()
    before = done["seconds"]
    recent: list[float] = []
    for step in tqdm(range(done["step"], len(plan)), initial=done["step"], total=len(plan), mininterval=30):
        rate = settings.rate * min(1.0, (step + 1) / settings.warmup)
        rate *= 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / len(plan)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bfloat16"):
            loss, count = loss_of(model, plan[step])
        (loss / count).backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        recent = [*recent[-49:], float(loss) / count]
        done["step"], done["seconds"] = step + 1, round(before + time.time() - started, 1)
        done["tokens"] += sum(len(tokens) for tokens, _ in plan[step])
        done["loss"] = round(sum(recent) / len(recent), 4)
        if time.time() - saved > 60 * settings.save_minutes:
            save()
            saved = time.time()
        if time.time() - started > 60 * settings.minutes:
            break
    save(final=True)


def release(out: Path, folder: Path, card: Path) -> None:
    """Write the adapter of a run in float16 to `folder`, with its card: data, settings, losses and the command."""
    import platform

    import torch
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = load_file(out / "adapter_model.safetensors")
    save_file({name: t.to(torch.float16) for name, t in tensors.items()}, folder / "adapter_model.safetensors")
    written = json.loads((out / "adapter_config.json").read_text(encoding="utf-8"))
    config = {key: written[key] for key in ("peft_type", "r", "lora_alpha", "target_modules", "task_type")}
    config["target_modules"] = sorted(config["target_modules"])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    runs = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    last = runs[-1]
    talks = read_talks(sorted(DIALOGUES.glob("*.jsonl")))
    lines = [
        'title = "Companion adapter"',
        f'task = "replies in the companion\'s voice: LoRA of rank {written["r"]} for {last["settings"]["base"]}"',
        'licence = "Apache-2.0"',
        f'shipped = "{os.path.relpath(folder, card.parent)}"',
        'used_by = ["candidates.transformers"]',
        f'training_data = "{len(talks)} own dialogues (models/training/dialogues), a tenth of the topics held out"',
        'command = "python -m models.training.reply --out RUN"',
        "",
        "[run]",
        f"steps = {last['step']}",
        f"tokens = {last['tokens']}",
        f"minutes = {round(last['seconds'] / 60)}",
        f'machine = "{platform.machine()}, one CPU core beside other work"',
        f'date = "{last["at"][:10]}"',
        f'settings = "{", ".join(f"{k} {v}" for k, v in last["settings"].items() if k in ("rate", "rank", "tokens"))}"',
        "",
        "[scores]",
        f"held_out_talks = {last['held_out_talks']}",
        f"held_out_loss = {last['held_out_loss']}  # nats per token of the companion's replies",
        "",
    ]
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        lines += ["[[files]]", f'path = "{name}"', f'sha256 = "{sha256(folder / name)}"']
        lines += [f"bytes = {(folder / name).stat().st_size}", ""]
    card.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, nargs="*", default=sorted(DIALOGUES.glob("*.jsonl")))
    parser.add_argument("--release", type=Path, nargs=2, metavar=("FOLDER", "CARD"), help="write weights and card")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    arguments = vars(parser.parse_args())
    out, data, target = arguments.pop("out"), arguments.pop("data"), arguments.pop("release")
    if target:
        release(out, *target)
    else:
        train(out, data, Settings(**arguments))


if __name__ == "__main__":
    main()
