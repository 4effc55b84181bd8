"""The pictures of a turn, from turns made by hand."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from chatbot.terminal import mood, show, trace
from models.reply import WEIGHTS
from pipelines.errors import UsageError
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import (
    Candidate,
    Embedding,
    Emotion,
    Entity,
    Fact,
    Intent,
    Memory,
    Moment,
    Reply,
    Risk,
    Turn,
    Utterance,
)

AT = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


def drawn(part: RenderableType, width: int = 100, colour: bool = False) -> str:
    out = io.StringIO()
    system = "standard" if colour else None
    Console(file=out, width=width, color_system=system, force_terminal=colour, highlight=False, no_color=False).print(
        part
    )
    return out.getvalue()


def turn() -> Turn:
    ranked = (
        Candidate("Well done!", "transformers", scores={"relevance": 0.7, "total": 1.2}),
        Candidate("I see.", "template", scores={"relevance": 0.1, "total": 0.3}),
    )
    return Turn(
        "tell Anna in Leeds i passed",
        at=AT,
        safety=Risk(),
        embedding=Embedding(np.zeros(4, np.float32), np.zeros(4, np.float32), "minilm"),
        intent=Intent("good_news", 0.91, (("chat", 0.05),)),
        entities=[Entity("Anna", "PERSON", 5, 9), Entity("Leeds", "GPE", 13, 18, "Leeds, UK")],
        emotion=Emotion({"joy": 0.8, "pride": 0.4, "fear": 0.0}, ("joy",), 0.7),
        facts=[Fact("home", "Leeds", about="sister")],
        memories=[Memory(Moment(3, "person", "the exam is on monday", AT - timedelta(days=2)), 0.031)],
        candidates=[*ranked[::-1], Candidate("You are a cat.", "transformers")],
        reply=Reply("Well done!", "transformers", "best of 2: relevance +0.60 against the next", ranked),
        ms={"safety.rules": 1.0, "intent.encoder": 3.0, "candidates.transformers": 96.0},
        failed={"entities.spacy": "ValueError: oh"},
    )


@pytest.mark.parametrize("width", [30, 40, 80, 120])
def test_the_trace_says_it_all_and_fits(width: int) -> None:
    shown = drawn(trace.view(turn(), width), width)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    flat = " ".join(shown.split())
    for word in ("good_news", "0.91", "joy", "+0.70", "PERSON", "Leeds", "0.031", "96.0", "1.20", "ValueError: oh"):
        assert word in flat, word
    assert ("96%" in flat) == (width >= trace.NARROW)


def test_the_winner_stands_first_and_what_was_not_fit_says_so() -> None:
    lines = drawn(trace.candidates(turn(), 120), 120).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [[">", "1.20"], ["0.30", "I"], ["not", "fit"]]


def test_what_was_not_fit_says_why_and_what_counts_for_nothing_is_left_out() -> None:
    said = Candidate("I am a real person.", "transformers")
    won = Candidate("Nice!", "template", scores={"relevance": 0.7, "tact": 0.0, "repeats_person": 0.3, "total": 1.2})
    made = Turn("are you real", candidates=[won, said], reply=Reply("Nice!", "template", "", (won,)))
    first, second = drawn(trace.candidates(made, 120), 120).splitlines()[1:]
    assert first.split("template")[1].strip() == "relevance 0.70, repeats person 0.30"
    assert second.split("transformers")[1].strip() == "refused by the outgoing check"
    made.history = [Utterance("companion", said.text, AT)]
    assert drawn(trace.candidates(made, 120), 120).rstrip().endswith("said before")


def test_why_is_told_in_words() -> None:
    assert "transformers: best of 2: fits what you said +0.60 against the next" in drawn(trace.why(turn()))
    assert set(trace.MEASURES) == {"judged", *WEIGHTS}


def test_entities_are_coloured_in_the_text_each_label_in_its_own_colour() -> None:
    shown = drawn(trace.heard(turn()), colour=True)
    assert "\x1b[1;4;36mAnna\x1b[0m" in shown
    assert "\x1b[1;4;35mLeeds\x1b[0m" in shown
    assert "[GPE=Leeds, UK]" in drawn(trace.heard(turn()))


def test_entities_that_overlap_never_double_the_text() -> None:
    made = Turn("New York City", entities=[Entity("New York City", "GPE", 0, 13), Entity("York", "GPE", 4, 8)])
    assert drawn(trace.heard(made)) == "you: New York City [GPE]\n"


def test_a_turn_of_which_nothing_is_known_can_be_shown() -> None:
    assert "There was no reply." in drawn(trace.view(Turn("hi"), 80))


def test_a_bar_is_as_long_as_its_share() -> None:
    lines = drawn(trace.bars([("a", 1.0), ("b", 0.5), ("c", 0.0)], 40)).splitlines()
    assert [line.count("█") for line in lines] == [10, 5, 0]


@given(st.text())
def test_no_text_can_send_codes_to_the_terminal(text: str) -> None:
    shown = drawn(trace.heard(Turn(text)))
    assert not show.CODES.search(shown)


@given(st.text(), st.integers(2, 50))
def test_a_shortened_text_is_one_line_within_the_limit(text: str, limit: int) -> None:
    short = show.shortened(text, limit)
    assert len(short) <= limit
    assert "\n" not in short


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=20), "20 minutes ago"),
        (timedelta(minutes=65), "an hour ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=1, hours=2), "yesterday"),
        (timedelta(days=9), "9 days ago"),
        (timedelta(seconds=-50), "just now"),
    ],
)
def test_how_long_ago(ago: timedelta, words: str) -> None:
    assert show.since(AT - ago, AT) == words


def test_a_fact_says_from_when_to_when_it_held() -> None:
    day, later = AT, AT + timedelta(days=40)
    lines = [
        ((day, None), "lives in Leeds  since 01 Mar 2026"),
        ((day, later), "lives in Leeds  01 Mar 2026 to 10 Apr 2026"),
        ((day, day), "lives in Leeds  until 01 Mar 2026"),
        ((None, later), "lives in Leeds  until 10 Apr 2026"),
    ]
    for (since, until), expected in lines:
        assert drawn(show.fact_lines([Fact("home", "Leeds", since=since, until=until, id=7)])) == f"   7  {expected}\n"


# -- mood


class Feels:
    needs = ()

    def __call__(self, turns: list[Turn]) -> list[Emotion]:
        return [
            Emotion({"joy": 0.9}, ("joy",), 0.9) if "yes" in t.text else Emotion({}, ("neutral",), 0.0) for t in turns
        ]


def test_the_mood_is_read_again_from_the_persons_own_words() -> None:
    said = [Moment(1, "person", "yes", AT), Moment(2, "companion", "yes", AT), Moment(3, "person", "no", AT)]
    felt = mood.felt(Pipeline([Step("emotion", "fake", Feels())]), said)  # type: ignore[arg-type]
    assert felt == [mood.Felt(AT, 0.9, ("joy",)), mood.Felt(AT, 0.0, ())]
    with pytest.raises(UsageError, match="No stage"):
        mood.felt(Pipeline([]), [])


def test_a_good_day_stands_above_a_bad_one() -> None:
    felt = [mood.Felt(AT + timedelta(days=i), (-1) ** i * 0.9, ("joy",)) for i in range(4)]
    lines = drawn(mood.chart(felt, 80), 80).splitlines()
    assert lines[0].startswith(" good ● ●")
    assert lines[mood.ROWS - 1].startswith("  bad  ● ●")
    assert "01 Mar to 04 Mar, a column per day" in lines[mood.ROWS]


@pytest.mark.parametrize("width", [20, 40, 200])
def test_the_chart_fits_and_shows_the_latest(width: int) -> None:
    felt = [mood.Felt(AT + timedelta(minutes=i), 0.0, ()) for i in range(500)]
    shown = drawn(mood.chart(felt, width), width)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert "03:19" in shown


def test_without_unicode_the_chart_uses_letters() -> None:
    assert "●" not in drawn(mood.chart([mood.Felt(AT, 0.9, ())], 40, "cp1252"))
