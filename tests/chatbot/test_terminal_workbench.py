"""Stages exchanged in a running chat: what changes, what stays, and what is refused."""

from __future__ import annotations

import gc
import re
import tomllib
import weakref
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminal_harness import chatting

from chatbot.assemble import make_companion, read_config
from chatbot.memory import Memory
from chatbot.settings import MemorySettings
from chatbot.terminal import workbench
from pipelines import config as configs
from pipelines import stages
from pipelines.config import Config

SMALL = """
[stages.safety]
use = "rules"
[stages.emotion]
use = "lexicon"
[[stages.candidates]]
use = "template"
[stages.reply]
use = "first"
"""


def small(folder: Path) -> Config:
    path = folder / "small.toml"
    path.write_text(SMALL)
    return read_config(str(path), [f'memory.folder="{folder / "data"}"'])


async def test_a_stage_is_exchanged_and_the_old_one_is_gone(tmp_path: Path) -> None:
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        await screen.say("this makes me so sad", "Juno: ")
        companion = await screen.ready()
        old = weakref.ref(companion.pipeline.steps[1].stage)
        kept = companion.pipeline.steps[2].stage
        shown = await screen.say("/set emotion.threshold 0.9", "(was: sadness")
        assert "emotion.lexicon in, emotion.lexicon out" in shown
        assert "neutral" in shown
        assert "MB with old and new" in shown or workbench.resident() is None
        gc.collect()
        assert old() is None
        assert companion.pipeline.steps[2].stage is kept
        await screen.say("this makes me so sad", "Juno: ")
        assert screen.chat.turn
        assert screen.chat.turn.emotion
        assert screen.chat.turn.emotion.labels == ("neutral",)


HEAVY = '''
import numpy as np

from pipelines.turn import Emotion


class Heavy:
    """Holds 200 MB, as a model does its weights."""

    needs = ()

    def __init__(self):
        self.weights = np.ones(50_000_000, np.float32)

    def __call__(self, turns):
        return [Emotion({}, ("neutral",), 0.0) for _ in turns]
'''


async def test_the_memory_of_a_stage_with_weights_of_its_own_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heavy_stage.py").write_text(HEAVY)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = stages.stage_names()
    entry = EntryPoint("emotion.heavy", "heavy_stage:Heavy", stages.GROUP)
    monkeypatch.setattr(configs, "stage_names", lambda: {**known, "emotion.heavy": entry})
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        await screen.say("this makes me so sad", "Juno: ")
        await screen.say("/use emotion heavy", "emotion.heavy in")
        old = weakref.ref((await screen.ready()).pipeline.steps[1].stage)
        await screen.say("hello", "Juno: ")
        await screen.say("/trace", "emotion.heavy")
        shown = await screen.say("/use emotion lexicon", "“hello”")
        assert "emotion.lexicon in, emotion.heavy out" in shown
        assert old() is None, "something still holds the old stage"
        if workbench.resident() is not None:
            before, after = re.findall(r"(\d+) MB before, .* (\d+) MB now", shown)[0]
            assert int(before) - int(after) > 150, shown


async def test_what_a_stage_said_before_is_that_of_the_stage_that_went(tmp_path: Path) -> None:
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        await screen.say("this makes me so sad", "Juno: ")
        await screen.say("/set emotion.threshold 0.9", "neutral -0.62 (was: sadness -0.62)")
        await screen.say("/set emotion.threshold 0.1", "(was: neutral -0.62)")


async def test_a_slot_is_added_in_its_place_and_taken_out_again(tmp_path: Path) -> None:
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        await screen.say("/use intent rules", "intent.rules in, none out")
        companion = await screen.ready()
        assert [s.slot for s in companion.pipeline.steps] == ["safety", "intent", "emotion", "candidates", "reply"]
        await screen.say("/use intent off", "no stage in, intent.rules out")
        await screen.say("/use candidates +skills", "candidates.skills in")
        assert [s.label for s in companion.pipeline.steps][2:4] == ["candidates.template", "candidates.skills"]
        await screen.say("/use candidates.skills off", "candidates.skills out")


WRONG = [
    ("/use emotion lexicn", 'unknown stage "lexicn". Did you mean "lexicon"?'),
    ("/use emotion lexicon treshold=0.3", 'unknown setting "treshold". Did you mean "threshold"?'),
    ("/use emotion lexicon threshold=7", "threshold = 7: Input should be less than or equal to 1"),
    ("/use feeling lexicon", "There is no slot 'feeling'. Slots: safety"),
    ("/use safety off", "there is no [stages.safety]"),
    ("/use reply off", "there is no [stages.reply]"),
    ("/use intent encoder", "needs the slot embedding"),
    ("/use emotion", "/use SLOT STAGE"),
    ("/set emotion.threshold high", 'threshold = "high"'),
    ("/set emotion", "/set emotion.threshold 0.3"),
    ("/set mood.threshold 1", "There is no mood.threshold to set"),
    ("/set memory.folder /else", "cannot change"),
    ("/set candidates.count 3", "Name one of its stages: candidates.STAGE.count"),
]


async def test_what_is_wrong_is_refused_with_its_reason_and_changes_nothing(tmp_path: Path) -> None:
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        companion = await screen.ready()
        steps, config = list(companion.pipeline.steps), screen.chat.config
        for line, says in WRONG:
            shown = await screen.say(line, says)
            assert "Traceback" not in shown
            assert companion.pipeline.steps == steps
            assert screen.chat.config is config
        await screen.say("hello", "Juno: ")


async def test_a_stage_that_fails_on_a_message_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.emotion import Lexicon

    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        companion = await screen.ready()
        old = companion.pipeline.steps[1]

        def fail(self: Any, turns: Any) -> Any:
            raise ValueError("wrong encoder")

        with monkeypatch.context() as patch:
            patch.setattr(Lexicon, "__call__", fail)
            await screen.say("/set emotion.threshold 0.3", "ValueError: wrong encoder. The old one stays.")
        assert companion.pipeline.steps[1] is old


async def test_no_turn_is_lost_and_memory_is_untouched_by_a_change(tmp_path: Path) -> None:
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        for i in range(3):
            screen.type(f"message {i}\r/set emotion.threshold 0.{i + 3}\r")
        screen.type("/set persona.name Ada\r")  # at once: none of the changes may undo another
        await screen.until(lambda: screen.text.count("emotion.lexicon in") == 3)
        memory = Memory.open(tmp_path / "data", "me")
        await screen.until(lambda: len(memory.recent(9)) == 6)
        said = [u.text for u in memory.recent(9) if u.role == "person"]
        await screen.wait("no stage in")
        assert screen.chat.config.persona.name == "Ada"
        assert screen.chat.config.values["stages"]["emotion"]["threshold"] == 0.5
    assert said == ["message 0", "message 1", "message 2"]


async def test_config_shows_where_each_value_is_from_and_can_be_saved(tmp_path: Path) -> None:
    saved = tmp_path / "mine.toml"
    async with chatting(tmp_path, small(tmp_path), make_companion) as screen:
        await screen.say("/set emotion.threshold 0.3", "emotion.lexicon in")
        await screen.say("/set persona.name Ada", "no stage in")
        shown = await screen.say("/config", 'reply.use = "first"')
        assert "stages.emotion.threshold = 0.3  # /set emotion.threshold 0.3" in shown
        assert 'stages.emotion.use = "lexicon"  # small.toml:5' in shown
        assert f"memory.history = {MemorySettings().history}  # default" in shown
        await screen.say("hello", "Ada: ")
        await screen.say(f"/config save {saved}", "Saved")
        await screen.say(f"/config save {saved}", "File exists")
    again = read_config(str(saved))
    assert again.persona.name == "Ada"
    assert again.stages[1].settings == {"threshold": 0.3}


CARD = """
title = "away"
task = "none"
licence = "none"
[[files]]
path = "model.safetensors"
sha256 = "00"
bytes = 1
sources = ["file:/no/such/file"]
"""


async def test_without_weights_it_says_so_and_the_chain_that_answers_can_be_changed(tmp_path: Path) -> None:
    config = small(tmp_path)
    (tmp_path / "away.toml").write_text(CARD)
    text = SMALL.replace("[stages.emotion]", f'[stages.embedding]\nuse = "minilm"\nweights = "{tmp_path / "away.toml"}"\n[stages.emotion]')  # fmt: skip  # noqa: E501
    config.path.write_text(text)
    config = read_config(str(config.path), [f'memory.folder="{tmp_path / "data"}"'])
    async with chatting(tmp_path, config, make=False) as screen:
        await screen.wait("Until then I answer without any models")
        await screen.say("hello", "Juno: ")
        await screen.say("/use intent off", "no stage in, intent.rules out")


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NUMBERS = st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False)
PLAIN = NUMBERS | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_what_is_saved_reads_back_the_same(values: dict[str, Any]) -> None:
    assert tomllib.loads(workbench.toml(values)) == values
