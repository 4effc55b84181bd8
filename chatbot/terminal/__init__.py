"""The chat in a terminal: prompt, slash commands, trace of a turn, mood, and the workbench for swapping stages."""
