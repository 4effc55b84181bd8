"""The command line. Imports nothing heavy before a command needs it: `chatbot --help` is instant.

Errors that a person can mend are printed in their own words, without a traceback; exit code 2 for usage, 1 for failure.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from chatbot import cli_measure
from pipelines.errors import ChatbotError, UsageError


def _complete_configs(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    from chatbot.assemble import shipped_names

    names = [name for name in shipped_names() if name.startswith(begun)]
    return [CompletionItem(begun, type="file"), *map(CompletionItem, names)]


def _complete_stages(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    from pipelines.config import stage_names

    return [name for name in stage_names() if name.startswith(begun)]


def _print_versions(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from chatbot.versions import versions

        click.echo(versions())
        ctx.exit()


CONFIG = click.option(
    *("--config", "config"),
    metavar="FILE",
    envvar="CHATBOT_CONFIG",
    help="The config to use.",
    shell_complete=_complete_configs,
)
SETS = click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override one value of the config.")
USER = click.option("--user", default="me", show_default=True, metavar="NAME", help="Whose memory.")


class Group(click.Group):
    """A click group whose commands' errors are one clear message."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChatbotError as error:
            click.echo(str(error), err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            click.echo(f"{name}{error.strerror or error}", err=True)
            ctx.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_versions, help="For a bug report."
)
def main() -> None:
    """A companion that understands what you say, feels with you and remembers you.

    \b
    chatbot repl                       talk in the terminal
    chatbot repl --config tiny         the same without any weights
    chatbot memory show                what it knows of you
    chatbot config check my.toml       is this config right?
    chatbot doctor                     is this machine?
    chatbot compare A B --on FILE      the same messages through two configs
    chatbot stages new emotion.mine    begin a stage of your own
    chatbot train intent --data D --out O    train one on examples of your own
    chatbot evaluate emotion --data D  how good is it?

    Completion of this command line: eval "$(_CHATBOT_COMPLETE=bash_source chatbot)" in your ~/.bashrc (zsh_source,
    fish_source for the other shells).
    """


@main.command()
@CONFIG
@SETS
@USER
@click.option("--json", "as_json", is_flag=True, help="One JSON object per turn on stdout, nothing else.")
def repl(config: str | None, sets: tuple[str, ...], user: str, as_json: bool) -> None:
    """Talk in the terminal, or line by line through a pipe."""
    from chatbot.terminal.early import hold_keys

    with hold_keys():
        from chatbot import repl as channel
        from chatbot.assemble import read_config

        code = channel.run(read_config(config, sets), user, as_json)
    sys.exit(code)


@main.command()
@CONFIG
@SETS
@click.option("--check", "check_only", is_flag=True, help="Verify token, config, weights and folders; start nothing.")
def telegram(config: str | None, sets: tuple[str, ...], check_only: bool) -> None:
    """Run the companion as a Telegram bot (token: CHATBOT_TELEGRAM_TOKEN)."""
    from chatbot.assemble import read_config

    found = read_config(config, sets, check_weights=check_only)
    if check_only:
        from chatbot.telegram.check import check

        sys.exit(check(found, click.echo))
    from chatbot.telegram.running import run

    sys.exit(run(found))


@main.group("config", cls=Group)
def config_group() -> None:
    """Check a config, or show what it comes to."""


@config_group.command("check")
@click.argument("file", required=False)
@SETS
def config_check(file: str | None, sets: tuple[str, ...]) -> None:
    """Say all that is wrong with a config, weights included; loads nothing."""
    from chatbot.assemble import read_config

    found = read_config(file, sets, check_weights=True)
    click.echo(f"{found.path}: {len(found.stages)} stages, all right")


@config_group.command("show")
@click.argument("file", required=False)
@SETS
def config_show(file: str | None, sets: tuple[str, ...]) -> None:
    """Show every value that holds, and where it comes from."""
    from chatbot.assemble import read_config
    from pipelines.config import describe

    for line in describe(read_config(file, sets)):
        click.echo(line)


@main.command()
@click.argument("a", shell_complete=_complete_configs)
@click.argument("b", shell_complete=_complete_configs)
@click.option("--on", "file", metavar="FILE", type=click.Path(exists=True, path_type=Path), help="Messages to say.")
@click.option("--scenes", is_flag=True, help="Say the project's own scenes (in a checkout: tests/scenes).")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON on stdout, nothing else.")
@click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with pictures.")
def compare(a: str, b: str, file: Path | None, scenes: bool, as_json: bool, page: Path | None) -> None:
    """The same messages through two configs, side by side.

    FILE has one message per line (an empty line begins a new conversation), or is a scene in TOML, or has a JSON
    object per line with "text" and what must come out: {"text": "im lena", "intent": ["introduce_self"]}.
    """
    from chatbot import compare as comparing
    from chatbot import compare_show
    from chatbot.assemble import ROOT

    if (file is None) == (not scenes):
        raise UsageError("name the messages: either --on FILE or --scenes")
    talks = comparing.read(file or ROOT / "tests" / "scenes")
    one, two = comparing.compare([a, b], talks)
    if page:
        page.write_text(compare_show.html(one, two), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(comparing.report(one, two), ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(compare_show.tables(one, two, console.width))
    if page:
        click.echo(f"With pictures: {page}")


@main.command()
@CONFIG
def doctor(config: str | None) -> None:
    """Look this machine over: packages, stages, weights, folders, terminal. Exit code 1 when something is wrong."""
    from chatbot.doctor import report

    sys.exit(report(config))


@main.group(cls=Group)
def stages() -> None:
    """List the stages that a config can name, show one, or begin your own."""


@stages.command("list")
def stages_list() -> None:
    """All installed stages, by slot."""
    from pipelines.config import stage_names

    for name, entry in stage_names().items():
        package = entry.dist.name if entry.dist else "?"
        click.echo(f"{name:<26} {entry.value}" + (f"  ({package})" if package != "chatbot" else ""))


@stages.command("new")
@click.argument("name", metavar="SLOT.NAME")
@click.option("--dir", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Where. [default: ./SLOT-NAME]")
def stages_new(name: str, folder: Path | None) -> None:
    """Write a small package with a stage of your own: it installs, is tested and runs at once."""
    from chatbot import new_stage

    folder = folder or Path(name.replace(".", "-"))
    for path in new_stage.write(name, folder):
        click.echo(path)
    click.echo(f"\nInstall: pip install -e {folder}\nThen:    chatbot stages show {name}")


@stages.command("show")
@click.argument("name", shell_complete=_complete_stages)
def stages_show(name: str) -> None:
    """What a stage does, needs and can be told."""
    from pipelines.config import describe_stage

    click.echo(describe_stage(name))


@main.group(cls=Group)
def models() -> None:
    """The weights: list, fetch, verify or remove them."""


@models.command("list")
def models_list() -> None:
    """Every card, with its size, licence and whether it is on this machine."""
    from models import hub

    for name, card in hub.cards().items():
        state = "comes with the project" if card.shipped else "here" if hub.ready(card) else "not fetched"
        click.echo(f"{name:<24} {card.bytes / 1e6:7.1f} MB  {state:<24}{card.about.get('licence', '')}")
        click.echo(f"{'':<24} {card.about.get('title', '')}: {card.about.get('task', '')}")
    click.echo(f"\nFetched weights lie in {hub.cache_folder()}")


@models.command("pull")
@click.argument("names", nargs=-1)
@CONFIG
def models_pull(names: tuple[str, ...], config: str | None) -> None:
    """Fetch and verify weights: those named, else all that the config uses."""
    from chatbot.assemble import read_config
    from models import hub

    wanted = names or dict.fromkeys(w for stage in read_config(config).stages for w in stage.weights())
    for name in wanted:
        click.echo(f"{name}: {hub.fetch(name)}")


@models.command("verify")
@click.argument("names", nargs=-1)
def models_verify(names: tuple[str, ...]) -> None:
    """Read every file and compare it with the sha256 on its card."""
    from models import hub

    cards = [_card(name) for name in names] or [c for c in hub.cards().values() if c.shipped or hub.ready(c)]
    wrong = [line for card in cards for line in hub.verify(card)]
    for line in wrong:
        click.echo(line, err=True)
    click.echo(f"{len(cards)} verified, {len(wrong)} problems")
    sys.exit(1 if wrong else 0)


@models.command("remove")
@click.argument("names", nargs=-1, required=True)
def models_remove(names: tuple[str, ...]) -> None:
    """Delete fetched weights."""
    from models import hub

    for name in names:
        removed = hub.remove(_card(name))
        click.echo(f"{name}: {'removed' if removed else 'there was nothing to remove'}")


def _card(name: str) -> Any:
    from models import hub

    found = hub.find(name)
    if isinstance(found, Path):
        raise UsageError(f"{name} is a folder, not a card")
    return found


@main.group(cls=Group)
def memory() -> None:
    """What it knows of a person: see, question, forget, pause, take along or erase it."""


@memory.command("show")
@CONFIG
@USER
def memory_show(config: str | None, user: str) -> None:
    """The facts that hold, since when, and the words they come from."""
    from chatbot.companion import now
    from chatbot.requests import source_of
    from models.prompt import fact_line

    found = _memory(config, user)
    facts = found.facts()
    if found.paused:
        click.echo("Memory is paused: nothing new is written down.")
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
    """Everything that is kept of a person, as JSON or as text."""
    from chatbot.requests import exported

    click.echo(exported(_memory(config, user), text), nl=False)


@memory.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@CONFIG
@USER
@click.option("--replace", is_flag=True, help="Forget first what is known already.")
def memory_import(file: Path, config: str | None, user: str, replace: bool) -> None:
    """Take in what `chatbot memory export` wrote."""
    from chatbot.memory_export import read_file

    found = _memory(config, user)
    found.import_(read_file(file), replace)
    click.echo(f"Taken in: {len(found.facts())} facts that hold, {len(found.past_facts())} past ones.")


@memory.command("why")
@click.argument("what", nargs=-1, required=True)
@CONFIG
@USER
def memory_why(what: tuple[str, ...], config: str | None, user: str) -> None:
    """Which words a fact comes from, and of which day: by its number or a word of it."""
    from chatbot.companion import now
    from chatbot.requests import why

    click.echo(why(" ".join(what), _memory(config, user), now()))


@memory.command("forget")
@click.argument("what", nargs=-1, required=True)
@CONFIG
@USER
def memory_forget(what: tuple[str, ...], config: str | None, user: str) -> None:
    """Forget a fact (its number), all that says some words, or "last 2 hours"; the words leave the disk too."""
    from chatbot.companion import now
    from chatbot.requests import forget

    gone = forget(" ".join(what), _memory(config, user), now())
    click.echo(f"Forgotten: {len(gone.facts)} facts, {len(gone.moments)} messages.")


@memory.command("pause")
@CONFIG
@USER
def memory_pause(config: str | None, user: str) -> None:
    """Write nothing down from now on."""
    _memory(config, user).pause()
    click.echo("Paused: nothing is written down until: chatbot memory resume")


@memory.command("resume")
@CONFIG
@USER
def memory_resume(config: str | None, user: str) -> None:
    """Remember again, from here on."""
    _memory(config, user).resume()
    click.echo("It remembers again, from here on.")


@memory.command("erase")
@CONFIG
@USER
@click.option("--yes", is_flag=True, help="Do not ask.")
def memory_erase(config: str | None, user: str, yes: bool) -> None:
    """Delete all that is kept of a person, for good."""
    if not yes:
        click.confirm(f"Erase everything about {user}? This cannot be undone.", abort=True)
    _memory(config, user).erase()
    click.echo(f"Everything about {user} is erased.")


def _memory(config: str | None, user: str) -> Any:
    from chatbot.assemble import read_config
    from chatbot.memory import Memory

    return Memory.open(read_config(config).sections["memory"].path, user)


for group in (cli_measure.train, cli_measure.evaluate, cli_measure.bench):
    if group.commands:
        main.add_command(group)


if __name__ == "__main__":
    main()
