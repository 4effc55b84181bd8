"""Slash commands, typed into a running chat."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from terminal_harness import chatting

from chatbot.memory import Memory
from chatbot.terminal import commands


def texts(folder: Path, user: str = "me") -> list[str]:
    memory = Memory.open(folder, user)
    found = [u.text for u in memory.recent(99)]
    memory.close()
    return found


async def test_memory_shows_facts_with_numbers_and_forget_takes_one_away(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("/memory", "I know nothing of you yet:")
        await screen.say("i am lena", "word0, Lena")
        shown = await screen.say("/memory", "/forget 1 takes it out")
        assert "1  name Lena" in shown
        await screen.say("/forget 1", "Forgotten: 1 fact and 2 messages.")
        await screen.say("/memory", "I know nothing of you yet:")
        assert b"Lena" not in b"".join(p.read_bytes() for p in tmp_path.glob("*.db*"))


async def test_forgetting_words_and_times(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("i saw Tom", "word0")
        await screen.say("a tomato", "word0")
        await screen.say("/forget tom", "Forgotten: 0 facts and 2 messages.")
        assert texts(tmp_path) == ["a tomato", "word0"]
        await screen.say("/forget last 2 hours", "Forgotten: 0 facts and 2 messages.")
        await screen.say("/forget tom", "nothing of “tom” to forget")
        await screen.say("/forget", "Forget what?")


async def test_undo_takes_back_what_was_remembered_and_the_arrow_keys_forget_too(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("hello", "word0")
        await screen.say("i am lena", "word0, Lena")
        await screen.say("/undo", "Taken back: “i am lena”, and that I had learned: name Lena")
        assert texts(tmp_path) == ["hello", "word0"]
        screen.type("\x1b[A")
        await screen.until(lambda: screen.chat.session.default_buffer.text == "hello")
        screen.type("\x03")
        await screen.say("/undo", "Taken back: “hello”")
        await screen.say("/undo", "nothing to take back")


async def test_retry_answers_the_same_message_again_once(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("/retry", "nothing to answer again")
        await screen.say("hello", "word0")
        await screen.say("/retry", "the same again")
        assert texts(tmp_path) == ["hello", "word0"]


async def test_edit_puts_the_message_back_and_replaces_it_when_sent(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("i am lena", "word0, Lena")
        screen.type("/edit\r")
        await screen.until(lambda: screen.chat.session.default_buffer.text == "i am lena")
        await screen.say("\x7f\x7f\x7f\x7fnora", "word0, Nora")
        assert texts(tmp_path) == ["i am nora", "word0, Nora"]
        await screen.say("/edit i am ida", "word0, Ida")
        assert texts(tmp_path) == ["i am ida", "word0, Ida"]


async def test_an_edit_that_is_given_up_changes_nothing(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("one", "word0")
        screen.type("/edit\r")
        await screen.until(lambda: screen.chat.editing)
        screen.type("\x03")
        await screen.say("two", "word0")
        assert texts(tmp_path) == ["one", "word0", "two", "word0"]


async def test_words_can_be_put_in_its_mouth(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("/say hi", "Say something yourself first.")
        await screen.say("hello", "word0")
        await screen.say("/say How was the exam?", "Juno: How was the exam?")
        assert texts(tmp_path) == ["hello", "word0", "How was the exam?"]
        await screen.say("/undo", "Taken back")
        assert texts(tmp_path) == []


async def test_while_paused_nothing_is_written(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("/pause", "Paused")
        await screen.say("i am lena", "word0")
        await screen.say("/memory", "paused")
        await screen.say("/resume", "remember again")
        await screen.say("i am nora", "word0, Nora")
        assert texts(tmp_path) == ["i am nora", "word0, Nora"]


async def test_export_writes_a_private_file_and_overwrites_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with chatting(tmp_path / "data") as screen:
        await screen.say("i am lena", "word0")
        await screen.say("/export out.json", "is in out.json")
        await screen.say("/export out.json", "File exists")
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert data["facts"][0]["value"] == "Lena"
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o600


async def test_erase_asks_for_a_second_word(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("i am lena", "word0")
        await screen.say("/erase", "/erase everything")
        assert texts(tmp_path) == ["i am lena", "word0, Lena"]
        await screen.say("/erase everything", "Nothing of you is left")
    assert texts(tmp_path) == []


async def test_another_person_has_another_memory(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("i am lena", "word0, Lena")
        await screen.say("/user tom", "This is tom now.")
        await screen.say("who am i", "Juno: word0\n")
        shown = await screen.say("/users", "/users NAME")
        assert "  me\n* tom\n" in shown
        await screen.say("/user me", "you: i am lena")
        await screen.say("/memory", "name Lena")
    assert texts(tmp_path, "tom") == ["who am i", "word0"]


async def test_why_persona_mood_and_trace(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("/why", "not said anything")
        await screen.say("/trace", "no turn yet")
        await screen.say("/mood", "nothing to draw")
        await screen.say("i am sad", "word0")
        await screen.say("/why", "it was the only one")
        await screen.say("/mood", "sadness")
        assert "candidates.slowly" in await screen.say("/trace", "why ")
        await screen.say("/trace on", "each turn is on")
        await screen.say("hello", "why ")
        await screen.say("/trace perhaps", "/trace on and /trace off")
        await screen.say("/persona", "rain on windows")


async def test_a_slip_of_the_pen_is_met_with_the_nearest_command(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        await screen.say("/memry", "There is no /memry. Did you mean /memory?")
        await screen.say("/ memroy", "Did you mean /memory?")
        await screen.say("/HELP trace", "/trace [on|off]")
        await screen.say("/xyzzy", "There is no /xyzzy. /help")
        await screen.say("//path is a word", "word0")
        assert texts(tmp_path)[0] == "/path is a word"


async def test_help_names_every_command_and_does_not_wait_for_an_answer(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        screen.type("slow\r")
        await screen.until(lambda: screen.chat._answering is not None)
        shown = await screen.say("/help", "else clears the line")
        assert all(command.usage in shown for command in commands.COMMANDS)
        screen.type("\x03")
        await screen.wait("(stopped)")


@pytest.mark.parametrize("line", ["/quit", "/exit", "exit", "Quit"])
async def test_quit_leaves(tmp_path: Path, line: str) -> None:
    async with chatting(tmp_path, leave=False) as screen:
        await screen.say(line, "Juno: Bye!")
    assert texts(tmp_path) == []


async def test_help_for_one_command_shows_how_it_is_used(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        assert "/use SLOT STAGE" in await screen.say("/help use", "/use emotion lexicon threshold=0.3")
        assert "/trace [on|off]" in await screen.say("/help /trace", "through the stages")
        await screen.say("/help nonsense", "There is no /nonsense")


def test_no_two_commands_share_a_name() -> None:
    names = [name for command in commands.COMMANDS for name in (command.name, *command.other)]
    assert len(names) == len(set(names))


async def test_tab_completes_commands_and_their_words(tmp_path: Path) -> None:
    async with chatting(tmp_path) as screen:
        for start, whole in (
            ("/mem", "/memory"),
            ("/trace o", "/trace on"),
            ("/user m", "/user me"),
            ("/use emotion lexi", "/use emotion lexicon"),
            ("/use emotion lexicon th", "/use emotion lexicon threshold="),
            ("/help tr", "/help trace"),
        ):
            buffer = screen.chat.session.default_buffer
            screen.type(start)
            await screen.until(lambda: buffer.complete_state is not None)  # noqa: B023
            screen.type("\t")
            await screen.until(lambda: buffer.text == whole)  # noqa: B023
            screen.type("\x03")
            await screen.until(lambda: not buffer.text)  # noqa: B023
