"""What a person talks to: the companion, its memory, and the channels that reach it."""

__version__ = "0.1.0"
