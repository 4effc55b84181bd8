"""How a turn flows: the turn, the loop and the config. Knows no model and no channel."""
