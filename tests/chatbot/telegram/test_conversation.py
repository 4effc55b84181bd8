"""What a person sees in a chat: bursts, edits, /cancel, /retry, things that cannot be seen; in process, over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from friends import Friend
from house import House, house
from standin import Standin


@pytest.fixture
async def server() -> Standin:  # type: ignore[misc]
    async with Standin(per_chat=0) as server:
        yield server


async def reached(home: House, text: str) -> None:
    async with asyncio.timeout(5):
        while not home.echo.seen or home.echo.seen[-1] != text:
            await asyncio.sleep(0.01)


async def test_what_comes_at_once_is_read_as_one(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    for text in ("hi", "so today", "was odd"):
        lena.say(text)
    async with house(server, tmp_path, [7]) as home:
        assert (await lena.hears())["text"] == "echo: hi\nso today\nwas odd"
        assert await home.words("telegram:7") == ["hi\nso today\nwas odd", "echo: hi\nso today\nwas odd"]


async def test_more_that_comes_while_the_answer_is_written_joins_it(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        home.echo.gate.clear()
        lena.say("i am lena")
        await reached(home, "i am lena")
        lena.say("and i am tired")
        await reached(home, "i am lena\nand i am tired")
        home.echo.gate.set()
        assert (await lena.hears())["text"] == "echo: i am lena\nand i am tired"
        assert home.telegram.counters.counts["interrupted"] == 1
        # What was heard of the half is taken back: the words are in memory once.
        assert await home.words("telegram:7") == ["i am lena\nand i am tired", "echo: i am lena\nand i am tired"]
        assert len(lena.received) == 1


async def test_cancel_stops_at_once_and_the_words_are_not_kept(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        home.echo.gate.clear()
        lena.say("i am lena")
        await reached(home, "i am lena")
        lena.say("/cancel")
        assert "stopped" in (await lena.hears(3))["text"]
        await server.until(lambda: home.telegram.inbox.depth() == 0)
        assert await home.facts("telegram:7") == {}
        home.echo.gate.set()
        lena.say("/retry")
        assert (await lena.hears())["text"] == "echo: i am lena"
        assert await home.facts("telegram:7") == {"name": "Lena"}
        lena.say("/cancel")
        assert "not writing" in (await lena.hears())["text"]


async def test_cancel_in_the_same_breath_cancels_what_was_not_begun(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7], quiet=0.3) as home:
        lena.say("never mind this")
        lena.say("/cancel")
        assert "stopped" in (await lena.hears())["text"]
        await asyncio.sleep(0.6)
        assert len(lena.received) == 1
        assert await home.words("telegram:7") == []


async def test_an_edit_of_the_last_message_answers_it_anew_in_place(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        message = lena.say("i am lena")
        reply = await lena.hears()
        lena.edit(message, "i am anna")
        await server.until(lambda: reply["text"] == "echo: i am anna")
        assert len(lena.received) == 1
        assert await home.facts("telegram:7") == {"name": "Anna"}
        assert await home.words("telegram:7") == ["i am anna", "echo: i am anna"]
        lena.edit(message, "i am nina")
        await server.until(lambda: reply["text"] == "echo: i am nina")
        assert await home.words("telegram:7") == ["i am nina", "echo: i am nina"]


async def test_an_edit_of_one_part_of_a_burst_keeps_the_others(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    first, _ = lena.say("one"), lena.say("two")
    async with house(server, tmp_path, [7]):
        reply = await lena.hears()
        assert reply["text"] == "echo: one\ntwo"
        lena.edit(first, "uno")
        await server.until(lambda: reply["text"] == "echo: uno\ntwo")


async def test_an_edit_of_an_older_message_is_met_with_silence(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        old = lena.say("one")
        await lena.hears()
        lena.say("two")
        await lena.hears()
        lena.edit(old, "eins")
        await server.until(lambda: home.telegram.inbox.depth() == 0 and not server.waiting)
        assert [m["text"] for m in lena.received] == ["echo: one", "echo: two"]
        assert (await home.words("telegram:7"))[0] == "one"


async def test_an_answer_too_long_for_one_message_shrinks_with_the_edit(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7], quiet=0.0):
        message = lena.say("word " * 819)  # with "echo: " just over one message
        await lena.hears()
        second = await lena.hears()
        lena.edit(message, "short")
        await server.until(lambda: second.get("deleted"))
        assert [m["text"] for m in lena.received if not m.get("deleted")] == ["echo: short"]


async def test_retry_answers_anew_and_takes_the_old_answer_back(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "nothing" in await lena.asks("/retry")
        await lena.asks("i am lena")
        assert await lena.asks("/retry") == "echo: i am lena"
        assert await home.words("telegram:7") == ["i am lena", "echo: i am lena"]


async def test_retry_after_a_restart_finds_the_words_in_memory(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        await lena.asks("i am lena")
    async with house(server, tmp_path, [7]):
        assert await lena.asks("/retry") == "echo: i am lena"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"sticker": {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1,
                      "is_animated": False, "is_video": False}}, "stickers"),
        ({"photo": [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]}, "pictures"),
        ({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}, "voice messages"),
        ({"location": {"latitude": 1.5, "longitude": 1.5}}, "places"),
        ({"poll": {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False,
                   "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}}, "polls"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "dice"),
    ],
)  # fmt: skip
async def test_what_cannot_be_seen_is_answered_honestly(
    server: Standin, tmp_path: Path, content: dict[str, object], named: str
) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        lena.send(**content)
        assert named in (await lena.hears())["text"]
        assert home.echo.seen == []


async def test_an_album_gets_one_answer_and_its_caption_is_read(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    picture = [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]
    for caption in ({"caption": "my cat"}, {}, {}):
        lena.send(photo=picture, media_group_id="g", **caption)
    async with house(server, tmp_path, [7]):
        text = (await lena.hears())["text"]
        assert "pictures" in text
        assert text.endswith("echo: my cat")
        await asyncio.sleep(0.1)
        assert len(lena.received) == 1


async def test_typing_shows_while_it_writes_and_again(
    server: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.telegram.conversation.TYPING_AFTER", 0.05)
    monkeypatch.setattr("chatbot.telegram.conversation.TYPING_AGAIN", 0.1)
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        home.echo.gate.clear()
        lena.say("hm")
        await server.until(lambda: len(server.actions) >= 3)
        home.echo.gate.set()
        await lena.hears()
        shown = len(server.actions)
        await asyncio.sleep(0.3)
        assert len(server.actions) - shown <= 1


async def test_a_reply_that_a_person_wrote_is_sent_as_it_is(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert await lena.asks("danger") == "*help* is here"
        lena.say("so *very* good")
        reply = await lena.hears()
        assert reply["text"] == "echo: so very good"
        assert reply["entities"] == [{"type": "italic", "offset": 9, "length": 4}]


async def test_a_feeling_gets_a_reaction_now_and_then(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        for i in range(8):
            await lena.asks(f"yay {i}")
        await server.until(lambda: not home.telegram._small)
        assert 1 <= len(server.reactions) <= 2
        lena.say("/settings")
        lena.press(await lena.hears(), "Reactions")
        await server.until(lambda: "Reactions: off" in str(lena.received[-1]))
        before = len(server.reactions)
        for i in range(8):
            await lena.asks(f"yay again {i}")
        assert len(server.reactions) == before


async def test_one_chatty_person_keeps_order_and_starves_nobody(server: Standin, tmp_path: Path) -> None:
    chatty, quiet = Friend(server, 7), Friend(server, 8)
    async with house(server, tmp_path, [7, 8], quiet=0.0):
        for i in range(20):
            chatty.say(f"/unknown{i}")
        quiet.say("hello")
        assert (await quiet.hears())["text"] == "echo: hello"
        for i in range(20):
            assert f"unknown{i}." in (await chatty.hears())["text"]


async def test_a_forwarded_message_is_somebody_elses_words(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        lena.say("i am bob", forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "Bob"})
        assert (await lena.hears())["text"] == "echo: > i am bob"
        assert await home.facts("telegram:7") == {}


async def test_formatting_stays_on_its_words_behind_what_cannot_be_seen(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        lena.send(photo=[{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}], caption="so *good*")
        reply = await lena.hears()
        [entity] = reply["entities"]
        assert reply["text"][entity["offset"] : entity["offset"] + entity["length"]] == "good"
        assert reply["text"].endswith("echo: so good")
