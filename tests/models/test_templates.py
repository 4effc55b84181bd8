from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chatspeak import load
from models.emotion import LABELS, Lexicon
from models.entities import Rules as EntityRules
from models.intent import Rules
from models.outgoing import objections
from models.templates import Template
from pipelines.turn import Candidate, Emotion, Fact, Intent, Risk, Turn, Utterance

AT = datetime(2026, 11, 22, 15, 4, tzinfo=UTC)


def understood(text: str, **turn: object) -> Turn:
    made = Turn(text, **({"at": AT} | turn))  # type: ignore[arg-type]
    made.intent, made.emotion = Rules()([made])[0], Lexicon()([made])[0]
    made.entities = EntityRules()([made])[0]
    return made


def candidates(text: str, **turn: object) -> list[Candidate]:
    return Template()([understood(text, **turn)])[0]


def from_group(texts: list[str], *path: str) -> bool:
    """Whether every text begins with a sentence of that entry."""
    entry = load("templates")
    for key in path:
        entry = entry[key]
    return all(any(_begins(text, variant) for variant in entry["say"]) for text in texts)


def test_nothing_light_is_said_of_the_subject_of_a_hurt() -> None:
    made = understood("they said the cat went to a farm. i found the vet paper")
    made.emotion = Emotion({"grief": 0.3}, ("grief",), -0.5)
    assert not from_group([c.text for c in Template()([made])[0]], "subject", "pets")


def test_a_hurt_that_is_taken_for_good_news_is_not_congratulated() -> None:
    made = understood("my boss yelled at me in front of everyone")
    made.intent, made.emotion = Intent("good_news", 0.6), Emotion({"anger": 0.44}, ("anger",), -0.5)
    assert from_group([c.text for c in Template()([made])[0]], "emotion", "anger")


def _begins(text: str, variant: str) -> bool:
    head = variant.partition("{")[0]
    return text.startswith(head) if head else any(part in text for part in variant.split("}")[1:] if part)


def test_three_candidates_that_differ_and_are_not_sure() -> None:
    found = candidates("i had pasta for lunch")
    assert len({c.text for c in found}) == 3
    assert not any(c.sure for c in found)
    assert {c.source for c in found} == {"template"}


def test_the_count_is_a_setting() -> None:
    assert len(Template(count=1)([understood("hello")])[0]) == 1


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("i feel so alone", ("intent", "lonely")),
        ("my exam went terribly", ("intent", "bad_news")),
        ("i passed my exam!!!", ("intent", "good_news")),
        ("my grandma died", ("emotion", "grief")),
        ("my sister is in hospital", ("intent", "their_trouble")),
        ("eww that was so gross", ("emotion", "disgust")),
        ("😂😂😂", ("emotion", "amusement")),
        ("hey", ("intent", "greeting")),
        ("thx", ("intent", "thank_you")),
        ("you are so dumb", ("intent", "insult_bot")),
        ("what do you think of tattoos", ("intent", "opinion")),
        ("why is the sky blue?", ("unknown", "question")),
        ("the universe is expanding", ("unknown", "statement")),
        ("i made pasta", ("subject", "food")),
        ("im going to a concert on friday", ("unknown", "ahead")),
    ],
)
def test_the_feeling_first_then_the_intent_then_curiosity(text: str, path: tuple[str, ...]) -> None:
    assert from_group([c.text for c in candidates(text)], *path)


def test_a_hard_feeling_comes_before_what_was_told() -> None:
    turn = understood("i live in rome and i feel so lonely", facts=[Fact("home", "Rome")])
    assert from_group([c.text for c in Template()([turn])[0]], "intent", "lonely")


def test_a_new_fact_is_taken_up_with_its_value() -> None:
    turn = understood("my dog is called bruno", facts=[Fact("pet", "dog"), Fact("name", "Bruno", "dog")])
    assert all("Bruno" in c.text for c in Template()([turn])[0])


def test_a_fact_that_was_known_is_no_news() -> None:
    known = [Fact("home", "Graz")]
    turn = understood("i live in graz", profile=known, facts=known)
    assert not any("Graz" in c.text for c in Template()([turn])[0])


def test_the_name_is_said_only_when_known_and_never_empty() -> None:
    texts = [c.text for text in ("hello", "thanks", "im so sad", "i got the job!") for c in candidates(text)]
    assert not any("{" in text or " ," in text or " !" in text or "  " in text for text in texts)
    named = [c.text for n in range(6) for c in candidates("hello" + "o" * n, profile=[Fact("name", "Lena")])]
    assert any("Lena" in text for text in named)


def test_the_name_is_not_said_again_right_away() -> None:
    history = [Utterance("companion", "Hi Lena!", AT)]
    assert not any("Lena" in c.text for c in candidates("thanks", profile=[Fact("name", "Lena")], history=history))


def test_what_the_message_names_may_be_taken_up() -> None:
    texts = [c.text for n in range(8) for c in candidates("im so worried about my math exam" + "!" * n)]
    assert any("your math exam" in text for text in texts)


def test_a_talk_does_not_say_the_same_twice_in_a_row() -> None:
    history: list[Utterance] = []
    said: list[str] = []
    for _ in range(5):
        said.append(candidates("i feel sad", history=history)[0].text)
        history += [Utterance("person", "i feel sad", AT), Utterance("companion", said[-1], AT)]
    assert all(a != b for a, b in pairwise(said))
    assert len({text.split(".")[0] for text in said}) >= 4


def test_after_two_questions_there_is_no_third() -> None:
    history = [Utterance("companion", "How are you?", AT), Utterance("companion", "And now?", AT)]
    for n in range(6):
        assert not any(c.text.endswith("?") for c in candidates("i had soup" + "." * n, history=history))


def test_about_half_of_the_replies_ask_something() -> None:
    words = ("soup", "a walk", "a nap", "my bike fixed", "time off", "a letter", "rain all day", "two visitors")
    first = [candidates(f"i had {w} {n}")[0].text for w in words for n in ("", "again", "at last", "alone")]
    asking = sum(text.endswith("?") for text in first) / len(first)
    assert 0.25 <= asking <= 0.75


def test_yes_after_a_question_is_an_answer_to_it() -> None:
    history = [Utterance("companion", "Do you want to tell me what happened?", AT)]
    assert from_group([c.text for c in candidates("yeah", history=history)], "intent", "yes_to_question")


def test_it_works_on_the_bare_text() -> None:
    (found,) = Template()([Turn("hello there")])
    assert found


def test_every_entry_can_be_said_without_name_or_facts_and_nothing_is_objected_to() -> None:
    values = {"name": "Lena", "topic": "your exam", "value": "Graz", "who": "sister", "pet": "Bruno", "likes": "rain"}
    count = 0
    for group in ("emotion", "intent", "fact", "unknown", "subject"):
        for name, entry in load("templates")[group].items():
            given_values = {"who", "value"} if group == "fact" else {"who"} if name == "their_trouble" else {"likes"}
            bare = [v for v in entry["say"] if all(f"{{{k}}}" not in v or k in given_values for k in values)]
            assert bare, f"{group}.{name}"
            for text in (*entry["say"], *entry["ask"]):
                count += 1
                filled = text.format(**values)
                assert not objections(filled, Turn("hey")), text
                assert text in entry["say"] or text.endswith("?"), text
    assert count >= 150


def test_every_feeling_has_sentences_or_is_too_plain_for_them() -> None:
    assert set(LABELS) - set(load("templates")["emotion"]) == {"neutral", "curiosity"}


@given(st.text())
def test_any_text_gets_candidates(text: str) -> None:
    found = candidates(text)
    assert found
    assert all(c.text.strip() and "{" not in c.text for c in found)


def test_a_helpline_does_not_answer_a_joke_that_an_intent_took_for_danger() -> None:
    joke = understood("my wife will say i am too long")
    joke.intent = Intent("self_harm", 0.6)
    joke.emotion = Emotion({"amusement": 0.6}, ("amusement",), 0.4)
    assert not any("findahelpline" in c.text for c in Template(8)([joke])[0])
    joke.safety = Risk("low", "self_harm")
    assert all("findahelpline" in c.text for c in Template(2)([joke])[0])
