"""The command line's side of a person's memory: `chatbot memory`.

Works on the file of one person, which may be in use by a running chat at the same time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chatbot.cli_options import CONFIG, USER


@click.group()
def memory() -> None:
    """What it knows of you: see, question, forget, take along."""


@memory.command("show")
@CONFIG
@USER
@click.option("--talks", is_flag=True, help="What sums up each talk that is over, in the person's words.")
def memory_show(config: str | None, user: str, talks: bool) -> None:
    """The facts that hold, since when, and the words they come from.

    \b
    Examples:
      chatbot memory show
      chatbot memory show --talks --user lena
    """
    from chatbot.companion import now
    from chatbot.requests import source_of
    from models.prompt import fact_line

    found = _memory(config, user)
    facts = found.facts()
    if found.paused:
        click.echo("Memory is paused: nothing new is written down.")
    if talks:
        summaries = found.summaries()
        for talk in summaries:
            for moment in talk:
                click.echo(f"{moment.at:%Y-%m-%d}  {' '.join(moment.text.split())}")
        if not summaries:
            click.echo(f"No talk with {user} is summed up yet.")
        return
    for fact in facts:
        since = fact.since.strftime("%Y-%m-%d") if fact.since else "?"
        click.echo(f"{fact.id:>4}  {since}  {fact_line(fact)}")
        click.echo(f"{'':16}  {source_of(fact, found, now())}")
    if not facts:
        click.echo(f"Nothing is known of {user} yet.")


@memory.command("export")
@CONFIG
@USER
@click.option("--text", is_flag=True, help="A page of text instead of JSON.")
def memory_export(config: str | None, user: str, text: bool) -> None:
    """Everything that is kept of a person, as JSON or as text.

    \b
    Examples:
      chatbot memory export > me.json
      chatbot memory export --text --user lena
    """
    from chatbot.requests import exported

    click.echo(exported(_memory(config, user), text), nl=False)


@memory.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@CONFIG
@USER
@click.option("--replace", is_flag=True, help="Forget first what is known already.")
def memory_import(file: Path, config: str | None, user: str, replace: bool) -> None:
    """Take in what `chatbot memory export` wrote.

    \b
    Examples:
      chatbot memory import me.json
      chatbot memory import me.json --user lena --replace
    """
    from chatbot.memory_export import read_file

    found = _memory(config, user)
    found.import_(read_file(file), replace)
    click.echo(f"Taken in: {len(found.facts())} facts that hold, {len(found.past_facts())} past ones.")


@memory.command("why")
@click.argument("what", nargs=-1, required=True)
@CONFIG
@USER
def memory_why(what: tuple[str, ...], config: str | None, user: str) -> None:
    """Which words a fact comes from, and of which day.

    WHAT is the fact's number in `chatbot memory show`, or a word of it.

    \b
    Examples:
      chatbot memory why 3
      chatbot memory why home
    """
    from chatbot.companion import now
    from chatbot.requests import why

    click.echo(why(" ".join(what), _memory(config, user), now()))


@memory.command("forget")
@click.argument("what", nargs=-1, required=True)
@CONFIG
@USER
def memory_forget(what: tuple[str, ...], config: str | None, user: str) -> None:
    """Forget a fact, some words, or the last hours.

    The words that a fact came from leave the disk too.

    \b
    Examples:
      chatbot memory forget 3
      chatbot memory forget Tom
      chatbot memory forget last 2 hours
    """
    from chatbot.companion import now
    from chatbot.requests import forget

    gone = forget(" ".join(what), _memory(config, user), now())
    click.echo(f"Forgotten: {len(gone.facts)} facts, {len(gone.moments)} messages.")


@memory.command("pause")
@CONFIG
@USER
def memory_pause(config: str | None, user: str) -> None:
    """Write nothing down from now on.

    \b
    Examples:
      chatbot memory pause
    """
    _memory(config, user).pause()
    click.echo("Paused: nothing is written down until: chatbot memory resume")


@memory.command("resume")
@CONFIG
@USER
def memory_resume(config: str | None, user: str) -> None:
    """Remember again, from here on.

    \b
    Examples:
      chatbot memory resume
    """
    _memory(config, user).resume()
    click.echo("It remembers again, from here on.")


@memory.command("erase")
@CONFIG
@USER
@click.option("--yes", is_flag=True, help="Do not ask.")
def memory_erase(config: str | None, user: str, yes: bool) -> None:
    """Delete all that is kept of a person, for good.

    \b
    Examples:
      chatbot memory erase
      chatbot memory erase --user lena --yes
    """
    if not yes:
        click.confirm(f"Erase everything about {user}? This cannot be undone.", abort=True)
    _memory(config, user).erase()
    click.echo(f"Everything about {user} is erased.")


def _memory(config: str | None, user: str) -> Any:
    from chatbot.assemble import read_config
    from chatbot.memory import Memory

    return Memory.open(read_config(config).sections["memory"].path, user)
