"""Options that several commands of the command line share, and how the shell completes what follows them."""

from __future__ import annotations

import sys
from typing import Any

import click


def complete_configs(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    from chatbot.assemble import shipped_names

    names = [name for name in shipped_names() if name.startswith(begun)]
    return [CompletionItem(begun, type="file"), *map(CompletionItem, names)]


def complete_stages(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    from pipelines.stages import stage_names

    return [name for name in stage_names() if name.startswith(begun)]


def complete_cards(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    from models import hub

    return [name for name in hub.cards() if name.startswith(begun)]


CONFIG = click.option(
    *("--config", "config"),
    metavar="FILE",
    envvar="CHATBOT_CONFIG",
    help="The config to use: a file, or one of the project's own by name, such as tiny.",
    shell_complete=complete_configs,
)
SETS = click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override one value: stages.emotion.threshold=0.3"
)
USER = click.option("--user", default="me", show_default=True, metavar="NAME", help="Whose memory.")


def progress(line: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{line[:78]}", nl=False, err=True)
