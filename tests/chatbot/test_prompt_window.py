"""For how long a talk has gone on since the companion last said what it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatbot.companion import Companion
from chatbot.settings import MemorySettings
from chatbot.talk import untold
from pipelines.pipeline import Pipeline
from pipelines.turn import SAYS_AI, Utterance

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def talk(*minutes: float, told: float | None = None) -> list[Utterance]:
    said = [Utterance("person", "and then", AT + timedelta(minutes=m)) for m in minutes]
    if told is not None:
        said.append(Utterance("companion", "I'm an AI.", AT + timedelta(minutes=told)))
    return sorted(said, key=lambda u: u.at)


def after(said: list[Utterance], minutes: float) -> float | None:
    found = untold(said, AT + timedelta(minutes=minutes))
    return None if found is None else found.total_seconds() / 60


def test_never_told_is_none():
    assert untold([], AT) is None
    assert after(talk(0, 10, 20), 25) is None
    assert after([Utterance("person", "are you an AI?", AT)], 1) is None


def test_the_clock_runs_from_what_was_told_in_this_talk():
    assert after(talk(*range(0, 200, 10), told=5), 200) == 195


def test_a_long_silence_starts_a_new_talk():
    assert after(talk(0, 10, 300, 320, told=5), 330) == 30
    assert after(talk(told=0), 5000) == 0


def test_over_a_whole_evening_it_is_said_again(tmp_path: Path, tiny_pipeline: Pipeline) -> None:
    companion = Companion(tiny_pipeline, settings=MemorySettings(folder=str(tmp_path)))
    told = []
    for minutes in range(0, 400, 20):
        [turn] = companion.answer([("a", f"and then thing {minutes} broke")], at=AT + timedelta(minutes=minutes))
        assert turn.reply
        if SAYS_AI.search(turn.reply.text):
            told.append(minutes)
    companion.close_memories()
    assert told == [0, 180, 360]
