"""Groups and reminders: in process, over HTTP."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from friends import Friend
from house import house
from standin import BOT, Standin

from chatbot.telegram import reminders

GROUP = -1_000_000_000_077


@pytest.fixture
async def server() -> Standin:  # type: ignore[misc]
    async with Standin(per_chat=0) as server:
        yield server


# -- groups


async def test_in_a_group_only_when_addressed_with_a_memory_of_its_own(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    here, stranger = Friend(server, 7, chat=GROUP), Friend(server, 99, chat=GROUP)
    async with house(server, tmp_path, [7]) as home:
        here.say("just chatting among us")
        stranger.say(f"@{BOT['username']} tell me")
        here.say(f"@{BOT['username']} i am the group")
        reply = await here.hears()
        assert reply["text"] == "echo: i am the group"
        assert reply["reply_to_id"]
        assert (await home.facts(f"telegram-group:{GROUP}")) == {"name": "The Group"}
        assert await home.facts("telegram:7") == {}
        here.say("juno, are you there?")
        assert "are you there" in (await here.hears())["text"]
        here.say("and this?", reply_to_message=dict(reply))
        assert (await here.hears())["text"] == "echo: and this?"
        here.say("/help@some_other_bot")
        here.say(f"/forget@{BOT['username']} group")
        assert "1 fact" in (await here.hears())["text"]
        assert len(here.received) == 4
        assert await lena.asks("hi") == "echo: hi"
        assert "just chatting among us" not in home.echo.seen


async def test_in_a_group_only_admins_erase(server: Standin, tmp_path: Path) -> None:
    here = Friend(server, 7, chat=GROUP)
    async with house(server, tmp_path, [7]):
        here.say("/erase")
        assert "admins" in (await here.hears())["text"]
        server.admins.add((GROUP, 7))
        here.say("/erase")
        assert "Sure?" in (await here.hears())["text"]


async def test_a_group_that_becomes_a_supergroup_keeps_its_memory(server: Standin, tmp_path: Path) -> None:
    here = Friend(server, 7, chat=-77)
    async with house(server, tmp_path, [7]) as home:
        here.say("juno i am here")
        here.say(f"@{BOT['username']} i am us")
        await here.hears()
        server.update(message=server.keep({"chat": server._chat(-77), "from": here.user, "migrate_to_chat_id": GROUP}))
        await server.until(lambda: not server.waiting and home.telegram.inbox.depth() == 0)
        assert "i am us" in "\n".join(await home.words(f"telegram-group:{GROUP}"))
        assert await home.words("telegram-group:-77") == []


async def test_a_welcome_group_is_as_welcome_with_its_new_id(server: Standin, tmp_path: Path) -> None:
    before, after = Friend(server, 99, chat=-77), Friend(server, 99, chat=GROUP)
    async with house(server, tmp_path, [-77]):
        before.say("juno i am here")
        await before.hears()
        moved = {"chat": server._chat(-77), "from": before.user, "migrate_to_chat_id": GROUP}
        server.update(message=server.keep(moved))
        after.say("juno and now?")
        assert "and now?" in (await after.hears())["text"]


async def test_a_group_may_call_it_by_the_name_it_gave(server: Standin, tmp_path: Path) -> None:
    here = Friend(server, 7, chat=GROUP)
    async with house(server, tmp_path, [7]) as home:
        here.say("ada, hello?")
        here.say("/persona Ada")
        assert "Ada it is" in (await here.hears())["text"]
        here.say("ada, are you there?")
        assert "are you there" in (await here.hears())["text"]
    async with house(server, tmp_path, [7]) as home:
        here.say("ada, still?")
        assert "still" in (await here.hears())["text"]
        assert home.echo.seen == ["ada, still?"]


async def test_a_bot_that_was_muted_or_blocked_goes_on_for_the_others(server: Standin, tmp_path: Path) -> None:
    lena, tom = Friend(server, 7), Friend(server, 8)
    async with house(server, tmp_path, [7, 8]) as home:
        server.blocked.add(7)
        lena.say("hi")
        assert await tom.asks("hello") == "echo: hello"
        await server.until(lambda: home.telegram.inbox.depth() == 0 and not home.telegram.inbox.chats_waiting())
        server.blocked.clear()
        assert await lena.asks("back") == "echo: back"


async def test_admins_can_mute_it(server: Standin, tmp_path: Path) -> None:
    here, lena = Friend(server, 7, chat=GROUP), Friend(server, 7)
    user = BOT | {"username": "juno_test_bot"}
    rights = "change_info invite_users pin_messages manage_topics add_web_page_previews send_polls send_other_messages "
    rights += "send_audios send_documents send_photos send_videos send_video_notes send_voice_notes send_messages "
    rights += "edit_tag react_to_messages"
    can = {"until_date": 0, "is_member": True} | dict.fromkeys([f"can_{what}" for what in rights.split()], False)

    def become(new: dict[str, object]) -> None:
        old = {"user": user, "status": "member"}
        change = {"chat": server._chat(GROUP), "from": here.user, "date": 1, "old_chat_member": old}
        server.update(my_chat_member=change | {"new_chat_member": {"user": user} | new})

    async with house(server, tmp_path, [7]) as home:
        server.muted.add(GROUP)
        here.say("juno, hello")  # nobody told us yet: the refusal is taken
        await server.until(lambda: home.echo.seen and not home.telegram.busy)
        become({"status": "restricted"} | can)
        here.say("juno, hello again")
        assert await lena.asks("hi") == "echo: hi"
        assert home.echo.seen == ["juno, hello", "hi"]
        assert home.telegram.counters.counts["failed"] == 0
        server.muted.clear()
        become({"status": "member"})
        here.say("juno, and now?")
        assert "and now" in (await here.hears())["text"]


# -- reminders


async def test_a_reminder_is_kept_over_a_restart_and_sent_once(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "call mum" in await lena.asks("/remind in 20 minutes call mum")
        assert "tea" in await lena.asks("/remind drink tea tomorrow at 9:00")
        assert "couldn't make out" in await lena.asks("/remind whenever you like")
        assert "call mum" in await lena.asks("/remind")
        assert "feed the cat" in await lena.asks("remind me to feed the cat at 23:58")
        with home.telegram.inbox.writing() as db:
            db.execute("update reminder set due = ? where text = 'call mum'", [time.time() - 1])
    async with house(server, tmp_path, [7]) as home:
        task = asyncio.create_task(reminders.run(home.telegram, every=0.05))
        assert (await lena.hears())["text"] == "You asked me to remind you: call mum"
        await asyncio.sleep(0.2)
        task.cancel()
        assert len(lena.received) == 6
        assert {text for _, text in reminders.waiting(home.telegram.inbox, 7)} == {"drink tea", "feed the cat"}


async def test_after_a_plan_is_asked_only_by_those_who_want_it_once_and_in_the_evening(
    server: Standin, tmp_path: Path
) -> None:
    lena = Friend(server, 7)
    zone = ZoneInfo("Europe/Berlin")
    today = datetime.now(zone).date()
    evening = datetime(today.year, today.month, today.day, 19, tzinfo=zone)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks(f"exam {today}")
        await reminders.check_in(home.telegram, evening)
        assert len(lena.received) == 1
        lena.say("/settings")
        lena.press(await lena.hears(), "Check-ins")
        await server.until(lambda: reminders.opted(home.telegram.inbox) == [7])
        await reminders.check_in(home.telegram, evening.replace(hour=23))
        await reminders.check_in(home.telegram, evening)
        await reminders.check_in(home.telegram, evening)
        assert (await lena.hears())["text"] == "You told me of your exam today. How did it go?"
        assert len(lena.received) == 3
        assert "How did it go?" in (await home.words("telegram:7"))[-1]


@pytest.mark.parametrize(
    ("text", "day", "hour", "what"),
    [
        ("in 20 minutes call mum", 4, 15, "call mum"),
        ("tomorrow 9:00 call mum", 5, 9, "call mum"),
        ("me to water the plants tomorrow", 5, 9, "water the plants"),
        ("call mum at 18:30", 4, 18, "call mum"),
        ("2 hours buy milk", 4, 17, "buy milk"),
    ],
)
def test_when_and_what(text: str, day: int, hour: int, what: str) -> None:
    now = datetime(2026, 3, 4, 15, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    found = reminders.when_and_what(text, now)
    assert found is not None
    assert (found[0].day, found[0].hour, found[1]) == (day, hour, what)


@pytest.mark.parametrize("text", ["", "call mum", "buy 3 apples", "me"])
def test_what_names_no_time_is_no_reminder(text: str) -> None:
    now = datetime(2026, 3, 4, 15, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert reminders.when_and_what(text, now) is None
