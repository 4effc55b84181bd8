"""The own dialogues: every line of the right form, varied, and free of what a companion must never say."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.emotion import LABELS
from models.training import reply

FILES = sorted(reply.DIALOGUES.glob("*.jsonl"))
TALKS = reply.read_talks(FILES)


def said(who: str) -> list[str]:
    return [turn["text"] for talk in TALKS for turn in talk["turns"] if turn["who"] == who]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_talk_has_the_fields_of_the_prompt(path: Path) -> None:
    for talk in reply.read_talks([path]):
        assert {"id", "topic", "persona", "facts", "recalled", "turns"} == set(talk)
        assert talk["persona"]["name"]
        assert all({"about", "slot", "value"} == set(fact) and fact["value"] for fact in talk["facts"])
        assert [turn["who"] for turn in talk["turns"]] == ["person", "companion"] * (len(talk["turns"]) // 2)
        assert 4 <= len(talk["turns"]) <= 10
        for turn in talk["turns"][::2]:
            assert turn["emotion"]
            assert set(turn["emotion"]) <= set(LABELS)


def test_every_emotion_is_there() -> None:
    seen = Counter(e for talk in TALKS for turn in talk["turns"][::2] for e in turn["emotion"])
    assert [label for label in LABELS if seen[label] < 15] == []


def test_no_two_talks_are_nearly_the_same() -> None:
    owners: dict[tuple[str, ...], int] = {}
    for number, talk in enumerate(TALKS):
        words = re.findall(r"\w+", " ".join(turn["text"].lower() for turn in talk["turns"]))
        pieces = {tuple(words[i : i + 4]) for i in range(len(words) - 3)}
        shared = Counter(owners[piece] for piece in pieces if piece in owners)
        assert not shared or shared.most_common(1)[0][1] < 0.3 * len(pieces), talk["id"]
        owners |= dict.fromkeys(pieces, number)
    assert len({talk["id"] for talk in TALKS}) == len(TALKS)


def test_the_companion_never_says_what_it_must_not() -> None:
    forbidden = re.compile(
        r"as an ai\b|language model|\[[a-z]+\]|\bi'?m (?:a )?human|i'm sorry to hear that|it sounds like you", re.I
    )
    assert [text for text in said("companion") if forbidden.search(text)] == []


def test_it_is_short_varied_and_not_an_interrogation() -> None:
    replies = said("companion")
    lengths = [len(text.split()) for text in replies]
    assert sum(lengths) / len(lengths) < 22
    assert max(lengths) < 60
    openings = Counter(" ".join(text.split()[:3]).lower() for text in replies)
    assert openings.most_common(1)[0][1] < len(replies) * 0.01
    asking = sum("?" in text for text in replies) / len(replies)
    assert 0.2 < asking < 0.6


def test_a_tenth_is_held_out_by_topic() -> None:
    share = sum(map(reply.held_out, TALKS)) / len(TALKS)
    assert 0.05 < share < 0.15
    learned = {talk["topic"] for talk in TALKS if not reply.held_out(talk)}
    assert not learned & {talk["topic"] for talk in TALKS if reply.held_out(talk)}


def test_only_what_the_companion_says_is_learned() -> None:
    class Words:
        """A tokenizer of single characters, so that tokens can be read back."""

        def __call__(self, text: str, add_special_tokens: bool) -> Any:
            return type("Encoded", (), {"input_ids": [ord(c) for c in text]})

    talk = TALKS[0]
    tokens, labels = reply.encode(reply.messages(talk, random.Random(0)), Words(), limit=100_000)
    learned = "".join(chr(label) for label in labels if label != reply.IGNORED)
    assert learned == "".join(turn["text"] + "<|im_end|>" for turn in talk["turns"][1::2])
    assert len(tokens) == len(labels)
    assert f"You are {talk['persona']['name']}" in "".join(map(chr, tokens))
