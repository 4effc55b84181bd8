"""The command line's side of what a companion is made of: `chatbot config`, `chatbot stages`, `chatbot models`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from chatbot.cli_options import CONFIG, SETS, complete_cards, complete_configs, complete_stages
from pipelines.errors import UsageError


@click.group()
def config() -> None:
    """Check a config, or show what it comes to."""


@config.command("check")
@click.argument("file", required=False, shell_complete=complete_configs)
@SETS
def config_check(file: str | None, sets: tuple[str, ...]) -> None:
    """Say all that is wrong with a config; loads nothing.

    Missing weights count. Each problem comes with its line, the nearest right name and what is allowed.

    \b
    Examples:
      chatbot config check my.toml
      chatbot config check tiny --set stages.emotion.threshold=2
    """
    from chatbot.assemble import read_config

    found = read_config(file, sets, check_weights=True)
    click.echo(f"{found.path}: {len(found.stages)} stages, all right")


@config.command("show")
@click.argument("file", required=False, shell_complete=complete_configs)
@SETS
def config_show(file: str | None, sets: tuple[str, ...]) -> None:
    """Show every value that holds, and where it comes from.

    The strongest first: --set, the environment (CHATBOT__PERSONA__NAME=Ada), the file, the default.

    \b
    Examples:
      chatbot config show
      chatbot config show tiny --set persona.name=Ada
    """
    from chatbot.assemble import read_config
    from pipelines.config import describe

    for line in describe(read_config(file, sets)):
        click.echo(line)


@click.group()
def stages() -> None:
    """The stages that a config can name: list, show, begin your own."""


@stages.command("list")
def stages_list() -> None:
    """All installed stages, by slot.

    \b
    Examples:
      chatbot stages list
    """
    from pipelines.stages import stage_names

    for name, entry in stage_names().items():
        package = entry.dist.name if entry.dist else "?"
        click.echo(f"{name:<26} {entry.value}" + (f"  ({package})" if package != "chatbot" else ""))


@stages.command("show")
@click.argument("name", shell_complete=complete_stages)
def stages_show(name: str) -> None:
    """What a stage does, needs and can be told.

    \b
    Examples:
      chatbot stages show emotion.lexicon
    """
    from pipelines.stages import describe_stage

    click.echo(describe_stage(name))


@stages.command("new")
@click.argument("name", metavar="SLOT.NAME")
@click.option("--dir", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Where. [default: ./SLOT-NAME]")
def stages_new(name: str, folder: Path | None) -> None:
    """Write a package with a stage of your own, that works at once.

    It holds the stage, its test, the entry point and pyproject.toml; replace the example in it by yours.

    \b
    Examples:
      chatbot stages new emotion.mine
      chatbot stages new candidates.jokes --dir ../jokes
    """
    from chatbot import new_stage

    folder = folder or Path(name.replace(".", "-"))
    for path in new_stage.write(name, folder):
        click.echo(path)
    click.echo(f"\nInstall: pip install -e {folder}\nThen:    chatbot stages show {name}")


@click.group()
def models() -> None:
    """The weights: list, fetch, verify or remove them."""


@models.command("list")
def models_list() -> None:
    """Every card, with size and licence, and whether it is here.

    \b
    Examples:
      chatbot models list
    """
    from models import hub

    for name, card in hub.cards().items():
        state = "comes with the project" if card.shipped else "here" if hub.ready(card) else "not fetched"
        click.echo(f"{name:<24} {card.bytes / 1e6:7.1f} MB  {state:<24}{card.about.get('licence', '')}")
        click.echo(f"{'':<24} {card.about.get('title', '')}: {card.about.get('task', '')}")
    click.echo(f"\nFetched weights lie in {hub.cache_folder()}")


@models.command("pull")
@click.argument("names", nargs=-1, shell_complete=complete_cards)
@CONFIG
def models_pull(names: tuple[str, ...], config: str | None) -> None:
    """Fetch and verify weights.

    Those named, else all that the config uses. Downloads show how far they are.

    \b
    Examples:
      chatbot models pull
      chatbot models pull minilm smollm2-135m-instruct
    """
    from chatbot.assemble import read_config
    from models import hub

    wanted = names or dict.fromkeys(w for stage in read_config(config).stages for w in stage.weights())
    for name in wanted:
        click.echo(f"{name}: {hub.fetch(name)}")


@models.command("verify")
@click.argument("names", nargs=-1, shell_complete=complete_cards)
def models_verify(names: tuple[str, ...]) -> None:
    """Read every file and compare it with the sha256 on its card.

    \b
    Examples:
      chatbot models verify
      chatbot models verify minilm
    """
    from models import hub

    cards = [_card(name) for name in names] or [c for c in hub.cards().values() if c.shipped or hub.ready(c)]
    wrong = [line for card in cards for line in hub.verify(card)]
    for line in wrong:
        click.echo(line, err=True)
    click.echo(f"{len(cards)} verified, {len(wrong)} problems")
    sys.exit(1 if wrong else 0)


@models.command("remove")
@click.argument("names", nargs=-1, required=True, shell_complete=complete_cards)
def models_remove(names: tuple[str, ...]) -> None:
    """Delete fetched weights.

    \b
    Examples:
      chatbot models remove minilm
    """
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
