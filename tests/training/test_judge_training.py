"""What the judge of replies is trained on, and that a broken-off run goes on; no weights of ours."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from models.training import judge
from models.training.ranker import Judged
from pipelines.turn import Candidate, Turn

SAID = [("person", "my cat is ill"), ("companion", "Oh no, poor cat."), ("person", "yes"), ("companion", "I hope so.")]
OTHER = [("person", "good day"), ("companion", "What made it good?"), ("person", "sun"), ("companion", "Sun helps.")]
TALK = {
    "id": "t",
    "topic": "cats",
    "persona": {"name": "Juno", "traits": [], "likes": []},
    "facts": [{"about": "cat", "slot": "name", "value": "Miso"}],
    "recalled": [],
    "turns": [{"who": who, "text": text, "emotion": ["neutral"]} for who, text in SAID],
}


def test_what_followed_stands_first_beside_what_did_not() -> None:
    other = {**TALK, "facts": [], "turns": [{"who": who, "text": text, "emotion": ["joy"]} for who, text in OTHER]}
    groups = judge.followed([TALK, other], 9, random.Random(1))
    assert {group.pairs[0] for group in groups} == {
        ("Miso / my cat is ill", "Oh no, poor cat."),
        ("Miso / Oh no, poor cat. / yes", "I hope so."),
        ("good day", "What made it good?"),
        ("What made it good? / sun", "Sun helps."),
    }
    for group in groups:
        assert group.good == [1.0, 0.0, 0.0, 0.0]
        assert group.best == 0
        assert len({before for before, _ in group.pairs}) == 1
        assert group.pairs[0] not in group.pairs[1:]
    assert len(judge.followed([TALK, other], 3, random.Random(1))) == 3


def test_what_the_reader_would_have_sent_is_learned_from_and_never_scored() -> None:
    candidates = (Candidate("no", "transformers"), Candidate("well", "template"))
    prompt = Judged("cats", Turn("hello"), candidates, ("nonsense", "ok"), "Hi you.")
    [learned] = judge.judged([prompt], better=True)
    assert [reply for _, reply in learned.pairs] == ["no", "well", "Hi you."]
    assert (learned.good, learned.best) == ([0.0, 1.0, 1.0], 2)
    with_best = Judged("cats", Turn("hello"), candidates, ("nonsense", "best"), "Hi you.")
    assert [group.best for group in judge.judged([with_best], better=True)] == [2]
    [checked] = judge.judged([prompt], better=False)
    assert (len(checked.pairs), checked.best) == (2, None)


def test_a_pass_is_kept_and_found_again(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3))
    out = torch.nn.Linear(3, 1)
    judge.save(tmp_path / "run", model, out, {"run": [2, 40, 0.1]}, torch.float32)
    other, head = torch.nn.Sequential(torch.nn.Linear(3, 3)), torch.nn.Linear(3, 1)
    assert judge.restore(tmp_path / "run", other, head) == (2, 40, 0.1)
    assert torch.equal(other[0].weight, model[0].weight)
    assert torch.equal(head.weight, out.weight)
