"""Commands, buttons, who may talk and how much, groups, reminders: in process, over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from friends import Friend
from house import house
from standin import BOT, Standin

from chatbot.telegram import reminders
from chatbot.telegram.commands import COMMANDS
from chatbot.telegram.running import set_menu
from chatbot.telegram.texts import LANGUAGES

GROUP = -1_000_000_000_077


@pytest.fixture
async def server() -> Standin:  # type: ignore[misc]
    async with Standin(per_chat=0) as server:
        yield server


async def test_a_stranger_gets_one_polite_line_with_their_number(server: Standin, tmp_path: Path) -> None:
    stranger, lena = Friend(server, 99), Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "99" in await stranger.asks("hello?")
        message = stranger.say("hello??")
        stranger.edit(message, "HELLO")
        stranger.say("/memory")
        await lena.asks("hi")
        await server.until(lambda: home.telegram.inbox.depth() == 0)
        assert len(stranger.received) == 1
        assert home.echo.seen == ["hi"]
        assert not (await home.words("telegram:99"))


async def test_a_strangers_press_does_nothing(server: Standin, tmp_path: Path) -> None:
    stranger, lena = Friend(server, 99), Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("i am lena")
        lena.say("/erase")
        question = await lena.hears()
        # The same chat, another person's finger: as with a forged or forwarded button.
        stranger.chat = 7
        pressed = stranger.press(question, "Yes")
        await server.until(lambda: pressed in server.answered_buttons)
        await server.until(lambda: home.telegram.inbox.depth() == 0)
        assert "private" in server.answered_buttons[pressed]
        assert await home.facts("telegram:7") == {"name": "Lena"}


async def test_an_invite_lets_a_person_in_for_good(server: Standin, tmp_path: Path) -> None:
    guest = Friend(server, 99)
    async with house(server, tmp_path, [], invites=["open-sesame"]):
        assert "99" in await guest.asks("/start open-says-me")
        assert "AI" in await guest.asks("/start open-sesame")
    async with house(server, tmp_path, [], invites=[]):
        assert await guest.asks("hi") == "echo: hi"


async def test_budgets_end_with_one_line_and_danger_is_still_met(server: Standin, tmp_path: Path) -> None:
    lena, tom = Friend(server, 7), Friend(server, 8)
    async with house(server, tmp_path, [7, 8], per_person=2, per_day=3) as home:
        assert await lena.asks("one") == "echo: one"
        assert await lena.asks("two") == "echo: two"
        assert "tomorrow" in await lena.asks("three")
        assert await lena.asks("danger") == "*help* is here"
        assert await tom.asks("hi") == "echo: hi"
        assert "tomorrow" in await tom.asks("hi again")  # all of the day's budget is used
        lena.say("four")
        await server.until(lambda: not server.waiting and home.telegram.inbox.depth() == 0)
        assert home.echo.seen == ["one", "two", "hi"]


async def test_every_command_is_in_the_menu_and_the_help_of_every_language(server: Standin, tmp_path: Path) -> None:
    lena, max_ = Friend(server, 7), Friend(server, 8, language="de")
    async with house(server, tmp_path, [7, 8]) as home:
        await set_menu(home.telegram.bot)
        for language, words in LANGUAGES.items():
            assert list(words) == list(COMMANDS)
            assert [c["command"] for c in server.menu["" if language == "en" else language]] == list(COMMANDS)
        english, german = await lena.asks("/help"), await max_.asks("/help")
        assert all(f"/{name} " in english and f"/{name} " in german for name in COMMANDS)
        assert english != german


async def test_an_unknown_command_suggests_the_nearest(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert "/memory" in await lena.asks("/memroy")
        assert "/help" in await lena.asks("/xqzw")


async def test_memory_in_pages_with_why_and_forget(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "don't know anything" in await lena.asks("/memory")
        await lena.asks("i am lena")
        for day in range(10, 16):
            await lena.asks(f"exam 2031-01-{day}")
        lena.say("/memory")
        page = await lena.hears()
        assert "(1 of 2)" in page["text"]
        lena.press(page, "older")
        await server.until(lambda: "(2 of 2)" in page["text"])
        lena.press(page, "why 7")
        assert "you said: “i am lena”" in (await lena.hears())["text"]
        lena.press(page, "forget 7")
        await server.until(lambda: "Lena" not in page["text"])
        assert "name" not in await home.facts("telegram:7")
        assert "i am lena" not in await home.words("telegram:7")


async def test_forget_by_text_and_the_last(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("i am lena")
        assert "1 fact" in await lena.asks("/forget Lena")
        assert await home.words("telegram:7") == []
        assert "nothing" in await lena.asks("/forget Lena")
        await lena.asks("exam 2031-01-01")
        lena.say("/forget")
        lena.press(await lena.hears(), "The last")
        assert "Forgotten" in (await lena.hears())["text"]
        assert await home.facts("telegram:7") == {}
        # Nor does /retry bring it back.
        assert "nothing" in await lena.asks("/retry")


async def test_pause_writes_nothing_until_resume(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("/pause")
        await lena.asks("i am lena")
        assert "/resume" in await lena.asks("/memory")
        await lena.asks("/resume")
        assert await home.facts("telegram:7") == {}
        assert await home.words("telegram:7") == []


async def test_export_sends_the_file_and_erase_asks_once(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("i am lena")
        lena.say("/export")
        await lena.hears()
        chat, name, data = server.files[0]
        assert (chat, name) == (7, "memory.json")
        assert "i am lena" in json.dumps(json.loads(data))
        lena.say("/erase")
        question = await lena.hears()
        lena.press(question, "No")
        await server.until(lambda: "Nothing was erased" in question["text"])
        lena.say("/erase")
        question = await lena.hears()
        lena.press(question, "Yes")
        await server.until(lambda: "is erased" in question["text"])
        assert await home.facts("telegram:7") == {}
        assert await home.words("telegram:7") == []
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"lena" not in path.read_bytes(), path


async def test_mood_is_a_picture(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert "isn't enough" in await lena.asks("/mood")
        await lena.asks("yay")
        lena.say("/mood")
        assert "bright (1)" in (await lena.hears())["caption"]
        assert server.files[0][2].startswith(b"\x89PNG")


async def test_persona_shows_and_renames(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert "Juno" in await lena.asks("/persona")
        assert "Ada" in await lena.asks("/persona Ada")
        assert "I'm Ada" in await lena.asks("/persona")


async def test_the_time_zone_can_be_told(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "Asia/Tokyo" in await lena.asks("/settings tokyo")
        refusal = await lena.asks("/settings atlantis")
        assert "don't know" in refusal
        assert "Atlantic" in refusal
        await lena.asks("hello")
        at = await home.telegram.worker.call(lambda c: c.memory("telegram:7").recent(2)[0].at)
        assert at.utcoffset() == timedelta(hours=9)


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
