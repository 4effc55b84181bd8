"""What the tests of skills share: a person who is known, and one message answered."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from models.emotion import Lexicon
from models.skills import Skills
from pipelines.turn import Candidate, Fact, Turn, Utterance

AT = datetime(2026, 11, 22, 15, 4, tzinfo=UTC)
WORDINGS = tomllib.loads((Path(__file__).parent / "wordings.toml").read_text(encoding="utf-8"))
TALKED = (Utterance("person", "hey", AT), Utterance("companion", "Hey you.", AT))
LENA = (
    Fact("name", "Lena"),
    Fact("home", "Berlin"),
    Fact("age", "24"),
    Fact("work", "nurse at St Marys"),
    Fact("like", "pizza"),
    Fact("like", "jazz"),
    Fact("favorite color", "blue"),
    Fact("pet", "dog"),
    Fact("name", "Bruno", "dog"),
    Fact("name", "Anna", "sister"),
    Fact("home", "Rome", "sister"),
    Fact("name", "Ruth", "mum"),
    Fact("partner", "Tom"),
    Fact("name", "Tom", "boyfriend"),
    Fact("plan", "exam on 2026-11-27"),
    Fact("name", "Pixel", "companion"),
)


def candidates(text: str, **turn: object) -> list[Candidate]:
    made = Turn(text, **({"at": AT, "history": TALKED} | turn))  # type: ignore[arg-type]
    made.emotion = made.emotion or Lexicon()([made])[0]
    return Skills()([made])[0]


def reply(text: str, **turn: object) -> str:
    found = candidates(text, **turn)
    assert len(found) == 1, f"no skill answers {text!r}"
    assert found[0].sure
    assert found[0].source == "skills"
    return found[0].text
