"""Who has talked at this terminal. The names of the files say nothing of it, so each file holds its own name inside.

Knows only those who came by the terminal: other channels leave no name.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from chatbot.memory import Memory

KEY = "user"
MOST = 200
"""Files that are looked into, the latest changed first."""


def note(memory: Memory, name: str) -> None:
    """Write the name into this person's own file, once."""
    if memory.get(KEY) != name:
        memory.set(KEY, name)


def known(folder: Path, current: str) -> list[str]:
    """The names in the folder's files, and the current one, in alphabetical order."""
    names = {current}
    try:
        files = sorted(folder.glob("*.db"), key=lambda path: -path.stat().st_mtime)[:MOST]
    except OSError:
        files = []
    for path in files:
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as db:
                row = db.execute("select value from setting where key = ?", [KEY]).fetchone()
        except sqlite3.Error:  # damaged, busy or not ours: no name to show
            continue
        if row:
            names.add(str(row[0]))
    return sorted(names, key=str.casefold)
