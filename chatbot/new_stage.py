"""Writes a small package with one stage: it installs, passes its test and can be named in a config at once.

The stage in it is a plain example of its slot, meant to be replaced. Knows nothing of what is installed.
"""

from __future__ import annotations

import difflib
import keyword
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.turn import SLOTS

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Example:
    """A stage of one slot: what it imports from pipelines.turn, the type of its values, what it needs, the value for
    one turn, and what its test says of the value for "hello there"."""

    imports: str
    kind: str
    value: str
    check: str
    needs: str = "()"


EXAMPLES = {
    "safety": Example(
        "Risk", "Risk", 'Risk("low") if self.word in turn.text.lower() else Risk()', "value.level == 'low'"
    ),
    "embedding": Example(
        "Embedding", "Embedding", "Embedding(letters(turn.text), letters(turn.text), __name__)", "value.vector.any()"
    ),
    "intent": Example(
        "Intent",
        "Intent",
        'Intent("greeting", 0.9) if self.word in turn.text.lower() else Intent("out_of_scope", 0.5, in_scope=False)',
        "value.label == 'greeting'",
    ),
    "entities": Example(
        "Entity",
        "list[Entity]",
        '[Entity(m[0], "GREETING", m.start(), m.end()) for m in re.finditer(re.escape(self.word), turn.text, re.I)]',
        "value[0].text == turn.text[value[0].start : value[0].end]",
    ),
    "emotion": Example(
        "Emotion",
        "Emotion",
        'Emotion({"joy": 0.9}, ("joy",), 0.9) if self.word in turn.text.lower() else Emotion({}, ("neutral",), 0.0)',
        "value.labels == ('joy',)",
    ),
    "facts": Example(
        "Fact",
        "list[Fact]",
        '[Fact("like", self.word)] if self.word in turn.text.lower() else []',
        "value[0].slot == 'like'",
    ),
    "memories": Example(
        "Memory",
        "list[Memory]",
        "[Memory(turn.past.moment(id), score) for id, score in turn.past.words(self.word, 3)] if turn.past else []",
        "value == []",
    ),
    "candidates": Example(
        "Candidate", "list[Candidate]", '[Candidate(f"You said: {turn.text}", "{name}")]', "'hello' in value[0].text"
    ),
    "reply": Example(
        "Reply",
        "Reply",
        'Reply(turn.candidates[-1].text, turn.candidates[-1].source, "the last one") if turn.candidates else None',
        "value is None",
        '("candidates",)',
    ),
}

STAGE = '''"""{label}: a stage for the chatbot. An example that works; put yours in its place."""

from __future__ import annotations
{extra_imports}
from collections.abc import Sequence
from typing import ClassVar

from pipelines.turn import {imports}, Turn
{helper}

class {cls}:
    """What it does, in a line: `chatbot stages show {label}` prints this.

    word: settings are the constructor's arguments, plain and typed; the config is checked against them.
    """

    needs: ClassVar[tuple[str, ...]] = {needs}

    def __init__(self, word: str = "hello") -> None:
        self.word = word.lower()  # load models here, and import heavy packages here: a bad path fails at the start

    def __call__(self, turns: Sequence[Turn]) -> list[{kind}]:
        return [self._one(turn) for turn in turns]  # one value per turn, in order

    def _one(self, turn: Turn) -> {kind}:
        return {value}
'''

HELPER = '''

def letters(text: str) -> np.ndarray:
    """How often each letter occurs, as a unit vector: (26,)."""
    counts = np.array([text.lower().count(chr(97 + i)) + 1e-6 for i in range(26)], np.float32)
    return counts / np.linalg.norm(counts)

'''

TEST = """from {module} import {cls}

from pipelines.turn import Turn


def test_it_gives_one_value_per_turn() -> None:
    turns = [Turn("hello there"), Turn("")]
    assert len({cls}()(turns)) == 2


def test_it_finds_what_it_looks_for() -> None:
    turn = Turn("hello there")
    [value] = {cls}()([turn])
    assert {check}
"""

PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{package}"
version = "0.1.0"
description = "{label}, a stage for the chatbot"
requires-python = ">=3.11"
dependencies = []  # what the stage needs besides the chatbot itself

[project.entry-points."chatbot.stages"]
"{label}" = "{module}:{cls}"

[tool.hatch.build.targets.wheel]
only-include = ["{module}.py"]
"""

README = """# {label}

```
pip install -e .            # into the environment that has the chatbot
chatbot stages show {label}
pytest
```

In a config:

```toml
{table}
use = "{name}"
word = "hello"
```

In a running chat: `/use {slot} {plus}{name} word=hi`
"""


def write(label: str, folder: Path) -> list[Path]:
    """Write the package for a stage such as "emotion.mine" into a folder that is new or empty; gives the files.

    Raises UsageError for a name or folder that will not do.
    """
    slot, _, name = label.partition(".")
    if slot not in SLOTS:
        near = difflib.get_close_matches(slot, SLOTS, n=1)
        guess = f' Did you mean "{near[0]}"?' if near else ""
        raise UsageError(f'unknown slot "{slot}".{guess} A stage is called SLOT.NAME; slots: {", ".join(SLOTS)}')
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(f'"{name}" will not do as a name: lower-case letters, digits and _, such as {slot}.mine')
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not an empty folder")
    example = EXAMPLES[slot]
    words = {
        "label": label,
        "slot": slot,
        "name": name,
        "plus": "+" if slot == "candidates" else "",
        "module": f"{slot}_{name}",
        "package": f"chatbot-{slot}-{name}".replace("_", "-"),
        "cls": "".join(part.title() for part in name.split("_")),
        "imports": example.imports,
        "kind": f"{example.kind} | None" if slot == "reply" else example.kind,
        "needs": example.needs,
        "value": example.value.replace("{name}", name),
        "check": example.check.replace("'", '"'),
        "helper": HELPER if slot == "embedding" else "",
        "extra_imports": {"entities": "\nimport re", "embedding": ""}.get(slot, ""),
        "table": f"[[stages.{slot}]]" if slot == "candidates" else f"[stages.{slot}]",
    }
    stage = STAGE.format(**words)
    if slot == "embedding":
        stage = stage.replace("from pipelines.turn", "import numpy as np\n\nfrom pipelines.turn", 1)
    files = {
        "pyproject.toml": PROJECT.format(**words),
        f"{words['module']}.py": stage,
        f"test_{words['module']}.py": TEST.format(**words),
        "README.md": README.format(**words),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")
    return [folder / path for path in files]
