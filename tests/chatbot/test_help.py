"""Help like a man page: every command has examples, and every example is one that the command takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from chatbot.cli import main


def commands(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    """The names that lead to every command that is no group."""
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            yield from commands(sub, *names, name)
    else:
        yield names


ALL = list(commands(main))


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_has_examples_that_it_takes(names: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    lines = (command.help or "").partition("Examples:\n")[2].splitlines()
    examples = [line for line in lines if "chatbot " in line]
    assert examples, f"chatbot {' '.join(names)} --help shows no example"
    for example in examples:
        words = shlex.split(example[example.rindex("chatbot ") :].partition(" > ")[0])[1:]
        assert tuple(words[: len(names)]) == names, example
        context = click.Context(command, info_name=names[-1])
        _, rest, _ = command.make_parser(context).parse_args(words[len(names) :])  # raises for an unknown option
        assert rest == [], example


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_fits_the_terminal_and_cuts_no_sentence(width: int) -> None:
    for names in [(), *ALL, *{names[:1] for names in ALL if len(names) > 1}]:
        done = CliRunner().invoke(main, [*names, "--help"], terminal_width=width)
        assert done.exit_code == 0, done.output
        shown, _, listed = done.output.partition("Commands:")
        kept = re.sub(r"(?m)^ +(chatbot|eval|echo|\{|in ~|The Tab).*$", "", shown)  # examples keep their lines
        assert max(map(len, kept.splitlines())) <= width
        if width >= 80:
            assert "..." not in listed, f"chatbot {' '.join(names)}: a first sentence is cut in the list"
