"""Whatever people type, the chain without weights answers it, and remembers it as it was typed."""

from __future__ import annotations

import tempfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.companion import Companion
from chatbot.settings import MemorySettings
from pipelines.pipeline import Pipeline
from pipelines.turn import Persona

ANY = st.text(max_size=400) | st.text(alphabet="im my ?!.'aeio\n😂🎂שלمر<|>{}%", max_size=200)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANY, min_size=1, max_size=3))
def test_every_turn_ends_in_a_reply(tiny_pipeline: Pipeline, said: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        companion = Companion(tiny_pipeline, Persona(), MemorySettings(folder=folder))
        for text in said:
            [turn] = companion.answer([("someone", text)])
            assert turn.reply is not None
            assert turn.reply.text.strip()
            assert turn.failed == {}
            for entity in turn.entities or ():
                assert turn.text[entity.start : entity.end] == entity.text
        assert sum(u.role == "person" for u in companion.memory("someone").recent(99)) == len(said)
        companion.close_memories()
