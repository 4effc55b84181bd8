"""What a reply adds so that nobody takes the companion for a person: that it is an AI, unasked.

At the first meeting, where the reply does not say it anyway; and again after three hours of talk, for somebody under
18 after one, with a word for a break; statutes on companion bots ask for such reminders. Nothing is added to a fixed
reply of the safety stage or to a goodbye: then it is said at the next turn. It knows the time only as `Turn.untold`
tells it, and the age as far as it was said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from models.outgoing import is_goodbye, is_minor
from models.phrases import choose
from pipelines.turn import SAYS_AI, Reply, Turn

AFTER, AFTER_MINOR = timedelta(hours=3), timedelta(hours=1)

FIRST = (
    "(We're new to each other, so you know: I'm {companion}, an AI, and not a person.)",
    "(Before we go on: I'm {companion}, an AI. No human is writing here.)",
)
AGAIN = (
    "(We've been talking for hours, so once more: I'm an AI, and not a person.)",
    "(A reminder, after all this time: you're talking with an AI, not with a human.)",
)
AGAIN_MINOR = (
    "(You've been here for over an hour: I'm an AI, and not a person. A break would do you good, and so would "
    "company of people you like.)",
    "(A reminder after an hour: you're talking with an AI, not with a human. Stretch, drink something, say hello to "
    "somebody near you.)",
)


def disclosed(turn: Turn, reply: Reply) -> Reply:
    """The reply, with the reminder when it is due."""
    if turn.safety is not None and turn.safety.reply is not None:
        return reply
    minor = is_minor(turn)
    due = turn.untold is None or turn.untold >= (AFTER_MINOR if minor else AFTER)
    if not due or not reply.text or SAYS_AI.search(reply.text) or is_goodbye(turn):
        return reply
    texts = FIRST if turn.untold is None else AGAIN_MINOR if minor else AGAIN
    return replace(reply, text=f"{reply.text} {choose(turn, texts)}", why=f"{reply.why}; it had to say what it is")
