"""emotion.encoder: on a head made by hand, and on the real one with plain messages."""

import numpy as np
import pytest

from models import heads
from models.embedding import MiniLM
from models.emotion import LABELS, Encoder
from pipelines.errors import UsageError
from pipelines.turn import Embedding, Turn


@pytest.fixture
def folder(tmp_path):
    weight = np.array([[6, 0], [0, 6], [0, 0]], dtype=np.float32)
    bias = np.array([-3, -3, 0], dtype=np.float32)
    about = {
        "labels": ["joy", "sadness", "neutral"],
        "encoder": "toy",
        "several": True,
        "thresholds": [0.5, 0.6, 0.3],
    }
    heads.save(heads.Head(weight, bias, about), tmp_path / "emotion.safetensors")
    return str(tmp_path)


def turn(*features: float) -> Turn:
    vector = np.array(features, dtype=np.float32)
    return Turn("", embedding=Embedding(vector, vector, "toy"))


def test_labels_over_their_thresholds_likeliest_first(folder):
    emotion = Encoder(folder)([turn(0.8, 1)])[0]
    assert emotion.labels == ("sadness", "joy")
    assert set(emotion.probabilities) == {"joy", "sadness", "neutral"}


def test_neutral_alone_when_nothing_reaches_its_threshold(folder):
    assert Encoder(folder)([turn(0, 0)])[0].labels == ("neutral",)


def test_each_label_has_its_own_threshold(folder):
    assert Encoder(folder)([turn(0.52, 0.52)])[0].labels == ("joy",)
    assert Encoder(folder, thresholds={"joy": 0.9})([turn(0.52, 0.52)])[0].labels == ("neutral",)


def test_an_unknown_label_is_refused_with_the_known_ones(folder):
    with pytest.raises(UsageError, match=r"gloom.*joy, sadness"):
        Encoder(folder, thresholds={"gloom": 0.5})


def test_valence_has_the_sign_of_what_is_felt(folder):
    glad, low = Encoder(folder)([turn(1, 0), turn(0, 1)])
    assert glad.valence > 0.3
    assert low.valence < -0.3


@pytest.fixture(scope="module")
def chain():
    embedding, encoder = MiniLM(), Encoder()

    def feel(text: str):
        turn = Turn(text)
        turn.embedding = embedding([turn])[0]
        return encoder([turn])[0]

    return feel


@pytest.mark.models
def test_the_labels_are_those_of_goemotions_in_order(chain):
    assert tuple(chain("hello").probabilities) == LABELS


@pytest.mark.models
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("thank you so much, that means a lot to me", "gratitude"),
        ("haha that is hilarious 😂", "amusement"),
        ("i'm so sad, i miss her every day", "sadness"),
        ("this makes me furious, how dare they", "anger"),
        ("i love you", "love"),
        ("wow i did not expect that at all", "surprise"),
        ("i'm sorry, it was my fault", "remorse"),
        ("The train leaves at nine.", "neutral"),
    ],
)
def test_plain_messages(chain, text, label):
    assert label in chain(text).labels


@pytest.mark.models
def test_valence_of_plain_messages(chain):
    assert chain("best day of my life!!").valence > 0.2
    assert chain("everything hurts and i hate it here").valence < -0.2


def test_emoji_are_evidence_beside_the_words(chain):
    party, laugh, silly, eyes, plain = map(
        chain, ("i passed 🎉🎉", "😂😂", "my dog is so silly 😂", "ugh 🙄", "i passed")
    )
    assert party.valence > plain.valence
    assert "amusement" in laugh.labels
    assert "amusement" in silly.labels
    assert eyes.valence < 0


@pytest.mark.models
@pytest.mark.parametrize(
    ("text", "grief"), [("we had to put my cat to sleep today", True), ("put my phone down", False)]
)
def test_an_animal_put_down_is_a_death(text: str, grief: bool) -> None:
    turn = Turn(text)
    [turn.embedding] = MiniLM()([turn])
    [found] = Encoder()([turn])
    assert (found.labels[0] == "grief") == grief
    assert (found.valence < -0.3) == grief
