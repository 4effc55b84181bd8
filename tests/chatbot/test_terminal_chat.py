"""The chat loop, driven by keys: order, Ctrl-C, Ctrl-D, loading, pasting, resuming, a crisis."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from terminal_harness import Stage, chatting, steps

from chatbot.companion import Companion, now
from chatbot.memory import Memory
from pipelines.errors import WeightsError
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Candidate, Fact, Reply

PASTE = "\x1b[200~{}\x1b[201~"


def said(folder: Path, user: str = "me") -> list[tuple[str, str]]:
    memory = Memory.open(folder, user)
    return [(u.role, u.text) for u in memory.recent(99)]


async def test_a_message_is_answered_and_remembered(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.wait("AI companion")
        await screen.say("i am lena", "Juno: word0, Lena")
    assert said(tmp_path) == [("person", "i am lena"), ("companion", "word0, Lena")]


async def test_the_goodbye_is_only_a_goodbye(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.wait("AI companion")
        screen.seen = len(screen.text)
    assert screen.text[screen.seen :] == "Juno: Bye!\n"


async def test_ctrl_c_stops_the_answer_and_not_the_program(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        screen.type("slow please\r")
        await screen.until(lambda: screen.chat._answering is not None)
        screen.seen = len(screen.text)
        screen.type("\x03")
        reply = await screen.wait("(stopped)")
        assert "word0" in reply
        assert "word399" not in reply, "all 400 words were written, 8 seconds of them"
        await screen.say("hello", "Juno: word0")
    kept = said(tmp_path)[1]
    assert kept[0] == "companion"
    assert kept[1].startswith("word0")


async def test_a_single_candidate_is_shown_above_the_prompt_while_it_is_written(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        screen.type("slow please\r")
        await screen.until(lambda: "word3" in "".join(part[1] for part in screen.chat._message()))
        screen.type("\x03")
        reply = await screen.wait("(stopped)")
        assert reply.count("word1 ") == 1, "what was streamed is printed once, when it is said"
        assert "word" not in "".join(part[1] for part in screen.chat._message())


async def test_stopped_before_a_word_nothing_is_kept_as_said(tmp_path: Path) -> None:
    def fallen(turn: Any) -> Reply:
        turn.stop.wait(30)
        return Reply("I lost my words.", "fallback")

    def make(config: Any, progress: Any) -> Companion:
        return Companion(Pipeline([Step("reply", "fake", Stage(fallen))]), config.persona, config.sections["memory"])

    async with chatting(tmp_path, make=make) as screen:
        screen.type("one\r")
        await screen.until(lambda: screen.chat._answering is not None)
        screen.type("\x03")
        await screen.wait("(stopped before a word)")
        assert "lost my words" not in screen.text
    assert said(tmp_path) == [("person", "one")]


async def test_of_several_candidates_the_one_that_leads_is_shown(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        screen.type("several and slow\r")
        await screen.until(lambda: "".join(screen.chat._above()[:1]).startswith("Juno: word"))
        assert "this leads" in screen.chat._above()[1]
        screen.type("\x03")
        await screen.wait("(stopped)")
        await screen.until(lambda: screen.chat._above() == [])
        assert "this leads" not in screen.text, "only what is said stays"


async def test_ctrl_c_at_the_prompt_clears_the_line(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("one", "word0")
        screen.type("half a thou\x03")
        await screen.say("two", "word0")
    assert [text for role, text in said(tmp_path) if role == "person"] == ["one", "two"]


async def test_a_paste_is_never_sent_by_itself(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.wait("AI companion")
        screen.type(PASTE.format("first line\r\nsecond line\rthird\n"))
        await asyncio.sleep(0.3)
        assert said(tmp_path) == []
        assert screen.chat.session.default_buffer.text == "first line\nsecond line\nthird\n"
        await screen.say("", "word0")
    assert said(tmp_path)[0] == ("person", "first line\nsecond line\nthird")


@pytest.mark.parametrize("keys", ["\n", "\x1b\r"], ids=["ctrl-j", "esc-enter"])
async def test_a_line_can_be_broken(tmp_path: Path, keys: str) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say(f"a{keys}b", "word0")
    assert said(tmp_path)[0] == ("person", "a\nb")


async def test_typing_is_possible_while_the_models_load_and_nothing_is_lost(tmp_path: Path) -> None:
    loaded = threading.Event()
    async with chatting(tmp_path, make=after(loaded)) as screen:
        screen.type("one\rtwo\r")
        await screen.until(lambda: screen.chat._waiting is not None and "stage.two" in screen.chat._above()[0])
        assert "waking up" in screen.chat._above()[0]
        loaded.set()
        await screen.wait("word0")
        await screen.until(lambda: len(said(tmp_path)) == 4)
    assert [text for role, text in said(tmp_path) if role == "person"] == ["one", "two"]


async def test_ctrl_c_while_the_models_load_takes_the_message_back(tmp_path: Path) -> None:
    loaded = threading.Event()
    async with chatting(tmp_path, make=after(loaded)) as screen:
        screen.type("one\r")
        await screen.until(lambda: screen.chat._waiting is not None)
        screen.type("\x03")
        await screen.wait("(not sent)")
        assert screen.chat.session.default_buffer.text == "one"
        loaded.set()
    assert said(tmp_path) == []


async def test_leaving_while_the_models_load_does_not_wait_for_all_of_them(tmp_path: Path) -> None:
    begun: list[int] = []

    def make(config: Any, progress: Any) -> Companion:
        for i in range(100):
            progress(f"stage.{i}")
            begun.append(i)
            time.sleep(0.1)
        raise AssertionError("it went on loading")

    async with chatting(tmp_path, make=make) as screen:
        await screen.wait("AI companion")
    assert len(begun) < 100


async def test_what_cannot_be_loaded_ends_the_chat_with_its_own_words(tmp_path: Path, capsys: Any) -> None:
    def make(config: Any, progress: Any) -> Companion:
        raise WeightsError("the weights are not here")

    async with chatting(tmp_path, make=make, leave=False) as screen:
        await screen.until(lambda: screen.chat._leaving)
        await asyncio.sleep(0.2)
    assert "the weights are not here" in capsys.readouterr().err
    assert "Bye" not in screen.text


async def test_resuming_shows_the_last_turns_and_the_arrow_keys_know_them(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("i am lena", "word0")
    async with chatting(tmp_path) as screen:
        start = await screen.wait("Juno: word0, Lena")
        assert "earlier, just now" in start
        assert "you: i am lena" in start
        screen.type("\x1b[A")
        await screen.until(lambda: screen.chat.session.default_buffer.text == "i am lena")


async def test_a_pause_is_told_at_the_start(tmp_path: Path) -> None:
    Memory.open(tmp_path, "me").pause()
    async with chatting(tmp_path) as screen:
        await screen.wait("Memory is paused")


async def test_the_name_that_the_person_gave_it_holds_everywhere(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path, "me")
    memory.learn(memory.hear("i will call you Ada", now()), [Fact("name", "Ada", about="companion")])
    async with chatting(tmp_path) as screen:
        await screen.wait("Ada is an AI companion")
        await screen.say("/persona", "you call it Ada")
    assert screen.text.endswith("Ada: Bye!\n")


async def test_what_a_library_says_on_stderr_stands_above_the_prompt(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.ready()
        print("a warning\x1b[2J", file=sys.stderr)
        assert "\x1b" not in await screen.wait("a warning[2J")


async def test_a_crisis_is_answered_alone_and_in_full(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.wait("shows more.\n\n")
        screen.chat.tracing = True  # not even the trace, unless it is asked for
        begun = len(screen.text)
        await screen.say("danger", "Help is near.")
        await asyncio.sleep(0.2)
        assert screen.text[begun:].split() == ["Juno", "Help", "is", "near."]


async def test_a_text_cannot_send_codes_to_the_terminal(tmp_path: Path) -> None:
    def make(config: Any, progress: Any) -> Companion:
        chain = steps()
        chain[3] = Step("candidates", "codes", Stage(lambda turn: [Candidate("a\x1b[2Jb\x07\u202ec", "codes")]))
        return Companion(Pipeline(chain), config.persona, config.sections["memory"])

    async with chatting(tmp_path, make=make) as screen:
        shown = await screen.say("hi", "Juno: a[2Jbc")
        assert "\x1b" not in shown


async def test_too_long_a_message_is_cut_and_said_so(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        screen.type(PASTE.format("x" * 12_000) + "\r")
        await screen.wait("only the first 10,000 characters")
        await screen.wait("word0")
    assert len(said(tmp_path)[0][1]) == 10_000


async def test_a_defect_of_a_turn_does_not_end_the_talk(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.until(lambda: screen.chat._loading.finished)
        say = screen.chat.worker.say

        async def trip(message: Any) -> Any:
            screen.chat.worker.say = say  # type: ignore[method-assign]
            raise ZeroDivisionError("oh")

        screen.chat.worker.say = trip  # type: ignore[method-assign]
        await screen.say("one", "should not have: ZeroDivisionError('oh')")
        await screen.say("two", "word0")


def after(loaded: threading.Event) -> Any:
    """Builds the companion once the event is set (or after half a minute, so that a failed test ends)."""

    def make(config: Any, progress: Any) -> Companion:
        progress("stage.one")
        progress("stage.two")
        loaded.wait(30)
        return Companion(Pipeline(steps()), config.persona, config.sections["memory"])

    return make
