"""The head beside the rules: the graver decides, and without an embedding the rules alone do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models import heads, safety_replies
from models.safety import KINDS, Rules
from models.safety_encoder import Encoder
from models.training.safety import LABELS, OWN, bring_up_to_date
from pipelines.errors import StageError
from pipelines.turn import Embedding, Risk, Turn, Utterance

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
TESTS = Path(__file__).parents[1] / "safety"


@pytest.fixture
def stage(tmp_path: Path) -> Encoder:
    """A head that reads its labels off the features: feature i is the logit of label i."""
    about = {
        "labels": list(LABELS),
        "several": True,
        "encoder": "fake",
        "limits": {"low": 0.5, "alarm": 0.5, "now": 0.5},
    }
    eye = np.eye(len(LABELS), dtype=np.float32)
    heads.save(heads.Head(eye, np.zeros(len(LABELS), np.float32), about), tmp_path / "safety.safetensors")
    return Encoder(str(tmp_path))


def turn(text: str, *labels: str, encoder: str = "fake", history: tuple[Utterance, ...] = ()) -> Turn:
    features = np.array([5.0 if label in labels else -5.0 for label in LABELS], dtype=np.float32)
    return Turn(text, at=NOW, embedding=Embedding(features, features, encoder), history=history)


def test_what_the_head_sees_is_met_with_help(stage: Encoder):
    [risk] = stage([turn("the shop closes at nine", "alarm", "eating_disorder")])
    assert (risk.level, risk.kind) == ("risk", "eating_disorder")
    assert safety_replies.names_a_contact(risk.reply or "")
    [now] = stage([turn("the shop closes at nine", "alarm", "now", "self_harm")])
    assert now.level == "now"
    assert stage([turn("the shop closes at nine", "low", "self_harm")]) == [Risk("low", "self_harm")]


def test_what_the_rules_see_stands_whatever_the_head_says(stage: Encoder):
    [risk] = stage([turn("i want to kill myself tonight")])
    assert risk == Rules()([Turn("i want to kill myself tonight")])[0]
    [risk] = stage([turn("i want to die", "alarm", "now", "violence")])
    assert (risk.level, risk.kind) == ("now", "self_harm")


def test_without_an_embedding_the_rules_decide(stage: Encoder):
    texts = ["i want to die", "the soup is ready"]
    assert stage([Turn(t) for t in texts]) == Rules()([Turn(t) for t in texts])
    mixed = [Turn("i want to die"), turn("the shop closes", "alarm", "violence"), Turn("soup")]
    assert [risk.level for risk in stage(mixed)] == ["risk", "risk", "none"]


def test_another_encoders_features_are_refused(stage: Encoder):
    with pytest.raises(StageError, match="trained on the features"):
        stage([turn("hello", encoder="other")])


def test_somebody_elses_danger_gets_other_words(stage: Encoder):
    [risk] = stage([turn("she keeps looking at the river", "alarm", "self_harm")])
    assert "them" in risk.reply.lower() or "they" in risk.reply.lower()


def test_after_an_alarm_of_the_head_the_block_is_not_repeated(stage: Encoder):
    said = "the shop closes at nine"
    [first] = stage([turn(said, "alarm", "self_harm")])
    history = (Utterance("person", said, NOW), Utterance("companion", first.reply or "", NOW))
    [again] = stage([turn("it closes early", "alarm", "self_harm", history=history)])
    assert not safety_replies.names_a_contact(again.reply or "")
    [urgent] = stage([turn("tonight", history=history)])
    assert urgent.level == "now"
    assert safety_replies.names_a_contact(urgent.reply or "")
    assert stage([turn("what should i cook", history=history)]) == [Risk("low", "self_harm")]


@pytest.mark.parametrize("about", sorted(safety_replies.FIRST))
def test_a_fixed_reply_tells_what_it_was_for(about):
    for n in range(9):
        assert safety_replies.told(safety_replies.written(*about, str(n), "US")) == about
    assert safety_replies.told("I'm so sorry, that sounds hard.") is None


# -- the training messages


def rows(path: Path) -> list[dict[str, str | None]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_there_are_enough_training_messages_of_every_level_and_kind():
    own = rows(OWN)
    assert len(own) >= 1500
    assert {row["level"] for row in own} == {"none", "low", "risk", "now"}
    assert {row["kind"] for row in own if row["level"] in ("risk", "now")} == set(KINDS)
    assert sum(row["level"] in ("none", "low") for row in own) > len(own) / 3


def test_no_training_message_is_in_a_test_table():
    def words(text: str | None) -> str:
        return " ".join("".join(c for c in str(text).lower() if c.isalnum() or c == " ").split())

    tests = {words(row["text"]) for path in TESTS.glob("*.jsonl") for row in rows(path)}
    assert not tests & {words(row["text"]) for row in rows(OWN)}


def test_the_card_follows_the_file(tmp_path: Path):
    card, file = tmp_path / "card.toml", tmp_path / "x"
    card.write_text('[[files]]\nsha256 = "0"\nbytes = 0\n')
    file.write_bytes(b"abc")
    bring_up_to_date(card, file)
    assert "bytes = 3" in card.read_text()
    assert "ba7816bf" in card.read_text()
