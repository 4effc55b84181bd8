"""Trains the companion adapter further on preferences: what readers judged good is to become likelier than what they
judged bad, measured from the adapter that it begins with. DPO (Rafailov et al., 2023) on mean log-probabilities per
token ("length-normalised", Lambert et al., 2024), with the loss of the best reply added (Pang et al., 2024).

    python -m models.training.prefer --start THIRD --out FOLDER     train: a quarter of an hour
    python -m models.training.prefer --read                         how its replies were read, beside those before

The candidates of a prompt are read side by side behind it, each seeing the prompt and itself only, so that a prompt is
read once for all its pairs. Held-out topics (`reply.held_out`) are never read; every sixth learned topic only checks.
Interrupt it and start it again with the same --out: it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.hub import fetch
from models.training.preferences import JUDGED, chat
from models.training.reply import held_out, keep, read_talks, restore

GOOD = ("best", "ok")
LABELS = ("good", "acceptable", "bad")
READ = tuple(Path(__file__).parent / "read" / f"{name}.jsonl" for name in ("first", "second", "third"))
"""Replies to prompts of held-out topics, read blind: the chain's choice and one candidate at random, of several
adapters, each with its labels (2026-11-25). The sheets did not say whose a reply was. first: 226 prompts, the shipped
adapter and the one before it, three readers, half of the prompts by two of them; one had seen some replies before.
second: 100 prompts, the shipped adapter and two that were trained further and did not replace it, three readers.
third: 100 prompts, the chain with and without replies of other talks and the judge that reads states, four readers."""


@dataclass
class Settings:
    """Of one run. start: card or folder of the adapter to begin with; beta: of DPO, on means per token, since sums
    taught it little but to be short; nll: weight of the plain loss of the best reply, per token, which keeps replies
    from growing unlikely altogether; each: good and bad candidates of a prompt at most; prompts: per step."""

    start: str = ""
    base: str = "smollm2-135m-instruct"
    beta: float = 2.0
    nll: float = 0.5
    rate: float = 3e-5
    each: int = 3
    prompts: int = 8
    epochs: int = 1
    warmup: int = 10
    seed: int = 1
    save_minutes: float = 10


@dataclass(frozen=True)
class Example:
    """A prompt's tokens, those of its candidates (with the end), and which of these are good; the first is the best."""

    key: str
    prompt: list[int]
    candidates: list[list[int]]
    good: list[bool]


def examples(lines: Sequence[Mapping[str, Any]], tokenizer: Any, end: int, each: int, seed: int) -> list[Example]:
    """Prompts that have a good and a bad candidate, with at most `each` of both; what the reader would have sent comes
    first among the good ones. The key tells apart what was judged of one prompt at several times."""
    chance = random.Random(seed)
    found = []
    for line in lines:
        judged = [(text, label) for text, label, *_, source in line["candidates"] if source == "model"]
        chance.shuffle(judged)
        good = sorted((c for c in judged if c[1] in GOOD), key=lambda c: c[1] != "best")[:each]
        bad = [c for c in judged if c[1] not in GOOD][:each]
        if line.get("better"):
            good = [(line["better"], "best"), *good][:each]
        if good and bad:
            texts = [text for text, _ in good + bad]
            candidates = [[*tokenizer(text, add_special_tokens=False).input_ids, end] for text in texts]
            prompt = tokenizer(chat(line), add_special_tokens=False).input_ids
            key = hashlib.sha256(json.dumps([line["id"], texts]).encode()).hexdigest()[:16]
            found.append(Example(key, prompt, candidates, [True] * len(good) + [False] * len(bad)))
    return found


def likelihoods(model: Any, example: Example) -> Any:
    """(candidates,) the summed log-probability of each candidate and its end, behind the prompt; in nats."""
    import torch

    before = len(example.prompt)
    parts = [candidate[:-1] for candidate in example.candidates]  # the end is predicted, not read
    which = torch.tensor([-1] * before + [i for i, part in enumerate(parts) for _ in part])
    where = torch.tensor([*range(before), *(before + at for part in parts for at in range(len(part)))])
    seen = ((which[None, :] == -1) | (which[:, None] == which[None, :])) & (where[:, None] >= where[None, :])
    tokens = torch.tensor([[*example.prompt, *(token for part in parts for token in part)]])
    core = model.get_base_model()
    hidden = core.model(input_ids=tokens, attention_mask=seen[None, None], position_ids=where[None]).last_hidden_state
    rows, wanted, start = [], [], before
    for candidate in example.candidates:
        rows += [before - 1, *range(start, start + len(candidate) - 1)]
        wanted += candidate
        start += len(candidate) - 1
    logits = core.lm_head(hidden[0, rows])
    each = -torch.nn.functional.cross_entropy(logits, torch.tensor(wanted), reduction="none")
    return torch.stack([part.sum() for part in each.split([len(c) for c in example.candidates])])


def loss_of(now: Any, before: Any, example: Example, settings: Settings) -> tuple[Any, float]:
    """The loss of one prompt, and the share of its pairs in which the good one gained more than the bad one."""
    import torch

    length = torch.tensor([len(candidate) for candidate in example.candidates])
    gain = settings.beta * (now - before) / length
    good = torch.tensor(example.good)
    margins = gain[good][:, None] - gain[~good][None, :]
    nll = -now[0] / len(example.candidates[0])  # the best comes first
    loss = -torch.nn.functional.logsigmoid(margins).mean() + settings.nll * nll
    return loss, float((margins > 0).float().mean())


def train(out: Path, judged: Sequence[Path], settings: Settings) -> None:
    """Train; in `out` the adapter in peft's format, the optimiser's moments, log.jsonl and what the beginning said."""
    import peft
    import torch
    from tqdm import tqdm
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(settings.seed)
    folder = fetch(settings.base)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    lines = [line for line in read_talks(judged) if not held_out(line)]
    topics = sorted({line["topic"] for line in lines})
    random.Random(5).shuffle(topics)  # as in ranker.split
    checked = set(topics[::6])
    made = {
        name: examples([x for x in lines if (x["topic"] in checked) == (name == "check")], tokenizer, end, each, 1)
        for name, each in (("learn", settings.each), ("check", 8))
    }
    out.mkdir(parents=True, exist_ok=True)
    done: dict[str, Any] = {"step": 0, "seconds": 0.0, "tokens": 0}
    state_file = out / "state.json"
    if state_file.exists():
        done = json.loads(state_file.read_text(encoding="utf-8"))
    model = peft.PeftModel.from_pretrained(
        base, out if done["step"] else fetch(settings.start), is_trainable=True, torch_dtype=torch.float32
    )
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    for _, p in trained:
        p.data = p.data.float()
    optimiser = torch.optim.AdamW([p for _, p in trained], lr=settings.rate, weight_decay=0.0, betas=(0.9, 0.98))
    if done["step"]:
        restore(out, optimiser, trained, done["step"])
    before_file = out / "before.json"
    known: dict[str, list[float]] = json.loads(before_file.read_text()) if before_file.exists() else {}
    if not known:
        with torch.inference_mode():
            for example in tqdm(made["learn"] + made["check"], desc="beginning", mininterval=20):
                known[example.key] = likelihoods(model, example).tolist()
        before_file.write_text(json.dumps(known), encoding="utf-8")

    def check() -> dict[str, float]:
        losses, right = [], []
        with torch.inference_mode():
            for example in made["check"]:
                now = likelihoods(model, example)
                loss, share = loss_of(now, torch.tensor(known[example.key]), example, settings)
                losses.append(float(loss))
                right.append(share)
        return {"check_loss": round(sum(losses) / len(losses), 4), "check_right": round(sum(right) / len(right), 4)}

    def save() -> None:
        line = {**done, **check(), "settings": asdict(settings), "at": time.strftime("%F %T")}
        with (out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps({k: v for k, v in line.items() if k != "settings"}), flush=True)
        keep(out, model, optimiser, trained, done)

    plan: list[list[Example]] = []
    for epoch in range(settings.epochs):
        order = list(made["learn"])
        random.Random(settings.seed * 1000 + epoch).shuffle(order)
        plan += [order[i : i + settings.prompts] for i in range(0, len(order), settings.prompts)]
    print(f"{len(made['learn'])} prompts to learn, {len(made['check'])} to check, {len(plan)} steps", flush=True)
    started = saved = time.time()
    already = done["seconds"]
    recent: list[float] = []
    for step in tqdm(range(done["step"], len(plan)), initial=done["step"], total=len(plan), mininterval=30):
        rate = settings.rate * min(1.0, (step + 1) / settings.warmup)
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / len(plan))))
        for example in plan[step]:
            loss, _ = loss_of(likelihoods(model, example), torch.tensor(known[example.key]), example, settings)
            (loss / len(plan[step])).backward()
            recent = [*recent[-99:], float(loss)]
            done["tokens"] += len(example.prompt) + sum(map(len, example.candidates))
        torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        done["step"], done["seconds"] = step + 1, round(already + time.time() - started, 1)
        done["loss"] = round(sum(recent) / len(recent), 4)
        if time.time() - saved > 60 * settings.save_minutes:
            save()
            saved = time.time()
    save()


def read(path: Path) -> dict[str, dict[str, float]]:
    """The share of good, acceptable and bad among all readings of a file, by adapter and kind of reply."""
    rows = read_talks([path])
    shares = {}
    for column in (key for key in rows[0] if key != "id"):
        labels = [label for row in rows for label in row[column][1:]]
        shares[column] = {label: round(labels.count(label) / len(labels), 3) for label in LABELS}
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--judged", type=Path, nargs="*", default=[JUDGED[0]])
    parser.add_argument("--read", action="store_true")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    arguments = vars(parser.parse_args())
    out, judged = arguments.pop("out"), arguments.pop("judged")
    if arguments.pop("read"):
        print(json.dumps({path.stem: read(path) for path in READ}, indent=1))
    elif out and arguments["start"]:
        train(out, judged, Settings(**arguments))
    else:
        parser.error("--out and --start say where to write and what to begin with; or --read")


if __name__ == "__main__":
    main()
