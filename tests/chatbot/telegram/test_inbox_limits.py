"""The inbox's promises, the pace, what is read out of an update, and small choices; without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from standin import EMOJI as ALLOWED

from chatbot.telegram.counters import Counters
from chatbot.telegram.groups import addressed
from chatbot.telegram.inbox import Inbox, Last, Out
from chatbot.telegram.limits import OVERALL, Pace
from chatbot.telegram.people import companion_name
from chatbot.telegram.reactions import APART, EMOJI, Reactions
from chatbot.telegram.reading import Item
from pipelines.turn import Emotion, Risk, Turn


def raw(id: int, chat: int = 7, text: str = "a secret word") -> dict[str, Any]:
    return {"update_id": id, "message": {"message_id": id, "chat": {"id": chat}, "text": text}}


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "t" / "inbox.db")


def test_an_update_counts_once_and_stays_until_it_is_done(inbox: Inbox) -> None:
    assert [u["update_id"] for u in inbox.put([raw(2), raw(1)])] == [1, 2]
    assert inbox.put([raw(2)]) == []
    inbox.heard([1], "2026-01-01T00:00:00+00:00")
    assert [(u["update_id"], at) for u, at in inbox.unanswered()] == [(1, "2026-01-01T00:00:00+00:00"), (2, None)]
    inbox.done([1], 7, [Out("hello")])
    assert [u["update_id"] for u, _ in inbox.unanswered()] == [2]
    assert inbox.put([raw(1)]) == []
    assert inbox.depth() == 1


def test_crossing_off_and_what_is_to_be_sent_are_one(inbox: Inbox) -> None:
    inbox.put([raw(1)])
    with pytest.raises(TypeError):
        inbox.done([1], 7, [Out("fine"), Out(text=object())])  # type: ignore[arg-type]
    assert inbox.depth() == 1
    assert inbox.chats_waiting() == []


def test_words_leave_the_file_when_they_are_answered_and_sent(inbox: Inbox, tmp_path: Path) -> None:
    inbox.put([raw(1)])
    inbox.done([1], 7, [Out("an answer to it")])
    [row] = inbox.waiting(7)
    inbox.sending(row)
    inbox.sent(row, 12)
    inbox.sweep()
    inbox.close()
    for path in (tmp_path / "t").iterdir():
        assert b"secret" not in path.read_bytes()
        assert b"an answer" not in path.read_bytes()


def test_where_a_message_may_stand_whose_sending_was_cut_off(inbox: Inbox) -> None:
    inbox.put([raw(10), raw(11, chat=8)])
    inbox.done([10], 7, [Out("one")])
    [row] = inbox.waiting(7)
    assert inbox.sending(row) == 11
    [row] = inbox.waiting(7)
    inbox.put([raw(14, chat=9)])
    # 12 and 13 are nobody's; what is after 14 may be.
    assert inbox.gaps(row)[:2] == [12, 13]
    assert 14 not in inbox.gaps(row)
    supergroup = -1_000_000_000_123
    inbox.put([raw(500, chat=supergroup)])
    assert inbox.top(7) == 14
    assert inbox.top(supergroup) == 500


def test_the_last_exchange_collects_its_replies(inbox: Inbox) -> None:
    inbox.put([raw(1)])
    inbox.done([1], 7, [Out("one", answers=True), Out("two", answers=True), Out("aside")], Last("at", (1,)))
    for number, row in enumerate(inbox.waiting(7)):
        inbox.sent(row, 20 + number)
    assert inbox.last(7) == Last("at", (1,), (20, 21))
    inbox.forget(7)
    assert inbox.last(7) == Last()


def test_pace_per_chat_group_and_overall() -> None:
    now = [0.0]
    pace = Pace(1.0, clock=lambda: now[0])
    assert pace.take(1) == 0.0
    assert pace.take(1) == pytest.approx(1.0)
    for chat in range(2, OVERALL + 1):
        assert pace.take(chat) == 0.0
    assert pace.take(99) == pytest.approx(1.0)
    for _ in range(20):
        now[0] += 1.1
        assert pace.take(-5) == 0.0
    now[0] += 1.1
    assert pace.take(-5) > 30
    pace.hold(7.0, 1)
    assert pace.take(1) == pytest.approx(7.0)
    pace.hold(9.0)
    assert pace.take(3) == pytest.approx(9.0)


def test_who_writes_in_a_group_is_answered_only_when_the_bot_is_meant() -> None:
    def item(text: str, **also: Any) -> Item:
        from datetime import UTC, datetime

        return Item(1, "said", -5, 7, datetime.now(UTC), text=text, group=True, **also)

    assert addressed(item("hey @Juno_bot what's up"), "juno_bot", "Juno")
    assert addressed(item("juno?"), "juno_bot", "Juno")
    assert addressed(item("yes", reply_to_us=True), "juno_bot", "Juno")
    assert not addressed(item("the junos are here"), "juno_bot", "Juno")
    assert not addressed(item("@juno_bot2 hi"), "juno_bot", "Juno")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada", "Ada"),
        ("ada", "Ada"),
        ("I'll call you Ada", "Ada"),
        ("maybe Ada?", "Ada"),
        ("Juno is fine", "Juno"),
        ("that's good", "Juno"),
        ("i'm tired", None),
        ("Ada Lovelace", "Ada Lovelace"),
        ("coffee is good", None),
        ("hello", None),
        ("what do you mean by that, exactly?", None),
        ("no", None),
        ("", None),
    ],
)
def test_the_name_in_an_answer(text: str, name: str | None) -> None:
    assert companion_name(text, "Juno") == name


def test_reactions_are_allowed_rare_and_never_in_danger() -> None:
    assert set(EMOJI.values()) <= ALLOWED
    joy = Emotion({"joy": 0.9}, ("joy",), 0.9)
    reactions = Reactions()
    chosen = [reactions.choose(7, Turn("yay", emotion=joy, safety=Risk())) for _ in range(20)]
    assert chosen[0] is not None
    assert sum(emoji is not None for emoji in chosen) == -(-20 // (APART + 1))
    assert Reactions().choose(7, Turn("yay", emotion=joy, safety=Risk("low", "grief"))) is None
    assert Reactions().choose(7, Turn("yay", emotion=joy, safety=None)) is None
    faint = Emotion({"joy": 0.3}, ("joy",), 0.2)
    assert Reactions().choose(7, Turn("ok", emotion=faint, safety=Risk())) is None


def test_metrics_are_in_the_text_format() -> None:
    counters = Counters()
    counters.wait(0.2)
    counters.wait(100.0)
    counters.stage({"safety.rules": 1.5})
    lines = list(counters.lines(3, 1))
    assert 'chatbot_wait_seconds_bucket{le="0.25"} 1' in lines
    assert 'chatbot_wait_seconds_bucket{le="+Inf"} 2' in lines
    assert 'chatbot_stage_seconds_count{stage="safety.rules"} 1' in lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    shown = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in shown} == names
