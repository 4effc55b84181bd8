"""Regular expressions on hostile input: nearly matching fragments, repeated until the limit, must not be slow.

Processor time, not the clock: backtracking that explodes costs minutes or years, and an ordinary message a millisecond,
so that the bound may be generous.
"""

from __future__ import annotations

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import safety
from models.folding import LIMIT
from models.outgoing import LIMIT as REPLY
from models.outgoing import objections
from models.skills import Skills
from pipelines.turn import Turn, Utterance

SECONDS = 5.0

LITERALS = sorted({literal for rule in safety._data().rules for literal in rule.pattern.literals})
GLUE = [
    " ",
    "  ",
    ". ",
    ", ",
    "\n",
    "'",
    "-",
    "*",
    "\u200b",
    "a ",
    "i ",
    "my ",
    "the ",
    "you ",
    "not ",
    "to ",
    "me ",
    "1 ",
]
fragment = st.sampled_from(LITERALS) | st.sampled_from(GLUE) | st.text(max_size=3)


@st.composite
def hostile(draw: st.DrawFn) -> str:
    """A few fragments, repeated to the limit, with something at the end that spoils the match."""
    block = "".join(f"{draw(fragment)}{draw(st.sampled_from(['', ' ']))}" for _ in range(draw(st.integers(1, 6))))
    return ((block or "a") * LIMIT)[: LIMIT - 3] + draw(st.text(max_size=3))


@given(hostile())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_message_makes_the_safety_work_slow(text):
    turn = Turn(text, history=[Utterance("person", text, Turn("").at), Utterance("companion", text, Turn("").at)])
    started = time.process_time()
    turn.safety = safety.Rules()([turn])[0]
    objections(text[:REPLY], turn)
    Skills()([turn])
    assert time.process_time() - started < SECONDS
