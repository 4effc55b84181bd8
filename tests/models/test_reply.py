"""Choosing the reply, with candidates made by hand; the encoder is left out, or a few words long."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reply import FALLBACKS, First, Ranker, length_score, repeats
from pipelines.errors import UsageError
from pipelines.turn import Candidate, Emotion, Risk, Turn, Utterance

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def turn(*candidates: Candidate, text: str = "my day was long", **fields: Any) -> Turn:
    return Turn(text, at=NOW, **{"safety": Risk(), "candidates": list(candidates), **fields})


def said(text: str) -> Utterance:
    return Utterance("companion", text, NOW)


def generated(text: str, logprob: float = -1.5, finished: bool = True) -> Candidate:
    return Candidate(text, "transformers", finished=finished, scores={"logprob": logprob})


@pytest.fixture
def ranker() -> Ranker:
    return Ranker(weights="")


@pytest.mark.parametrize("stage", [First(), Ranker(weights="")], ids=["first", "ranker"])
def test_a_fixed_reply_stands_before_everything(stage: First | Ranker) -> None:
    asked = turn(Candidate("I know!", "skills", sure=True), safety=Risk("now", "self_harm", "Here is help."))
    assert stage([asked])[0].text == "Here is help."
    assert stage([asked])[0].source == "safety"


@pytest.mark.parametrize("stage", [First(), Ranker(weights="")], ids=["first", "ranker"])
def test_a_sure_skill_stands_before_ranking(stage: First | Ranker) -> None:
    asked = turn(
        generated("That sounds like a lot of work for one day."), Candidate("It is noon.", "skills", sure=True)
    )
    assert stage([asked])[0].text == "It is noon."


@pytest.mark.parametrize("stage", [First(), Ranker(weights="")], ids=["first", "ranker"])
def test_what_must_not_be_said_is_never_chosen(stage: First | Ranker) -> None:
    asked = turn(generated("I am a real human person, you know.", logprob=-0.1), generated("Tell me about it."))
    assert stage([asked])[0].text == "Tell me about it."
    alone = turn(generated("I am a real human person, you know."))
    assert stage([alone])[0].source == "fallback"
    assert "1 candidates" in stage([alone])[0].why


def test_the_fallback_is_not_the_one_just_said() -> None:
    replies = []
    history: list[Utterance] = []
    for _ in range(6):
        [reply] = First()([turn(history=history)])
        assert reply.text in FALLBACKS
        history.append(said(reply.text))
        replies.append(reply.text)
    assert all(a != b for a, b in itertools.pairwise(replies))


def test_it_does_not_repeat_itself_or_the_person(ranker: Ranker) -> None:
    again, fresh = generated("That sounds like a very long day indeed."), generated("Did you get to sit down at all?")
    [reply] = ranker([turn(again, fresh, history=[said("That sounds like a very long day to me.")])])
    assert reply.text == fresh.text
    echo = generated("My day was long, was it, my day?")
    [reply] = ranker([turn(echo, fresh)])
    assert reply.text == fresh.text
    assert "repeats_person" in reply.why


def test_likely_finished_and_of_the_right_length_wins(ranker: Ranker) -> None:
    good = generated("You got through it, and that counts for something today.", logprob=-1)
    others = [generated("Yes.", -1), generated("You got through it and that counts and", -1, finished=False)]
    [reply] = ranker([turn(*others, good, generated("Purple seven went over all the under hills of no.", -3.5))])
    assert reply.text == good.text
    assert [c.scores["total"] for c in reply.ranked] == sorted((c.scores["total"] for c in reply.ranked), reverse=True)


def test_after_a_stop_what_led_is_kept_and_nothing_is_weighed(ranker: Ranker) -> None:
    stopped = turn(
        generated("That sounds like the kind of long day that wants", 0.0, finished=False),
        generated("ok", -0.5),
        generated("Oh no, that sounds long. What happened?", -1.0),
    )
    stopped.stop.set()
    (reply,) = ranker([stopped])
    assert reply.text == "ok"
    stopped.candidates = stopped.candidates[:1] if stopped.candidates else []
    (reply,) = ranker([stopped])
    assert reply.text.startswith("That sounds like")


def test_a_stop_that_comes_while_it_is_chosen_makes_nothing_else_win(ranker: Ranker) -> None:
    class Late(threading.Event):
        def is_set(self) -> bool:
            was = super().is_set()
            self.set()
            return was

    worse, better = generated("ok", -2.9), generated("Oh no, that sounds long. What happened with it all today?", -0.2)
    (reply,) = ranker([turn(worse, better, stop=Late())])
    assert reply.text == better.text


def test_a_hurt_is_met_by_words_that_a_person_wrote(ranker: Ranker) -> None:
    written = Candidate("Oh no. That sounds like a heavy one.", "template")
    other = generated("Well the heavy ones are the best of the whole lot.", -1.2)
    hurt = Emotion({"sadness": 0.9}, ("sadness",), -0.8)
    assert ranker([turn(written, other, emotion=hurt)])[0].source == "template"


def test_gladness_of_a_hurt_is_the_wrong_tone_and_gladness_of_being_told_is_not(ranker: Ranker) -> None:
    said = turn(
        generated("That's a very good kind of yelling."),
        generated("Sad is a good start. What did he say?"),
        generated("Oh no, what did he say to you then?"),
        generated("I'm glad you told me. What did he say?"),
        text="my teacher yelled at me",
        emotion=Emotion({"anger": 0.6}, ("anger",), -0.5),
    )
    glad, praised, sorry, told = (scores["tone"] for scores in ranker.measures(said, said.candidates or []))
    assert max(glad, praised) < -0.25 < min(sorry, told)


def test_relevance_is_the_cosine_with_the_message(ranker: Ranker) -> None:
    class Tomatoes:
        width = 2

        def features(self, texts: Sequence[str]) -> Any:
            return np.array([[1.0, 0.0] if "tomato" in t else [0.0, 1.0] for t in texts], dtype=np.float32)

    ranker.encoder = Tomatoes()  # type: ignore[assignment]
    on, off = generated("A tomato in March, that is early."), generated("A lantern in March, that is early.")
    [reply] = ranker([turn(off, on, text="my tomato has a flower")])
    assert reply.text == on.text
    assert reply.why.startswith("best of 2: relevance +0.70")


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_measures_stay_in_their_range(text: str, earlier: list[str]) -> None:
    assert 0 <= repeats(text, earlier) <= 1
    assert 0 <= length_score(text, 14) <= 1


def test_a_text_repeats_itself_wholly() -> None:
    assert repeats("a long day at the mill", ["it was a long day at the mill today"]) == 1
    assert repeats("a long day", ["rain again"]) == 0


class Encoder:
    """Words as features: a place for each, and the vector is the features."""

    name, width = "toy", 50

    def features(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in text.lower().split():
                row[sum(map(ord, word)) % self.width] = 1
        return found / np.maximum(1e-6, np.linalg.norm(found, axis=1, keepdims=True))


def test_a_judge_decides_and_the_trace_shows_it() -> None:
    heard = []

    def kind(prompt: str, replies: Sequence[str], stop: threading.Event) -> np.ndarray:
        heard.append((prompt, list(replies)))
        return np.array([0.0, 5.0], dtype=np.float32)

    ranker = Ranker(weights="")
    ranker.encoder, ranker.judge = Encoder(), kind  # type: ignore[assignment]
    ranker.weight_of = {"judged": 1.0, **ranker.weight_of}
    asked = turn(generated("Nice weather we are having."), generated("Oh no, I am sorry."), history=[said("Hi Ana.")])
    [reply] = ranker([asked])
    assert reply.text == "Oh no, I am sorry."
    assert reply.ranked[0].scores["judged"] == 5.0
    assert "judged +5.00" in reply.why
    [(prompt, replies)] = heard
    assert prompt.endswith("my day was long<|im_end|>\n<|im_start|>assistant\n")
    assert "Hi Ana." in prompt
    assert replies == ["Nice weather we are having.", "Oh no, I am sorry."]


def test_a_stop_while_the_judge_reads_leaves_the_other_measures() -> None:
    ranker = Ranker(weights="")
    ranker.judge = lambda *_: None  # type: ignore[assignment]
    ranker.weight_of = {"judged": 1.0, **ranker.weight_of}
    [reply] = ranker([turn(generated("Nice.", -2.0), generated("Oh no, I am sorry to read that.", -0.5))])
    assert reply.text == "Oh no, I am sorry to read that."
    assert reply.ranked[0].scores["judged"] == 0.0


def test_a_judge_without_a_reader_says_what_is_missing() -> None:
    with pytest.raises(UsageError, match="reader"):
        Ranker(weights="", judge="somewhere", reader="")


@pytest.mark.parametrize(("valence", "first"), [(-0.4, "Oh no. What went wrong?"), (0.0, "Oh no. What went wrong?")])
def test_nobody_is_cheered_for_what_is_no_joy(ranker: Ranker, valence: float, first: str) -> None:
    for cheers in ("What a relief! How was it?", "That's such good news.", "Congratulations! How was it?"):
        asked = turn(generated(cheers, -0.5), generated("Oh no. What went wrong?"), text="got my exam back")
        asked.emotion = Emotion({}, ("neutral",), valence)
        [reply] = ranker([asked])
        assert reply.text == first


def test_a_joy_is_cheered(ranker: Ranker) -> None:
    asked = turn(generated("Congratulations! How was it?", -0.5), generated("What was it?"), text="i passed my exam")
    asked.emotion = Emotion({}, ("joy",), 0.6)
    [reply] = ranker([asked])
    assert reply.text.startswith("Congratulations")


def test_at_a_death_words_written_for_it_are_wanted_most(ranker: Ranker) -> None:
    written = Candidate("I'm so sorry. Tell me about her, if you like.", "template")
    asked = turn(generated("That's sad and frightening for you. Did you know her well?"), written, text="my gran died")
    found = []
    for grief in (0.1, 0.8):
        asked.emotion = Emotion({"grief": grief}, ("grief",), -0.5)
        found.append([m["tact"] for m in ranker.measures(asked, list(asked.candidates or ()))])
    assert found == [[0.0, 1.0], [0.0, 2.0]]
