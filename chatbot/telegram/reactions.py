"""Now and then an emoji on the person's message, chosen from what they feel; rare enough to mean something.

Only the emoji of https://core.telegram.org/bots/api#reactiontypeemoji may be used. Labels: GoEmotions.
"""

from __future__ import annotations

from collections import OrderedDict

from pipelines.turn import Turn

EMOJI = {
    "admiration": "👏",
    "amusement": "😁",
    "approval": "👍",
    "caring": "🤗",
    "desire": "👀",
    "excitement": "🎉",
    "fear": "🤗",
    "gratitude": "🙏",
    "grief": "😢",
    "joy": "🎉",
    "love": "❤",
    "nervousness": "🤝",
    "pride": "🏆",
    "relief": "😇",
    "remorse": "🤗",
    "sadness": "😢",
    "surprise": "🤯",
}

SURE = 0.6
APART = 6
"""How sure the feeling must be, and how many messages lie between two reactions in a chat."""


class Reactions:
    """Counts the messages since the last reaction, per chat; nothing of it outlives a restart."""

    def __init__(self) -> None:
        self._since: OrderedDict[int, int] = OrderedDict()

    def choose(self, chat: int, turn: Turn) -> str | None:
        """The emoji for this turn, or None, which it mostly is. Never where there is danger."""
        since = self._since.pop(chat, APART)
        self._since[chat] = since + 1
        while len(self._since) > 5000:
            self._since.popitem(last=False)
        if since < APART or turn.emotion is None or turn.safety is None or turn.safety.level != "none":
            return None
        for label in turn.emotion.labels[:1]:
            if label in EMOJI and turn.emotion.probabilities.get(label, 0.0) >= SURE:
                self._since[chat] = 0
                return EMOJI[label]
        return None
