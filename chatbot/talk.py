"""How long a talk has gone on without the companion saying that it is an AI. Knows times and words, no models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.turn import SAYS_AI, Utterance

PAUSE = timedelta(minutes=30)
"""A longer silence ends a talk: what comes after it is a new one."""

WINDOW = 600
"""Utterances that are looked at: three hours at one exchange in 36 seconds."""


def untold(said: Sequence[Utterance], at: datetime) -> timedelta | None:
    """The time since the talk began, or since the companion last said in it what it is; None when it never did.

    said: the last WINDOW utterances of both, oldest first. Told and then silent for longer than PAUSE is a new talk,
    whose clock starts anew.
    """
    told = next((u.at for u in reversed(said) if u.role == "companion" and SAYS_AI.search(u.text)), None)
    if told is None:
        return None
    began = at
    for utterance in reversed(said):
        if began - utterance.at > PAUSE:
            break
        began = min(began, utterance.at)
    return max(timedelta(), at - max(began, told))
