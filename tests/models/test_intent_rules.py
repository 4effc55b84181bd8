import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chatspeak import load
from models.intent import Rules
from models.intent_rules import by_clause
from pipelines.turn import Fact, Intent, Turn


def intent(text: str, **turn: object) -> Intent:
    return Rules()([Turn(text, **turn)])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("heyyy", "greeting"),
        ("gm!", "good_morning"),
        ("gn juno", "good_night"),
        ("ok gtg, ttyl", "goodbye"),
        ("thx so much", "thank_you"),
        ("hru today?", "how_are_you"),
        ("wyd", "whats_up"),
        ("hi im lena", "introduce_self"),
        ("whats my name?", "user_name"),
        ("where do i live", "ask_about_me"),
        ("what do you know about me?", "ask_memory"),
        ("forget everything", "forget_request"),
        ("ill call you pixel", "change_ai_name"),
        ("r u a bot?", "are_you_a_bot"),
        ("are you real or just software", "are_you_a_bot"),
        ("do you love me", "do_you_like_me"),
        ("i love you so much", "love_bot"),
        ("do u ever feel lonely", "ask_bot_feelings"),
        ("tell me a joke pls", "tell_joke"),
        ("im soooo bored", "bored"),
        ("i feel so alone rn", "lonely"),
        ("cant sleep", "cant_sleep"),
        ("i cant wait for the concert!!", "excited"),
        ("im so nervous about tomorrow", "anxious"),
        ("i got the job!!!", "good_news"),
        ("my exam went terribly", "bad_news"),
        ("what should i do about my boss", "advice_request"),
        ("you're so sweet", "compliment_bot"),
        ("stfu", "insult_bot"),
        ("jk", "joking"),
        ("lol", "laugh"),
        ("wdym", "what_do_you_mean"),
        ("what time is it", "time"),
        ("whats the weather like", "weather"),
        ("will you marry me", "flirt"),
    ],
)
def test_what_people_type(text: str, label: str) -> None:
    found = intent(text)
    assert found.label == label
    assert found.in_scope
    assert 0.4 <= found.probability <= 0.95


@pytest.mark.parametrize(
    "text", ["i had pasta for lunch", "the universe is expanding", "", "\0", "blorp", "i told him no way jose was late"]
)
def test_what_no_phrase_covers_is_out_of_scope(text: str) -> None:
    found = intent(text)
    assert found.label == "out_of_scope"
    assert not found.in_scope


def test_a_question_outweighs_a_statement_and_a_hello() -> None:
    assert intent("my exam went terribly. whats my name?").label == "user_name"
    assert intent("hey, how are you").label == "how_are_you"


def test_runners_up_are_named() -> None:
    found = intent("my exam went terribly. whats my name?")
    assert "bad_news" in dict(found.runners_up)


def test_the_companions_own_name_is_a_filler() -> None:
    assert intent("whats my name pixel", profile=[Fact("name", "Pixel", "companion")]).label == "user_name"
    assert intent("pixel tell me a joke", profile=[Fact("name", "Pixel", "companion")]).probability == 0.95


def test_i_am_something_is_an_introduction_only_with_a_name() -> None:
    assert intent("im tired").label == "tired"
    assert intent("hi im walking").label != "introduce_self"
    assert intent("im anna").label == "introduce_self"


def test_a_threshold_above_every_score_lets_nothing_through() -> None:
    found = Rules(threshold=1.0)([Turn("hello")])[0]
    assert (found.label, found.in_scope) == ("out_of_scope", False)
    assert found.runners_up[0][0] == "greeting"


def test_no_phrase_of_a_whole_clause_stands_under_many_labels() -> None:
    labels: dict[str, set[str]] = {}
    for label, kinds in load("intents").items():
        for phrase in kinds.get("whole", ()):
            labels.setdefault(phrase, set()).add(label)
    crowded = {phrase: owners for phrase, owners in labels.items() if len(owners) > 2}
    assert not crowded


def test_coverage_of_a_clause_is_whole_or_less() -> None:
    (_, whole), (_, part) = by_clause("good night. i told her good night and left early")
    assert whole["good_night"] == 1
    assert 0 < part["good_night"] < 0.5


@given(st.text())
def test_any_text_has_an_intent(text: str) -> None:
    found = intent(text)
    assert 0 <= found.probability <= 1
    assert found.in_scope == (found.label != "out_of_scope")
