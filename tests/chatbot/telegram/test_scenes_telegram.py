"""Scenes of tests/scenes, over Telegram: what must be in a reply is in the message that the person gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from friends import Friend
from house import house
from standin import Standin

from chatbot.scenes import check, read_scene
from pipelines.turn import Reply, Turn

SCENES = sorted((Path(__file__).parents[2] / "scenes").glob("*.toml"))


@pytest.mark.parametrize("path", SCENES, ids=lambda p: p.stem)
async def test_a_scene_over_telegram(path: Path, tmp_path: Path) -> None:
    scene = read_scene(path)
    failed, friends = [], {}
    async with Standin(per_chat=0) as server:
        for session in scene.sessions:
            # A session is a start of the bot: memory outlives it.
            async with house(server, tmp_path, list(range(1, 9)), config="tiny", quiet=0.0) as home:
                person = session.get("person", "someone")
                friend = friends.setdefault(person, Friend(server, len(friends) + 1, name="P"))
                for turn in session["turn"]:
                    if not turn["say"].strip():
                        continue  # no app sends it
                    reply = await friend.asks(turn["say"])
                    known = await home.telegram.worker.call(
                        lambda companion, friend=friend: companion.memory(f"telegram:{friend.id}").facts()
                    )
                    answered = Turn(turn["say"], reply=Reply(reply, "telegram"))
                    failed += check(answered, known, {key: turn[key] for key in ("reply", "known") if key in turn})
    assert not failed
