"""Draws the pictures of the documentation: `python -m chatbot.terminal.pictures docs/pictures [--config FILE]`.

A few messages of our own go through the real chain into a memory that is thrown away, and what the terminal would show
is written as SVG: chat.svg, trace.svg, mood.svg and compare.svg. Generated words differ from run to run.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.text import Text

from chatbot import compare as comparing
from chatbot import compare_show
from chatbot.assemble import make_companion, read_config
from chatbot.scenes import Scene
from chatbot.terminal import mood, show, trace

SAID = (
    "hi im lena, my exam in Leeds went terribly",
    "i studied for weeks and now im just sad",
    "whats my name?",
    "thank you, that helps!",
)
BOTH = ("config.toml", "tiny.toml")
"""The configs that compare.svg sets side by side."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--config", metavar="FILE", help="The config to draw.")
def main(folder: Path, config: str | None) -> None:
    """Write the pictures into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as memory:
        companion = make_companion(read_config(config, [f'memory.folder="{memory}"']))
        turns = [companion.answer([("lena", text)])[0] for text in SAID]
        felt = mood.felt(companion.pipeline, companion.memory("lena").recent(mood.SPAN))
        companion.close()
    greeting = f"{turns[0].companion_name} is an AI companion. What you say stays in a folder of this machine"
    keys = "Enter sends, Ctrl-C stops an answer, Ctrl-D leaves. /help shows more.\n"
    talk: list[RenderableType] = [Text(greeting, "dim"), Text(keys, "dim")]
    for turn in turns:
        talk += [Text.assemble(("you: ", "bold green"), turn.text), show.reply(turn)]
    pictures: dict[str, list[RenderableType]] = {
        "chat": talk,
        "trace": [Text.assemble(("you: ", "bold green"), "/trace"), trace.view(turns[1], 110)],
        "mood": [Text.assemble(("you: ", "bold green"), "/mood"), mood.chart(felt, 110)],
    }
    scene = Scene("pictures", [{"turn": [{"say": text} for text in SAID]}], folder)
    one, two = comparing.compare(BOTH, [scene])
    pictures["compare"] = [compare_show.tables(one, two, 110)]
    for name, parts in pictures.items():
        (folder / f"{name}.svg").write_text(svg(parts, f"chatbot: {name}"), encoding="utf-8")
        click.echo(folder / f"{name}.svg")


def svg(parts: list[RenderableType], title: str) -> str:
    """What a terminal of 110 columns would show, as an SVG that fetches nothing: fonts are the reader's own."""
    console = Console(record=True, width=110, file=io.StringIO(), force_terminal=True, highlight=False)
    for part in parts:
        console.print(part)
    drawn = console.export_svg(title=title)
    drawn = re.sub(r"@font-face \{[^}]*\}", "", drawn)
    return drawn.replace("Fira Code, monospace", "monospace").replace("font-family: arial", "font-family: sans-serif")


if __name__ == "__main__":
    main()
