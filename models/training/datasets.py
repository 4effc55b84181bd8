"""Readers of the public data sets, in the formats in which their authors publish them.

Every reader takes the folder (or file) of one set and gives plain examples. Texts that a set has in more than one
split are dropped from the earlier one ("leaked": train loses what dev or test holds), because a test that was
trained on measures nothing. What a text is compared by: lower case, one space between words.

- CLINC150, json: Larson et al. 2019, "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction".
- BANKING77, csv: Casanueva et al. 2020, "Efficient Intent Detection with Dual Sentence Encoders".
- HWU64, csv: Liu et al. 2019, "Benchmarking Natural Language Understanding Services for Building Conversational
  Agents", as github.com/xliuhw/NLU-Evaluation-Data has it.
- Rasa NLU training data, yml and md; Microsoft personality chat, qna.
- GoEmotions, tsv: Demszky et al. 2020, "GoEmotions: A Dataset of Fine-Grained Emotions".
- CoNLL columns, as in WNUT17 (Derczynski et al. 2017): a token and a tag a line, an empty line between sentences.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

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
    """train.csv and test.csv (and dev.csv, valid.csv or val.csv when there is one), as BANKING77's and the splits of
    HWU64 that others made. Without a dev file, every tenth training text is held out."""
    splits = Splits()
    for split, names in (("train", ["train"]), ("dev", ["dev", "valid", "val"]), ("test", ["test"])):
        path = next((folder / f"{n}.csv" for n in names if (folder / f"{n}.csv").is_file()), None)
        if path is not None:
            splits[split] = one_csv(path)
    return _with_dev(without_leaks(splits))


def one_csv(path: Path) -> list[Example]:
    """A csv with a header and the columns text and category, intent or label; or HWU64's own."""
    if _text(path).partition("\n")[0].count(";") >= 4:
        return hwu64(path)
    table = _table(path, ",")
    column = next((c for c in ("category", "intent", "label") if table and c in table[0]), None)
    if column is None or "text" not in table[0]:
        raise UsageError(f"{path}: needs a header with the columns text and category, intent or label")
    return [Example(row["text"].strip(), (row[column].strip(),)) for row in table if row["text"] and row[column]]


def hwu64(path: Path) -> list[Example]:
    """NLU-Data-Home-Domain-Annotated-All.csv, semicolons between the columns; the intent is "scenario_intent". The text
    is answer_annotation without its mark-up ("[date : today]"), as in the authors' own folds; what they marked
    irrelevant (status IRR...) is left out."""
    table = _table(path, ";")
    if not table or not {"scenario", "intent", "answer_annotation"} <= set(table[0]):
        raise UsageError(f"{path}: needs the columns scenario, intent and answer_annotation, as HWU64 has them")
    examples = []
    for row in table:
        text = " ".join(re.sub(r"\[[^\]:]{0,60}:([^\]]{0,200})\]", r"\1", row["answer_annotation"] or "").split())
        if text and row["scenario"] and row["intent"] and not (row.get("status") or "").startswith("IRR"):
            examples.append(Example(text, (f"{row['scenario'].strip()}_{row['intent'].strip()}",)))
    return examples


def hwu64_fold(folder: Path) -> Splits:
    """One of the authors' folds (KFold_1, ...): trainset/*.csv and testset/csv/*.csv, a file for each intent; every
    tenth training text is held out."""
    splits = Splits()
    for split, inner in (("train", "trainset"), ("test", "testset/csv")):
        splits[split] = [e for path in sorted((folder / inner).glob("*.csv")) for e in hwu64(path)]
    return _with_dev(without_leaks(splits))


def _table(path: Path, delimiter: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(_text(path).splitlines(keepends=True), delimiter=delimiter))


def _with_dev(splits: Splits) -> Splits:
    if "dev" not in splits and "train" in splits:
        rows = splits["train"]
        splits["dev"] = rows[9::10]
        splits["train"] = [row for i, row in enumerate(rows) if i % 10 != 9]
    return splits


def rasa(*files: Path) -> list[Example]:
    """Rasa NLU examples, yml (2.0 and later) or md, entity mark-up removed, each text once per intent. Files that hold
    something else (a domain, stories) have none."""
    examples: dict[Example, None] = {}
    for path in files:
        found = _rasa_md(path) if path.suffix == ".md" else _rasa_yml(path)
        for intent, text in found:
            text = re.sub(r"\[([^\]\[]{0,200})\](?:\([^)(]{0,200}\)|\{[^}{]{0,200}\})", r"\1", text)
            if text := " ".join(text.split()):
                examples[Example(text, (intent,))] = None
    return list(examples)


def _rasa_md(path: Path) -> Iterator[tuple[str, str]]:
    intent = ""
    for line in re.sub(r"<!--.*?-->", "", _text(path), flags=re.DOTALL).splitlines():
        if line.startswith("##"):
            found = re.match(r"##\s*intent:\s*(\S+)", line)
            intent = found[1] if found else ""
        elif intent and (found := re.match(r"\s*[-*+] (\S.*)", line)):
            yield intent, found[1]


def _rasa_yml(path: Path) -> Iterator[tuple[str, str]]:
    """Examples are one block of lines with bullets, or a list of entries with a text."""
    import yaml

    text = _text(path)
    if not re.search(r"^nlu\s*:", text, re.MULTILINE):
        return
    try:
        data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line}: this is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: this is not YAML: {error}") from None
    entries = data.get("nlu") if isinstance(data, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or "intent" not in entry:
            continue
        given = entry.get("examples") or ""
        if isinstance(given, str):
            # A line without a bullet goes on with the example before it.
            texts = re.split(r"^\s*[-*+]\s+", given, flags=re.MULTILINE)[1:]
        else:
            texts = [
                str(e["text"] if isinstance(e, dict) else e) for e in given if not isinstance(e, dict) or "text" in e
            ]
        for example in texts:
            yield str(entry["intent"]), re.sub(r"^\s*[-*+]\s+", "", example)


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
