"""Whoever runs the bot learns how often a crisis was met, and nothing of whom."""

from __future__ import annotations

from pathlib import Path

from friends import Friend
from house import house
from standin import Standin


async def test_crisis_replies_are_counted_without_a_name(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, house(server, tmp_path, [1], config="tiny") as home:
        friend = Friend(server, 1, name="P")
        await friend.asks("it rains today")
        assert home.telegram.counters.counts["crisis"] == 0
        await friend.asks("i want to kill myself")
        assert home.telegram.counters.counts["crisis"] == 1
