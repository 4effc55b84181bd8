"""Who, where, when and what a message names: spans with a label and, for dates and times, an ISO value.

Labels are OntoNotes' (PERSON, GPE, LOC, ORG, DATE, TIME, WORK_OF_ART, EVENT, MONEY, CARDINAL, ...) and PET. `Rules`
gives what `models.entity_rules` finds. `Encoder` adds the names that our tagger of words finds, in any case. `Spacy`
adds what en_core_web_sm finds, in the text as typed and with the names that the rules found written large, since that
model was trained on edited text. None follows a name from one message to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from models.dates import iso
from models.entity_rules import Find, finds, lists
from pipelines.turn import Entity, Turn

MAX_CHARS = 4000
"""Characters of a message that are searched."""

_NAMES = frozenset(
    ("PERSON", "ORG", "GPE", "LOC", "NORP", "FAC", "PRODUCT", "WORK_OF_ART", "EVENT", "LAW", "LANGUAGE", "PET")
)
_PAST = re.compile(r"\b(?:was|were|had|did|went|got|saw|met|said|came|been|bought|lost|last)\b|\w{2}ed\b")
_CHAT = re.compile(
    r"(?:ha){2,20}h?|l+o+l+|lmf?ao+|omf?g|wtf|idk|btw|tbh|ugh+|aw+|ye+a+h|no+|ok(?:ay)?|ya+y+|hm+|gn|gm|bruh|hel+o+|he+y+|hi+"
)
"""Chat words that the model takes for names."""
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|\w{2,7}(?:teen|ty)|first|second|third)\b"
)


class Rules:
    """Entities by patterns and word lists written for this project. No weights."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Entity]]:
        return [_entities(turn, finds(turn.text[:MAX_CHARS])) for turn in turns]


class Encoder:
    """The tagger of `models.tagger` (the card "entities"), with what `Rules` finds.

    weights: a model card or a folder with entities.safetensors, as `chatbot train entities` writes it; a label that it
    was trained on is a label here. Raises WeightsError.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    weights: ClassVar[tuple[str, ...]] = ("weights",)

    def __init__(self, weights: str = "entities") -> None:
        from models.hub import fetch
        from models.tagger import Tagger

        self._tagger = Tagger(fetch(weights))

    def __call__(self, turns: Sequence[Turn]) -> list[list[Entity]]:
        texts = [turn.text[:MAX_CHARS] for turn in turns]
        said = self._tagger(texts)
        return [
            _entities(turn, [*finds(text), *(Find(*span, 3.9) for span in spans if _is_name(text[span[0] : span[1]]))])
            for turn, text, spans in zip(turns, texts, said, strict=True)
        ]


class Spacy:
    """spaCy's en_core_web_sm (the card "en-core-web-sm"), with what `Rules` finds.

    weights: a model card or a folder that holds a spaCy pipeline with `ner`. Raises WeightsError.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    weights: ClassVar[tuple[str, ...]] = ("weights",)
    packages: ClassVar[dict[str, str]] = {"spacy": "chatbot"}

    def __init__(self, weights: str = "en-core-web-sm") -> None:
        import spacy

        from models.hub import fetch

        unused = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
        self._nlp: Any = spacy.load(fetch(weights), exclude=unused)

    def __call__(self, turns: Sequence[Turn]) -> list[list[Entity]]:
        texts = [turn.text[:MAX_CHARS] for turn in turns]
        found = [finds(text) for text in texts]
        large = [_written_large(text, some) for text, some in zip(texts, found, strict=True)]
        # Text without a capital is read as it was typed, too: there each reading finds names that the other misses.
        again = [i for i, text in enumerate(texts) if large[i] != text and not any(c.isupper() for c in text)]
        docs = list(self._nlp.pipe([*large, *(texts[i] for i in again)], batch_size=64))
        for i, doc in zip([*range(len(texts)), *again], docs, strict=True):
            found[i] += _model_finds(texts[i], doc)
        return [_entities(turn, some) for turn, some in zip(turns, found, strict=True)]


def _entities(turn: Turn, found: Sequence[Find]) -> list[Entity]:
    """The best finds that do not overlap, in the order of the text, dates and times with their value."""
    taken: list[Find] = []
    for find in sorted(found, key=lambda f: (-f.rank, f.start - f.end)):
        if find.end > find.start and all(find.end <= t.start or find.start >= t.end for t in taken):
            taken.append(find)
    taken.sort(key=lambda f: f.start)
    return [Entity(turn.text[f.start : f.end], f.label, f.start, f.end, _value(turn, f, taken)) for f in taken]


def _value(turn: Turn, find: Find, others: Sequence[Find]) -> str | None:
    """The ISO value of a date or time; "on friday at 8pm" gives the hour its day."""
    if find.label not in ("DATE", "TIME"):
        return None
    clause = re.split(r"[.!?\n]", turn.text[max(0, find.start - 200) : find.start])[-1]
    past = bool(_PAST.search(clause))
    value = iso(turn.text[find.start : find.end], turn.at, past)
    if value and find.label == "TIME" and "T" in value:
        for other in others:
            if other.label == "DATE" and max(other.start - find.end, find.start - other.end) < 12:
                day = iso(turn.text[other.start : other.end], turn.at, past)
                if day and re.fullmatch(r"\d{4}-\d\d-\d\d", day):
                    return f"{day}T{value.split('T')[1]}"
    return value


def _written_large(text: str, found: Sequence[Find]) -> str:
    """The text with its names, sentence beginnings and "i" written large, of the same length; for a second look."""
    letters = list(text)
    starts = [m.start(1) for m in re.finditer(r"(?:^|[.!?\n] ?)([a-z])|\b(i)\b", text) if m[1]]
    starts += [m.start() for m in re.finditer(r"\bi\b", text)]
    for find in found:
        if find.label in _NAMES:
            starts += [find.start + m.start() for m in re.finditer(r"\b\w", text[find.start : find.end])]
    for start in starts:
        upper = letters[start].upper()
        letters[start] = upper if len(upper) == 1 else letters[start]
    return "".join(letters)


def _is_name(span: str) -> bool:
    """No sign, and no word that chat uses all the time."""
    known = lists()
    word = span.lower()
    return any(c.isalnum() for c in word) and not any(word in known[n] for n in ("not_names", "relations", "pets"))


def _model_finds(text: str, doc: Any) -> Iterator[Find]:
    """What the model found, less marks around it and the chat words that it takes for names."""
    known = lists()
    for ent in doc.ents:
        span = text[ent.start_char : ent.end_char]
        bare = span.strip(" '\"“”()*_~.!?,:;\n\t\0")
        start = ent.start_char + span.find(bare)
        word = bare.lower()
        if not any(c.isalnum() for c in word) or any(word in known[n] for n in ("not_names", "relations", "pets")):
            continue
        if ent.label_ not in _NAMES:
            counts = ent.label_ in ("CARDINAL", "ORDINAL", "QUANTITY")
            if not counts or _NUMBER.search(word):
                yield Find(start, start + len(bare), ent.label_, 1.0 if counts else 3.9)
        elif not text.isupper() and not all(_CHAT.fullmatch(w) or w in known["not_names"] for w in word.split()):
            # "Taylor Swift" over the "Taylor" of the list of names, but not over a name in a telling place.
            yield Find(start, start + len(bare), ent.label_, 3.45 if ent.label_ == "PERSON" and " " in word else 3.0)
