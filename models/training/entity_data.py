"""Sentences whose words are tagged, for `chatbot train entities`: CoNLL columns, Rasa mark-up, Restaurant8k, silver.

Every set keeps the tags of its authors. `MEANS` says what such a tag may be among our labels: WNUT17's "location" is a
GPE, a LOC or a FAC, and training asks no more of the model than one of them. A tag that it does not name is a label of
its own, so that a person's own labels need no table. What a set does not annotate at all (`silent`) is no mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.training import datasets
from pipelines.errors import UsageError

Sentence = tuple[list[str], list[str]]
"""Words, and a tag for each: O, B-x or I-x."""

MEANS: dict[str, tuple[str, ...]] = {
    "person": ("PERSON",),
    "location": ("GPE", "LOC", "FAC"),
    "group": ("ORG",),
    "corporation": ("ORG",),
    "product": ("PRODUCT",),
    "creative-work": ("WORK_OF_ART",),
    "PER": ("PERSON",),
    "LOC": ("GPE", "LOC", "FAC"),
    "ORG": ("ORG",),
    "MISC": ("WORK_OF_ART", "PRODUCT", "EVENT", "O"),
}
"""WNUT17's and CoNLL 2003's tags among ours; the latter's MISC may be a nationality, which is none of ours."""

_TAG = re.compile(r"O|[BI]-\S+")

SILVER = ("PERSON", "GPE", "LOC", "FAC", "ORG", "PRODUCT", "WORK_OF_ART", "EVENT")
"""The labels of en_core_web_sm that are taken over; times and numbers are found by rules."""


@dataclass
class Set:
    """A data set: sentences by split. silent: labels that its authors did not annotate; silver: tagged by a model."""

    name: str
    splits: dict[str, list[Sentence]]
    silent: tuple[str, ...] = ()
    silver: bool = False
    kinds: dict[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found = {tag[2:] for part in self.splits.values() for _, tags in part for tag in tags if tag != "O"}
        # With a GPE beside it, a LOC is OntoNotes' and means itself.
        means = {} if "GPE" in found else MEANS
        self.kinds = {kind: means.get(kind, (kind,)) for kind in sorted(found)}

    def label(self, one: str) -> str:
        """The name under which a label counts when this set is scored: tags that mean the same count as one."""
        return next((means[0] for means in self.kinds.values() if one in means), "")


def read(path: Path) -> Set:
    """A set from a folder or a file, its format told from its files. Raises UsageError when nothing is found."""
    if (path / "valid_freq.json").is_file():
        return Set(path.name, {"train": list(silver(_topical(path)))}, ("PET",), silver=True)
    if path.suffix == ".json":
        return Set(path.parent.name, {"train": restaurant8k(path)}, ("PET",))
    if path.suffix == ".md":
        return Set(path.stem, {"train": marked(path)})
    splits: dict[str, list[Sentence]] = {}
    files = [path] if path.is_file() else [f for f in sorted(path.rglob("*")) if f.is_file()]
    for file in files:
        if path.is_file() or file.suffix in (".conll", ".annotated", ".bio", ".iob") or ".conll." in file.name:
            split = next((s for s in ("test", "dev", "train") if s in file.name.lower()), "train")
            split = "dev" if "valid" in file.name.lower() else split
            sentences = datasets.conll(file)
            if wrong := next((tag for _, tags in sentences for tag in tags if not _TAG.fullmatch(tag)), None):
                raise UsageError(f"{file}: the last column must be O, B-LABEL or I-LABEL, but there is {wrong[:40]!r}")
            splits[split] = splits.get(split, []) + [(words, bio(tags)) for words, tags in sentences]
    if not splits:
        raise UsageError(f"{path}: no CoNLL columns (.conll, .annotated, .bio) and no Rasa mark-up (.md) in it")
    found = Set(path.name, splits)
    if set(found.kinds) <= set(MEANS):
        known = {label for means in found.kinds.values() for label in means}
        found.silent = tuple(label for label in ("EVENT", "PET") if label not in known)
    return found


def bio(tags: Sequence[str]) -> list[str]:
    """Tags in which every span begins with B-, from those in which only neighbours of one kind do."""
    before = ["O", *tags]
    return [
        "B" + tag[1:] if tag.startswith("I-") and last[2:] != tag[2:] else tag
        for last, tag in zip(before, tags, strict=False)
    ]


def marked(path: Path) -> list[Sentence]:
    """Lines "- words with [Miso](PET)", as Rasa marks entities; headings and the rest are left out."""
    lines = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    found = []
    for line in lines:
        text, spans = "", []
        for before, name, label in re.findall(r"([^\[]*)(?:\[([^\]]+)\]\(([^)]+)\))?", line):
            text += before
            if name:
                spans.append((len(text), len(text) + len(name), label))
            text += name
        found.append(tagged(text, spans))
    return found


def restaurant8k(path: Path) -> list[Sentence]:
    """Restaurant8k (Coope et al. 2020, "Span-ConveRT"): first and last names are persons, its other slots nothing."""
    found = []
    for row in json.loads(path.read_text(encoding="utf-8")):
        names = [
            (slot["valueSpan"].get("startIndex", 0), slot["valueSpan"]["endIndex"], "PERSON")
            for slot in row.get("labels", ())
            if slot["slot"] in ("first_name", "last_name") and "valueSpan" in slot
        ]
        found.append(tagged(row["userInput"]["text"], _joined(sorted(names))))
    return found


def _joined(spans: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """A last name right after a first name makes one span."""
    found: list[tuple[int, int, str]] = []
    for start, end, label in spans:
        if found and start - found[-1][1] <= 1:
            found[-1] = (found[-1][0], end, label)
        else:
            found.append((start, end, label))
    return found


def tagged(text: str, spans: Sequence[tuple[int, int, str]]) -> Sentence:
    """Words and signs of a text, tagged by spans of characters."""
    words, tags = [], []
    for match in re.finditer(r"\w+|[^\w\s]", text):
        words.append(match[0])
        inside = next(((a, label) for a, b, label in spans if a <= match.start() < b), None)
        tags.append("O" if inside is None else ("B-" if inside[0] == match.start() else "I-") + inside[1])
    return words, tags


def _topical(folder: Path, most: int = 8000) -> list[str]:
    """Remarks of Topical-Chat's two validation files, at most `most`, every n-th."""
    texts = [
        turn["message"].strip()
        for name in ("valid_freq.json", "valid_rare.json")
        for talk in json.loads((folder / name).read_text(encoding="utf-8")).values()
        for turn in talk["content"]
    ]
    return texts[:: max(1, len(texts) // most)][:most]


def silver(texts: Sequence[str]) -> Iterator[Sentence]:
    """Texts as en_core_web_sm tags them: what a model that knows more names, but reads case, can teach."""
    import spacy

    from models.hub import fetch

    nlp = spacy.load(fetch("en-core-web-sm"), exclude=["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"])
    for doc in nlp.pipe(texts, batch_size=64):
        spans = []
        for ent in doc.ents:
            # OntoNotes has the article in a name, the other sets do not.
            skip = 4 if ent.text.lower().startswith("the ") and ent.label_ != "WORK_OF_ART" else 0
            if ent.label_ in SILVER:
                spans.append((ent.start_char + skip, ent.end_char, ent.label_))
        yield tagged(doc.text, spans)
