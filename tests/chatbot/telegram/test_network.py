"""A bad network and a strict server: each message goes out once, in order, and the bot comes back by itself."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections import Counter
from pathlib import Path

import pytest
from friends import Friend
from house import house
from standin import BOT, TOKEN, Standin

from chatbot.telegram import logs

DATA = Path(os.environ.get("DATA", Path(__file__).parents[4] / "shared/data"))
UPDATES = DATA / "telegram_updates"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a second are a tenth of one here."""
    sleep = asyncio.sleep

    async def short(seconds: float) -> None:
        await sleep(seconds / 10)

    monkeypatch.setattr("chatbot.telegram.sender.asyncio.sleep", short)
    monkeypatch.setattr("chatbot.telegram.polling.LONGEST_WAIT", 0.2)


@pytest.mark.parametrize("faults", [["429"], ["502"], ["html"], ["cut"], ["done-cut"], ["done-cut", "429", "cut"]])
async def test_a_message_goes_out_once_whatever_happens_on_the_way(faults: list[str], tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, house(server, tmp_path, [7]):
        lena = Friend(server, 7)
        server.fault("sendMessage", *faults)
        assert await lena.asks("one") == "echo: one"
        assert await lena.asks("two") == "echo: two"
        assert [m["text"] for m in server.sent] == ["echo: one", "echo: two"]


async def test_a_cut_line_amid_others_finds_its_own_message(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, house(server, tmp_path, list(range(1, 11))):
        server.fault("sendMessage", *["done-cut", "cut", "done-cut", "502"] * 2)
        friends = [Friend(server, i) for i in range(1, 11)]
        for friend in friends:
            friend.say(f"from {friend.id}")
        for friend in friends:
            assert (await friend.hears())["text"] == f"echo: from {friend.id}"
        await asyncio.sleep(0.5)
        assert Counter(m["chat"]["id"] for m in server.sent) == dict.fromkeys(range(1, 11), 1)


async def test_polling_comes_back_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Standin(per_chat=0) as server, house(server, tmp_path, [7]) as home:
        lena = Friend(server, 7)
        await lena.asks("one")
        with caplog.at_level(logging.INFO):
            server.fault("getUpdates", "cut", "cut", "502")
            lena.say("two")
            assert (await lena.hears())["text"] == "echo: two"
            await server.until(lambda: "polling_back" in caplog.text)
            assert await lena.asks("three") == "echo: three"
        troubles = [r.getMessage() for r in caplog.records if "polling" in r.getMessage()]
        assert [t.split()[0] for t in troubles] == ["event=polling_trouble", "event=polling_back"]
        assert home.telegram.counters.counts["network"] >= 2


async def test_a_loss_that_lasts_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.telegram.sender.LASTING", 0.0)
    async with Standin(per_chat=0) as server, house(server, tmp_path, [7]):
        lena = Friend(server, 7)
        server.fault("sendMessage", "cut")
        server.fault("getMe", *["cut"] * 4)
        with caplog.at_level(logging.INFO, "chatbot"):
            assert await lena.asks("one") == "echo: one"
            assert await lena.asks("two") == "echo: two"
        events = [r.getMessage().split()[0] for r in caplog.records if "network" in r.getMessage()]
        assert events == ["event=network_lost", "event=network_back"]


async def test_another_poller_is_waited_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Standin(per_chat=0) as server, house(server, tmp_path, [7]):
        lena = Friend(server, 7)
        await lena.asks("one")
        # Another program asks for the same bot's updates: ours is told 409.
        assert await server.do_getupdates({"timeout": "0"}) == []
        assert await lena.asks("two") == "echo: two"
        assert server.refused["getupdates 409 Conflict"] >= 1
        assert "only one can" in caplog.text


async def test_one_message_a_second_per_chat(tmp_path: Path) -> None:
    async with Standin(per_chat=1.0) as server, house(server, tmp_path, [7], pace=1.05, quiet=0.0):
        lena = Friend(server, 7)
        for i in range(3):
            lena.say(f"/x{i}")
        for i in range(3):
            assert f"/x{i}" in (await lena.hears())["text"]
        assert not server.refused


async def test_what_cannot_be_parsed_is_stepped_over(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, house(server, tmp_path, [7]) as home:
        lena = Friend(server, 7)
        server.update(message={"message_id": 1})
        server.update(message="nonsense")
        server.update(callback_query={"id": "1", "from": None})
        server.update(some_new_kind={"x": 1})
        # Of a future kind, but it can be seen who sent it.
        lena.send(poll={"shape": "of the future"})
        assert "polls" in (await lena.hears())["text"]
        assert await lena.asks("still there?") == "echo: still there?"
        assert home.telegram.counters.counts["unreadable"] == 3
        assert home.telegram.counters.counts["silent"] == 4


@pytest.mark.skipif(not UPDATES.is_dir(), reason="the collected updates are not on this machine (DATA)")
async def test_real_shapes_of_updates_are_all_met(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    updates, people = [], set()
    for path in sorted(UPDATES.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            updates.append(record.get("update") or {"message": record["message"]})
    assert len(updates) >= 70
    outcomes: Counter[str] = Counter()
    async with Standin(per_chat=0) as server:
        server._update_id = 5000
        for update in updates:
            message = update.get("message") or update.get("edited_message") or {}
            if isinstance(message.get("chat"), dict):
                server.chats.setdefault(message["chat"]["id"], {})
            people.add((message.get("from") or {}).get("id", 1))
        async with house(server, tmp_path, sorted(people), per_person=0, quiet=0.0) as home:
            counts, inbox = home.telegram.counters.counts, home.telegram.inbox
            for n, update in enumerate(updates, 1):
                sent, silent, unreadable = len(server.sent), counts["silent"], counts["unreadable"]
                server.update(**{k: v for k, v in update.items() if k != "update_id"})
                await server.until(lambda n=n: counts["updates"] == n and not inbox.depth())
                await server.until(lambda: not home.telegram.busy and not inbox.chats_waiting())
                answered = len(server.sent) - sent
                # Each has exactly one of the two: an answer, or a silence that was chosen.
                assert (answered, counts["silent"] - silent) in ((1, 0), (0, 1)), update
                kind = "answered" if answered else "unreadable" if counts["unreadable"] > unreadable else "silent"
                outcomes[kind] += 1
                print(kind, [key for key in update if key != "update_id"], server.sent[-1]["text"] if answered else "")
            assert counts["failed"] == 0
        print(dict(outcomes))
    assert outcomes["answered"] >= 25
    assert outcomes["unreadable"] <= 5
    assert not [r for r in caplog.records if r.exc_info]


def test_the_token_is_taken_out_of_logs_and_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        logs.set_up(TOKEN)
        log = logging.getLogger("anything")
        log.info("asking %s/getMe", f"https://api.telegram.org/bot{TOKEN}")
        try:
            raise ValueError(f"the words of a person, and {TOKEN}")
        except ValueError:
            log.exception("event=failed")
        logging.getLogger("httpx").info("HTTP Request: POST /bot%s/sendMessage", TOKEN)
        written = capsys.readouterr().err
    finally:
        logging.root.handlers[:], logging.root.level = handlers, level
    assert "event=failed error=ValueError at=test_network.py:" in written
    assert TOKEN.split(":")[1] not in written
    assert "words of a person" not in written
    assert "sendMessage" not in written
    assert BOT["username"]
