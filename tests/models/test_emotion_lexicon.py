import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.emotion import LABELS, Lexicon
from pipelines.turn import Emotion, Turn


def emotion(text: str) -> Emotion:
    return Lexicon()([Turn(text)])[0]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("im so happy today!!", "joy"),
        ("my exam went terribly", "disappointment"),
        ("i feel sooo sad", "sadness"),
        ("i hate my boss, im so mad", "anger"),
        ("ugh mondays", "annoyance"),
        ("im so nervous about the interview", "nervousness"),
        ("that spider scared me", "fear"),
        ("thank you so much", "gratitude"),
        ("i love you <3", "love"),
        ("omg i did not expect that", "surprise"),
        ("eww gross", "disgust"),
        ("my grandma passed away", "grief"),
        ("i finally did it, so proud of myself", "pride"),
        ("phew, thank god its over", "relief"),
        ("sorry, that was my fault", "remorse"),
        ("i dont get it, im confused", "confusion"),
        ("cant wait for the concert", "excitement"),
        ("😂😂", "amusement"),
        ("😭", "sadness"),
        (":(", "sadness"),
        ("🥰", "love"),
    ],
)
def test_the_feeling_that_the_words_or_the_emoji_say(text: str, label: str) -> None:
    assert label in emotion(text).labels


@pytest.mark.parametrize("text", ["i had pasta for lunch", "the bus leaves at nine", "", "\0\u202e"])
def test_no_feeling_is_neutral(text: str) -> None:
    found = emotion(text)
    assert found.labels == ("neutral",)
    assert abs(found.valence) < 0.1


def test_negation_turns_a_feeling_round() -> None:
    found = emotion("not happy at all")
    assert "joy" not in found.labels
    assert "sadness" in found.labels
    assert found.valence < 0


def test_a_negated_bad_feeling_is_no_bad_feeling() -> None:
    assert emotion("im not sad").labels == ("neutral",)


def test_cant_wait_is_no_negation() -> None:
    found = emotion("i cant wait for the party")
    assert found.valence > 0
    assert "disappointment" not in found.labels


def test_intensity_and_long_drawn_words_raise_it_and_a_bit_lowers_it() -> None:
    plain, very, drawn, little = (
        emotion(text).probabilities["joy"] for text in ("im happy", "im very happy", "im happyyyy", "im a bit happy")
    )
    assert little < plain < drawn
    assert plain < very


def test_somebody_elses_feeling_counts_less() -> None:
    own, others = emotion("i am sad"), emotion("my sister is sad")
    assert others.probabilities["sadness"] < own.probabilities["sadness"] / 1.5
    assert "sadness" not in others.labels


def test_asking_after_the_companions_feeling_is_not_having_it() -> None:
    assert "sadness" not in emotion("are you sad?").labels


def test_grief_over_somebody_else_is_the_persons_own() -> None:
    assert "grief" in emotion("my grandpa died").labels


def test_the_threshold_decides_what_is_named() -> None:
    turn = Turn("i failed")
    assert Lexicon(threshold=0.99)([turn])[0].labels == ("neutral",)
    assert "disappointment" in Lexicon(threshold=0.1)([turn])[0].labels


def test_labels_come_likeliest_first() -> None:
    found = emotion("thanks, i love it :)")
    strengths = [found.probabilities[label] for label in found.labels]
    assert strengths == sorted(strengths, reverse=True)
    assert len(strengths) > 1


@given(st.text())
def test_any_text_gives_every_label_a_probability(text: str) -> None:
    found = emotion(text)
    assert tuple(found.probabilities) == LABELS
    assert all(0 <= p <= 1 for p in found.probabilities.values())
    assert -1 <= found.valence <= 1
    assert found.labels
