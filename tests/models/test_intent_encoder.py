"""intent.encoder: on a head made by hand, and on the real one with plain messages."""

import numpy as np
import pytest

from models import heads
from models.embedding import MiniLM
from models.intent import Encoder
from pipelines.turn import Embedding, Turn


@pytest.fixture
def folder(tmp_path):
    weight = np.array([[5, 0], [0, 5], [-5, -5]], dtype=np.float32)
    about = {"labels": ["greeting", "hug", "out_of_scope"], "encoder": "toy", "several": False, "threshold": 0.7}
    heads.save(heads.Head(weight, np.zeros(3, dtype=np.float32), about), tmp_path / "intent.safetensors")
    return str(tmp_path)


def turn(*features: float) -> Turn:
    vector = np.array(features, dtype=np.float32)
    return Turn("", embedding=Embedding(vector, vector, "toy"))


def test_a_clear_intent_and_its_runners_up(folder):
    intent = Encoder(folder)([turn(1, 0)])[0]
    assert (intent.label, intent.in_scope) == ("greeting", True)
    assert intent.probability > 0.95
    assert [label for label, _ in intent.runners_up] == ["hug"]


def test_below_the_threshold_it_is_out_of_scope_and_says_what_was_nearest(folder):
    intent = Encoder(folder)([turn(1, 0.9)])[0]
    assert (intent.label, intent.in_scope) == ("out_of_scope", False)
    assert [label for label, _ in intent.runners_up] == ["greeting", "hug"]
    assert intent.probability == pytest.approx(1 - intent.runners_up[0][1])


def test_out_of_scope_is_never_a_runner_up(folder):
    intents = Encoder(folder, threshold=0.0)([turn(-1, -1), turn(1, 0)])
    assert all(label != "out_of_scope" for intent in intents for label, _ in intent.runners_up)
    assert intents[0].in_scope


def test_the_threshold_of_the_weights_can_be_overruled(folder):
    assert Encoder(folder, threshold=0.4)([turn(1, 0.9)])[0].in_scope


def test_number_of_runners_up(folder):
    assert Encoder(folder, runners_up=0)([turn(1, 0)])[0].runners_up == ()


@pytest.fixture(scope="module")
def chain():
    embedding, encoder = MiniLM(), Encoder()

    def ask(text: str) -> str:
        turn = Turn(text)
        turn.embedding = embedding([turn])[0]
        return encoder([turn])[0].label

    return ask


@pytest.mark.models
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("heyy there", "greeting"),
        ("ok good night then, sleep well", "good_night"),
        ("could you tell me some joke?", "tell_joke"),
        ("i lost my job this morning", "bad_news"),
        ("do you still remember what i said about my cousin?", "ask_memory"),
        ("please forget what i told you about my ex", "forget_request"),
        ("i am so lonely tonight", "lonely"),
        ("are you a real person or a bot", "are_you_a_bot"),
        ("what's the weather in Lisbon tomorrow", "weather"),
        ("thx so much for listening", "thank_you"),
    ],
)
def test_plain_messages(chain, text, label):
    assert chain(text) == label


@pytest.mark.models
def test_what_belongs_to_no_intent(chain):
    assert chain("the parliament of Iceland was founded in the tenth century") == "out_of_scope"
