"""Sure answers to small things: the clock, sums, games, another language, keys hit at random."""

from __future__ import annotations

import pytest
from skilled import AT, TALKED, candidates, reply

from models.chatspeak import load
from models.languages import foreign
from pipelines.turn import Utterance

# -- clock and games


def test_the_clock_is_the_persons() -> None:
    assert "3:04 pm" in reply("what time is it")
    assert "Sunday, 22 November 2026" in reply("whats the date?")
    assert "Monday" in reply("what day is tomorrow")
    assert reply("is it monday?").startswith(("No", "Not"))


def test_another_place_has_another_clock() -> None:
    assert "where you are" in reply("what time is it in tokyo").lower()


@pytest.mark.parametrize(
    ("text", "value"), [("12 times 4", "48"), ("what's 7-10?", "-3"), ("9/2", "4.5"), ("5 / 0", "zero"), ("3 x 3", "9")]
)
def test_sums(text: str, value: str) -> None:
    assert value in reply(text)


def test_a_joke_and_another_one_differ() -> None:
    first = reply("tell me a joke")
    history = (*TALKED, Utterance("person", "tell me a joke", AT), Utterance("companion", first, AT))
    second = reply("another one", history=history)
    assert {first, second} <= set(load("games")["jokes"])
    assert first != second


def test_a_riddle_is_asked_guessed_and_given_up() -> None:
    riddle = load("games")["riddles"][0]
    history = (*TALKED, Utterance("person", "riddle", AT), Utterance("companion", riddle["ask"], AT))
    assert riddle["answer"].split()[-1] in reply("is it a clock?", history=history)
    assert riddle["answer"] in reply("no idea", history=history).lower()
    assert candidates("hmm a spoon", history=history) == []


def test_coins_and_dice_stay_on_the_table() -> None:
    assert {reply("flip a coin").strip(".!").split()[-1].lower() for _ in range(40)} == {"heads", "tails"}
    rolls = {int("".join(c for c in reply("roll a d4") if c.isdigit())) for _ in range(80)}
    assert rolls == {1, 2, 3, 4}


def test_repeating_says_the_last_reply_again() -> None:
    assert "Hey you." in reply("what did you say?")


# -- odd messages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hola, como estas hoy", "spanish"),
        ("ich bin heute so müde", "german"),
        ("je suis très triste", "french"),
        ("привет как дела", "russian"),
        ("こんにちは元気", "japanese"),
        ("ben bugün çok mutlu", "turkish"),
    ],
)
def test_another_language_gets_an_honest_word(text: str, language: str) -> None:
    found = foreign(text)
    assert found is not None
    assert found[0] == language
    assert "English" in reply(text)


@pytest.mark.parametrize(
    "text",
    [
        "the die is cast",
        "me and tom in la",
        "lol no",
        "que?",
        "ok",
        "i met tu on the bus",
        "hi im lena",
        "thank you",
        "ty",
        "ok thank u",
    ],
)
def test_english_is_english(text: str) -> None:
    assert foreign(text) is None


@pytest.mark.parametrize("text", ["asdfgh", "sdkfjhsdkfjh", "qwertyuiop lkjhgf", "asdfgh jkl", "asdf"])
def test_keys_hit_at_random_are_taken_with_humour(text: str) -> None:
    assert reply(text) in load("skills")["odd"]["gibberish"]


@pytest.mark.parametrize("text", ["", "   ", "...", "?", "\0", "\u200b"])
def test_a_message_of_nothing_is_answered(text: str) -> None:
    assert reply(text)


@pytest.mark.parametrize("text", ["😂😂", "i had pasta", "my exam went terribly", "hmm", "rhythm", "lmao"])
def test_what_needs_no_skill_gets_none(text: str) -> None:
    assert candidates(text) == []
