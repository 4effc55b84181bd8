"""Readers of the public data sets, in the formats in which their authors publish them.

Every reader takes the folder (or file) of one set and gives plain examples. Texts that a set has in more than one
split are dropped from the earlier one ("leaked": train loses what dev or test holds), because a test that was
trained on measures nothing. What a text is compared by: lower case, one space between words.

- CLINC150, json: Larson et al. 2019, "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction".
- BANKING77, csv: Casanueva et al. 2020, "Efficient Intent Detection with Dual Sentence Encoders".
- Rasa NLU training data, yml and md; Microsoft personality chat, qna.
- GoEmotions, tsv: Demszky et al. 2020, "GoEmotions: A Dataset of Fine-Grained Emotions".
- CoNLL columns, as in WNUT17 (Derczynski et al. 2017): a token and a tag a line, an empty line between sentences.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import UsageError

OUT_OF_SCOPE = "out_of_scope"


class Example(NamedTuple):
    """A text with its labels: exactly one for an intent, one or more for emotions."""

    text: str
    labels: tuple[str, ...]


class Splits(dict[str, list[Example]]):
    """The examples of "train", "dev" and "test"; leaked: how many were dropped because a later split has their text."""

    leaked: int = 0


def clinc150(folder: Path) -> Splits:
    """train, dev, test of data_full.json; the out-of-scope texts are in the splits, labelled "out_of_scope"."""
    data = json.loads(_text(folder / "data_full.json"))
    splits = Splits()
    for ours, theirs in (("train", "train"), ("dev", "val"), ("test", "test")):
        rows = [Example(text, (label,)) for text, label in data[theirs]]
        splits[ours] = rows + [Example(text, (OUT_OF_SCOPE,)) for text, _ in data[f"oos_{theirs}"]]
    return without_leaks(splits)


def intents_csv(folder: Path) -> Splits:
    """train.csv and test.csv (and dev.csv or valid.csv when there is one) with a header and the columns text and
    category (BANKING77), intent (HWU64) or label. Without a dev file, every tenth training text is held out."""
    splits = Splits()
    for split, names in (("train", ["train"]), ("dev", ["dev", "valid", "val"]), ("test", ["test"])):
        path = next((folder / f"{n}.csv" for n in names if (folder / f"{n}.csv").is_file()), None)
        if path is None:
            continue
        table = list(csv.DictReader(_text(path).splitlines(keepends=True)))
        column = next((c for c in ("category", "intent", "label") if table and c in table[0]), None)
        if column is None or "text" not in table[0]:
            raise UsageError(f"{path}: needs a header with the columns text and category, intent or label")
        splits[split] = [Example(row["text"].strip(), (row[column].strip(),)) for row in table]
    splits = without_leaks(splits)
    if "dev" not in splits and "train" in splits:
        rows = splits["train"]
        splits["dev"] = rows[9::10]
        splits["train"] = [row for i, row in enumerate(rows) if i % 10 != 9]
    return splits


def rasa(*files: Path) -> list[Example]:
    """Rasa NLU examples, yml or md, entity mark-up removed, each text once per intent."""
    examples: dict[Example, None] = {}
    for path in files:
        intent = ""
        for line in _text(path).splitlines():
            if found := re.match(r"(?:\s*- intent:\s*|##\s*intent:\s*)(\S+)", line):
                intent = found[1]
            elif line.startswith("##") or re.match(r"\s*- (?:lookup|synonym|regex):", line):
                intent = ""
            elif intent and (found := re.match(r"\s*- (\S.*)", line)):
                text = re.sub(r"\[([^\]\[]{0,200})\](?:\([^)(]{0,200}\)|\{[^}{]{0,200}\})", r"\1", found[1])
                examples[Example(" ".join(text.split()), (intent,))] = None
    return list(examples)


def personality_chat(path: Path) -> list[Example]:
    """Questions of a Microsoft .qna file. The scenarios have no names there: the label is the number, from "0", of
    the scenario in the file (models/data/intents.toml says which intent each is)."""
    examples: dict[Example, None] = {}
    scenario, in_questions = -1, False
    for line in _text(path).splitlines():
        if line.startswith("# ? "):
            scenario, in_questions = scenario + 1, True
            examples[Example(line[4:].strip(), (str(scenario),))] = None
        elif in_questions and line.startswith("- "):
            examples[Example(line[2:].strip(), (str(scenario),))] = None
        elif line.startswith("**"):
            in_questions = False
    return list(examples)


def jsonl(path: Path) -> list[Example]:
    """Lines of {"text": ..., "intent": ...}, or with "labels": [...] for several."""
    rows = [json.loads(line) for line in _text(path).splitlines() if line.strip()]
    return [Example(row["text"], tuple(row["labels"]) if "labels" in row else (row["intent"],)) for row in rows]


def goemotions(folder: Path) -> Splits:
    """train, dev, test of GoEmotions with the names of emotions.txt."""
    names = _text(folder / "emotions.txt").split()
    splits = Splits()
    for split in ("train", "dev", "test"):
        rows = [line.split("\t") for line in _text(folder / f"{split}.tsv").splitlines() if line]
        splits[split] = [Example(row[0], tuple(names[int(i)] for i in row[1].split(","))) for row in rows]
    return without_leaks(splits)


def conll(path: Path) -> list[tuple[list[str], list[str]]]:
    """Sentences of a CoNLL file: the tokens (first column) and their tags (last column)."""
    sentences: list[tuple[list[str], list[str]]] = [([], [])]
    for line in _text(path).splitlines():
        columns = line.split("\t") if "\t" in line else line.split()
        if len(columns) >= 2 and columns[0].strip():
            sentences[-1][0].append(columns[0].strip())
            sentences[-1][1].append(columns[-1].strip())
        elif sentences[-1][0]:
            sentences.append(([], []))
    return [s for s in sentences if s[0]]


def without_leaks(splits: Mapping[str, list[Example]]) -> Splits:
    """The splits, each without the texts that a later one (train, dev, test) holds."""
    seen: set[str] = set()
    kept: dict[str, list[Example]] = {}
    for split in ("test", "dev", "train"):
        if split in splits:
            kept[split] = [e for e in splits[split] if key(e.text) not in seen]
            seen |= {key(e.text) for e in splits[split]}
    clean = Splits({split: kept[split] for split in ("train", "dev", "test") if split in kept})
    clean.leaked = getattr(splits, "leaked", 0) + sum(len(splits[split]) - len(kept[split]) for split in kept)
    return clean


def leaks(splits: Mapping[str, Iterable[Example]]) -> int:
    """How many distinct texts of train are in dev or test as well."""
    held_out = {key(e.text) for split in ("dev", "test") for e in splits.get(split, ())}
    return len({key(e.text) for e in splits.get("train", ())} & held_out)


def key(text: str) -> str:
    """What two texts are compared by."""
    return " ".join(text.lower().split())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
