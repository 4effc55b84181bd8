"""Scenes of tests/scenes, over Telegram: what must be in a reply is in the message that the person gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from friends import Friend
from house import house
from standin import Standin

from chatbot.scenes import check, read_scene
from pipelines.turn import Reply, Turn

SCENES = Path(__file__).parents[2] / "scenes"


@pytest.mark.parametrize("name", ["introduces_herself", "a_new_name", "in_danger", "two_people"])
async def test_a_scene_over_telegram(name: str, tmp_path: Path) -> None:
    scene = read_scene(SCENES / f"{name}.toml")
    failed, friends = [], {}
    async with Standin(per_chat=0) as server:
        for session in scene.sessions:
            # A session is a start of the bot: memory outlives it.
            async with house(server, tmp_path, list(range(1, 9)), config="tiny") as home:
                person = session.get("person", "someone")
                friend = friends.setdefault(person, Friend(server, len(friends) + 1, name="P"))
                for turn in session["turn"]:
                    reply = await friend.asks(turn["say"])
                    answered = Turn(turn["say"], reply=Reply(reply, "telegram"))
                    failed += check(answered, [], {"reply": turn.get("reply", {})})
                    known = await home.facts(f"telegram:{friend.id}")
                    wanted = [w.split("=")[0].rsplit(".", 1)[-1] for w in turn.get("known", {}).get("has", ())]
                    failed += [f"{slot} is not known" for slot in wanted if slot not in known]
    assert not failed
