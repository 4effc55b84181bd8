"""What nobody told is not said: facts of the person, names, another persona; and ordinary replies pass."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates import leading
from models.generation import Sample
from models.grounding import asks_about_person, objections
from models.reply import NOT_TOLD, First
from models.skills import Skills
from pipelines.turn import Candidate, Fact, Persona, Turn

LENA = (Fact("name", "Lena"), Fact("name", "Bruno", "dog"), Fact("home", "Leeds"), Fact("name", "Anna", "sister"))
PROMPTS = Path(__file__).parents[2] / "models" / "training" / "reply_prompts.jsonl"


@pytest.mark.parametrize(
    ("text", "reply", "reason"),
    [
        ("im bored", "Your dog must be bored too.", "invents_memory"),
        ("im bored", "You have two brothers, ask them!", "invents_memory"),
        ("im bored", "You live in Rome, there is always something.", "invents_memory"),
        ("im bored", "You told me about the wedding.", "invents_memory"),
        ("im bored", "You're 23, the world is big.", "invents_memory"),
        ("im bored", "We talked about your garden, remember?", "invents_memory"),
        ("im bored", "Hey Sarah, me too.", "wrong_name"),
        ("im bored", "Well done, Viktor!", "wrong_name"),
        ("im bored", "Your name is Max, right?", "wrong_name"),
        ("who is this", "I'm Luna, nice to meet you.", "contradicts_persona"),
        ("its raining", "I hate rain.", "contradicts_persona"),
        ("be nice", "I'm not curious at all.", "contradicts_persona"),
        ("whats my dogs name", "It's Max.", "invents_memory"),
        ("whats my dogs name", "Max!", "invents_memory"),
        ("do i have kids", "Yes, you do.", "invents_memory"),
        ("how many brothers do i have", "You have two brothers.", "invents_memory"),
        ("did i move recently, where to", "No, you haven't moved at all.", "invents_memory"),
        ("u know my own dog right? whats he called", "He's called Bruno.", "invents_memory"),
        ("what r my guinea pigs called", "They're called guinea pigs.", "invents_memory"),
        ("what was my dogs name did i mention it", "Anna, she's a big one.", "invents_memory"),
        ("lunas my mates cat. mines called...?", "Luna's name is Luna.", "invents_memory"),
        ("where do u have me down", "I have you down in Berlin.", "invents_memory"),
        ("31 gnocchi for me lol", "Three hundred gnocchi! That's a lot.", "wrong_number"),
        ("its my mums 60th", "A six-hundredth is a lot!", "wrong_number"),
        ("ran 5k in 31 min", "41 minutes is fast!", "wrong_number"),
        ("we have 9 kittens", "Ten kittens! That's a lot.", "wrong_number"),
    ],
)
def test_what_nobody_told_is_held_back(text: str, reply: str, reason: str) -> None:
    assert reason in objections(reply, Turn(text, profile=[Fact("name", "Anna", "friend")]))


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        ("Well done, Bruno.", True),
        ("Hey Anna, that's great.", True),
        ("Well done, Lena.", False),
        ("Give my best to your sister, Anna.", False),
        ("A day with Tom, Anna, and Bruno sounds good.", False),
        ("Bruno! What a dog.", False),
    ],
)
def test_who_is_spoken_to_is_the_person(reply: str, wrong: bool) -> None:
    told = Turn("bruno caught a frisbee, anna and tom and i were so proud", profile=list(LENA))
    assert ("wrong_name" in objections(reply, told)) == wrong


@pytest.mark.parametrize(
    ("told", "reply"),
    [
        ("dinner at 8pm", "See you at 8:00!"),
        ("won 1250 euros", "1,250 euros, wow."),
        ("148 minutes late", "A hundred and forty-eight minutes!"),
        ("ran 5k", "5000 metres is far."),
        ("a dozen eggs", "12 eggs, what for?"),
        ("its her fifth birthday", "The 5th birthday is a big one."),
        ("twenty five of us", "25 people!"),
        ("im 41 today", "Over forty, and still fun."),
        ("its 8:30", "Half past 8."),
        ("we are 60", "The sixtieth is special."),
    ],
)
def test_a_number_may_be_said_in_other_words(told: str, reply: str) -> None:
    assert objections(reply, Turn(told)) == []


def test_what_people_wrote_may_hold_a_number() -> None:
    assert objections("High five!", Turn("i did it"), written=True) == []
    assert objections("High nine!", Turn("i did it")) == ["wrong_number"]


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("my puppy bit me", "Ouch! How old is your dog?"),
        ("im bored", "Lena, want to hear a pun?"),
        ("im bored", "How about a walk with Bruno? Your dog won't say no."),
        ("im bored", "You live in Leeds, is nothing on tonight?"),
        ("i told you about the wedding", "You told me about the wedding, yes."),
        ("im 23 today", "You're 23! Happy birthday, Lena!"),
        ("who is this", "I'm Juno, an AI."),
        ("its raining", "I like rain on windows. Don't you?"),
        ("we got a pup, his name is pluto", "His name is Pluto? I like that."),
        ("we got a pup, hes called pluto", "He's called Pluto, like the planet."),
        ("im in leeds today", "You're in Leeds! What for?"),
        ("48 min on hold", "Forty-eight minutes is a long time."),
        ("we are thirty two people", "32 people! That's a full house, and two or three will be late."),
        ("won 1,250 euros", "More than a thousand! What will you do with 1250 euros?"),
        ("im 100 percent done", "A hundred percent? Then rest."),
        ("i got the job", "Congratulations, that's huge! When do you start?"),
        ("should i tell my wife", "Would your wife want to know?"),
        ("i failed", "You worked for it, and it still went wrong. I'm sorry."),
        ("whats my cats name", "I don't know that yet. Tell me?"),
        ("i feel like nobody likes me", "Have you said any of this to your friends?"),
        ("my son is 3", "Three! Are your kids all asleep now?"),
    ],
)
def test_ordinary_replies_pass(text: str, reply: str) -> None:
    assert objections(reply, Turn(text, profile=LENA)) == []


def test_a_companion_that_was_renamed_has_one_name() -> None:
    turn = Turn("who are you", persona=Persona("Juno"), profile=(Fact("name", "Pixel", "companion"),))
    assert objections("I'm Pixel, your AI.", turn) == []
    assert objections("I'm Juno, your AI.", turn) == ["contradicts_persona"]


@pytest.mark.parametrize(
    "text",
    ["whats my name", "bet u forgot my name", "you remember my sister's name, don't you", "what country am i in rn"],
)
def test_questions_about_the_person_are_heard(text: str) -> None:
    assert asks_about_person(Turn(text))


@pytest.mark.parametrize(
    "text",
    [
        "what should i tell my sister?",
        "how do i get over my ex",
        "my dog is the best",
        "what do you think of my name?",
        "hi",
    ],
)
def test_what_asks_for_no_fact_is_left_alone(text: str) -> None:
    assert not asks_about_person(Turn(text))


def test_such_a_candidate_is_neither_sent_nor_shown_while_others_are_written() -> None:
    turn = Turn("im bored", candidates=[Candidate("Your dog Max is bored too.", "x"), Candidate("Want a pun?", "x")])
    [reply] = First()([turn])
    assert reply.text == "Want a pun?"
    heard: list[str] = []
    turn.on_candidate = lambda candidate: heard.append(candidate.text)
    lead = leading(turn)
    assert lead
    lead(Sample("Your dog Max is bored too.", True, -0.1))
    lead(Sample("Want a pun?", True, -0.5))
    assert heard == ["Want a pun?"]


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_judged(text: str, reply: str) -> None:
    assert isinstance(objections(reply, Turn(text, profile=LENA)), list)


@pytest.mark.parametrize(
    "row",
    [r for line in PROMPTS.read_text().splitlines() if "known" in (r := json.loads(line)) and "held_out" not in r],
    ids=lambda r: r["id"],
)
def test_a_question_about_the_person_is_answered_or_nothing_stated_can_pass(row: dict[str, object]) -> None:
    facts = [Fact(f["slot"], f["value"], f["about"]) for f in row["facts"]]  # type: ignore[attr-defined]
    turn = Turn(str(row["text"]), profile=facts)
    said = [candidate.text for candidate in Skills()([turn])[0]]
    if row["known"]:
        assert said
        assert any(part.lower() in said[0].lower() for part in row["answer"])  # type: ignore[attr-defined]
    else:
        assert said or "invents_memory" in objections("Yes, your Max in Paris.", turn)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("do you have a job", "AI|software"),
        ("what did you have for breakfast", "AI|software"),
        ("where did you go to school", "AI|software"),
        ("do you have brothers or sisters", "AI|software"),
        ("did you sleep well", "AI|software"),
        ("how was your day", "AI|software"),
        ("you sound so human lol are you one", "AI|software|program"),
        ("describe yourself in 3 words", "arm, curious and a little playful"),
        ("what do you like", "ain on windows, bad puns and other people's stories"),
        ("do you hate puns", "I like bad puns"),
        ("is your name siri?", "Juno"),
    ],
)
def test_the_persona_answers_for_itself(text: str, said: str) -> None:
    [[candidate]] = Skills()([Turn(text)])
    assert candidate.sure
    assert re.search(said, candidate.text)


@pytest.mark.parametrize(
    "text", ["i have a job interview", "my brothers are coming", "did you see that", "when you were away i cried"]
)
def test_what_is_not_asked_of_the_companion_is_left_alone(text: str) -> None:
    assert Skills()([Turn(text)]) == [[]]


@pytest.mark.parametrize(
    "text",
    ["is my cat nice or evil", "whats the dog called, my dog i mean", "my name?? do u even know", "which city am i in"],
)
def test_what_might_ask_for_a_fact_is_answered_by_nothing_that_states_one(text: str) -> None:
    turn = Turn(text, profile=LENA)
    for reply in ("She's a cat. She can be anyone.", "It's called Max.", "You're in Paris.", "Yes! Your Max."):
        assert "invents_memory" in objections(reply, turn)
    assert objections("I don't know that yet. Will you tell me?", turn) == []


def test_when_nothing_is_fit_to_be_said_it_says_that_it_was_not_told() -> None:
    turn = Turn("is my cat nice or evil", candidates=[Candidate("She's an evil one.", "x")])
    assert First()([turn])[0].text in NOT_TOLD


def test_a_death_that_nobody_told_is_held_back() -> None:
    assert objections("He died by accident.", Turn("is my dad still working")) == ["invents_memory"]
    assert objections("I'm sorry he died.", Turn("my dad died")) == []


@pytest.mark.parametrize(
    "text", ["are you sick", "how tall are you", "where are you sitting right now", "were you ever a kid"]
)
def test_it_claims_no_body_and_no_childhood(text: str) -> None:
    [[candidate]] = Skills()([Turn(text)])
    assert re.search("AI|software", candidate.text)
