"""Which data each task of the encoder is trained on, with its label set: emotion and intent."""

from __future__ import annotations

import hashlib
import json
import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.training import datasets
from models.training.datasets import OUT_OF_SCOPE, Example, Splits
from models.training.reply import DIALOGUES, held_out, read_talks
from pipelines.errors import UsageError

OWN = Path(__file__).parent / "intents_own.jsonl"
MORE = Path(__file__).parent / "intents_more.jsonl"
LABELS = Path(__file__).parent.parent / "data" / "intent_labels.toml"


@dataclass(frozen=True)
class Data:
    """labels: in the order of the head's outputs; several: more than one label can be true."""

    labels: list[str]
    splits: Splits
    several: bool


def load(name: str, folder: Path) -> Data:
    """The data of a task, "emotion" or "intent", by its name.

    folder holds the public sets, each in a folder of its own; or it is one set of a user's own. For intents: train.csv
    (BANKING77), data_full.json (CLINC150), HWU64 (its annotated csv, or one of its folds), a Rasa bot's yml or md
    files; or one file: csv, yml, md or jsonl.
    For emotions: emotions.txt with train.tsv, dev.tsv and test.tsv.
    """
    if name == "emotion":
        return emotion(folder)
    if name != "intent":
        raise UsageError(f'there is no task "{name}". There are: emotion, intent')
    return intent(folder) if (folder / "clinc150").is_dir() else own_intents(folder)


def together(name: str, paths: Sequence[Path]) -> Data:
    """The data of several paths as one: all labels, no text of a later split in an earlier one."""
    parts = [load(name, path) for path in paths]
    if len(parts) == 1:
        return parts[0]
    merged = Splits({s: [e for p in parts for e in p.splits.get(s, ())] for s in ("train", "dev", "test")})
    merged.leaked = sum(p.splits.leaked for p in parts)
    labels = list(dict.fromkeys(label for p in parts for label in p.labels if label != OUT_OF_SCOPE))
    outside = [OUT_OF_SCOPE] if any(OUT_OF_SCOPE in p.labels for p in parts) else []
    return Data([*labels, *outside], datasets.without_leaks(merged), parts[0].several)


def own_intents(folder: Path) -> Data:
    """Intents of one data set in a format that datasets.py reads; out of scope only if the set has such examples."""
    if folder.is_file():
        readers = {".jsonl": datasets.jsonl, ".csv": datasets.one_csv}
        splits = _by_hash(readers.get(folder.suffix, datasets.rasa)(folder))
    elif (folder / "train.csv").is_file():
        splits = datasets.intents_csv(folder)
    elif (folder / "data_full.json").is_file():
        splits = datasets.clinc150(folder)
    elif (folder / "trainset").is_dir():
        splits = datasets.hwu64_fold(folder)
    elif annotated := sorted(folder.rglob("NLU-Data-Home-Domain-Annotated*.csv")):
        splits = _by_hash(datasets.hwu64(annotated[0]))
    elif files := [p for p in sorted(folder.rglob("*.*")) if p.suffix in (".yml", ".yaml", ".md")]:
        splits = _by_hash(datasets.rasa(*files))
    else:
        raise UsageError(f"{folder}: no train.csv, data_full.json, trainset/, HWU64's csv, or Rasa's yml or md here")
    if not splits.get("train"):
        raise UsageError(f"{folder}: no examples in it")
    labels = sorted({e.labels[0] for e in splits["train"]} - {OUT_OF_SCOPE})
    several = {e.labels[0] for e in splits["train"]} - set(labels)
    return Data([*labels, *several], splits, several=False)


def _by_hash(examples: Sequence[Example]) -> Splits:
    splits = Splits(train=[], dev=[], test=[])
    for example in examples:
        splits[_part(datasets.key(example.text))].append(example)
    return splits


def emotion(folder: Path) -> Data:
    """GoEmotions, in `folder` or in its "goemotions". Half of the [NAME] masks in train become first names, since
    nobody types "[NAME]". In a folder of public sets, what the project wrote is learned from too (`messages`,
    `with_emoji`): Reddit is not how people write to a companion, and has few emoji. Dev and test stay GoEmotions'."""
    splits = datasets.goemotions(goemotions_folder(folder))
    labels = emotion_labels(folder)
    rng = random.Random(0)
    names = _first_names(folder / "names" / "names")
    train = [Example(_unmask(e.text, names, rng), e.labels) for e in splits["train"]]
    if (folder / "goemotions").is_dir():
        train += [*messages(), *with_emoji(train, rng)]
    splits["train"] = train
    return Data(labels, datasets.without_leaks(splits), several=True)


def messages() -> list[Example]:
    """The person's messages in our own dialogues, with their feelings as labelled; held-out topics stay unread."""
    talks = [t for t in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) if not held_out(t)]
    said = [turn for talk in talks for turn in talk["turns"] if turn["who"] == "person"]
    return [Example(turn["text"], tuple(turn["emotion"])) for turn in said if turn["emotion"]]


def with_emoji(train: Sequence[Example], rng: random.Random, plain: int = 1500, felt: int = 1500) -> list[Example]:
    """Emoji of `data/emotions.toml` alone, behind `plain` texts without a feeling, and behind `felt` texts with theirs;
    an emoji of several feelings has all of them."""
    feelings: dict[str, list[str]] = {}
    lexicon = tomllib.loads((LABELS.parent / "emotions.toml").read_text(encoding="utf-8"))["labels"]
    for label, entry in lexicon.items():
        for sign in entry.get("emoji", ()):
            feelings.setdefault(sign, []).append(label)
    signs = sorted(feelings)
    found = [Example(sign * count, tuple(feelings[sign])) for sign in signs for count in (1, 2, 3)]
    neutral = [e for e in train if e.labels == ("neutral",) and len(e.text.split()) < 12]
    for example in rng.sample(neutral, min(plain, len(neutral))):
        sign = rng.choice(signs)
        found.append(Example(f"{example.text} {sign}", tuple(feelings[sign])))
    by_label = {label: [s for s in signs if label in feelings[s]] for label in lexicon}
    one = [e for e in train if len(e.labels) == 1 and by_label.get(e.labels[0])]
    for example in rng.sample(one, min(felt, len(one))):
        found.append(Example(f"{example.text} {rng.choice(by_label[example.labels[0]])}", example.labels))
    return found


def emotion_labels(folder: Path) -> list[str]:
    """The names of GoEmotions, in the order of its emotions.txt."""
    return (goemotions_folder(folder) / "emotions.txt").read_text(encoding="utf-8").split()


def goemotions_folder(folder: Path) -> Path:
    """The folder itself when it holds emotions.txt, else "goemotions" in it. Raises UsageError when neither does."""
    found = next((f for f in (folder, folder / "goemotions") if (f / "emotions.txt").is_file()), None)
    if found is None:
        raise UsageError(f"{folder}: no emotions.txt (GoEmotions' list of labels) here or in goemotions/")
    return found


def _first_names(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.glob("*male.txt")):
        lines = path.read_text(encoding="latin-1").splitlines()
        found += [line.strip() for line in lines if re.fullmatch(r"[A-Za-z]+", line.strip())]
    return found or ["Alex"]


def _unmask(text: str, names: list[str], rng: random.Random) -> str:
    if rng.random() < 0.5:
        return text
    return re.sub(r"\[NAME\]", lambda _: rng.choice(names), text)


def intent(folder: Path) -> Data:
    """CLINC150 and small talk under one label set; "out_of_scope" is a label like any other in training, fed with
    CLINC150's own out-of-scope texts and with remarks out of Topical-Chat's validation dialogues."""
    parts = [datasets.clinc150(folder / "clinc150"), smalltalk(folder)]
    merged = Splits({split: [e for part in parts for e in part[split]] for split in ("train", "dev", "test")})
    merged.leaked = sum(part.leaked for part in parts)
    merged["train"] += remarks(folder / "topical_chat")
    merged = datasets.without_leaks(merged)
    labels = sorted({e.labels[0] for e in merged["train"]} - {OUT_OF_SCOPE})
    return Data([*labels, OUT_OF_SCOPE], merged, several=False)


def smalltalk(folder: Path) -> Splits:
    """Rasa's small talk, Microsoft's personality chat and the project's own examples, under the names of
    models/data/intent_labels.toml; split by question with a hash of the text: 70 % train, 10 % dev, 20 % test.

    A text under two intents keeps the project's own; without one it is left out. `MORE`, written later for intents
    with few examples, is learned from only: dev and test stay as they were.
    """
    rasa, personality = mapping()
    own = datasets.jsonl(OWN)
    files = sorted((folder / "rasa_smalltalk").rglob("nlu*.yml")) + sorted((folder / "rasa_smalltalk").rglob("nlu*.md"))
    others = [(e.text, rasa[e.labels[0]]) for e in datasets.rasa(*files) if e.labels[0] in rasa]
    chats = datasets.personality_chat(folder / "ms_personality_chat" / "qna_chitchat_caring.qna")
    others += [(e.text, personality[int(e.labels[0])]) for e in chats if int(e.labels[0]) in personality]
    found: dict[str, dict[str, str]] = {}
    for text, label in others:
        found.setdefault(datasets.key(text), {})[label] = text
    for example in own:
        found[datasets.key(example.text)] = {example.labels[0]: example.text}
    splits = Splits(train=[], dev=[], test=[])
    for key, texts in sorted(found.items()):
        if len(texts) == 1:
            label, text = next(iter(texts.items()))
            splits[_part(key)].append(Example(text, (label,)))
    held = {datasets.key(e.text) for split in ("dev", "test") for e in splits[split]}
    more = {key: e for e in datasets.jsonl(MORE) if (key := datasets.key(e.text)) not in held}
    splits["train"] = [e for e in splits["train"] if datasets.key(e.text) not in more] + list(more.values())
    return splits


def _part(key: str) -> str:
    """The split of a text, by a hash of it: the same on every machine, and for as long as the text is in a set."""
    number = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 10
    return "test" if number < 2 else "dev" if number == 2 else "train"


def mapping() -> tuple[dict[str, str], dict[int, str]]:
    """Our intent for each intent of Rasa's, and for each scenario of the personality chat."""
    labels = intent_labels()
    rasa = {theirs: ours for ours, entry in labels.items() for theirs in entry.get("rasa", ())}
    return rasa, {number: ours for ours, entry in labels.items() for number in entry.get("personality_chat", ())}


def intent_labels() -> dict[str, dict[str, Any]]:
    """models/data/intent_labels.toml."""
    return tomllib.loads(LABELS.read_text(encoding="utf-8"))


def remarks(folder: Path, count: int = 1500) -> list[Example]:
    """Out-of-scope texts: remarks of 8 to 25 words about the topics of Topical-Chat's validation dialogues, without
    the turns that open and close a dialogue."""
    texts = []
    for path in sorted(folder.glob("valid_*.json")):
        for dialogue in json.loads(path.read_text(encoding="utf-8")).values():
            texts += [turn["message"] for turn in dialogue["content"][3:-3]]
    texts = sorted({text for text in texts if 8 <= len(text.split()) <= 25})
    random.Random(0).shuffle(texts)
    return [Example(text, (OUT_OF_SCOPE,)) for text in texts[:count]]
