"""The command line. Imports nothing heavy before a command needs it: `chatbot --help` is instant.

Errors that a person can mend are printed in their own words, without a traceback; exit code 2 for usage, 1 for failure.
The other groups of commands: cli_memory, cli_parts (config, stages, models), cli_train, cli_evaluate, cli_bench.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from chatbot import cli_bench, cli_evaluate, cli_memory, cli_parts, cli_train
from chatbot.cli_options import CONFIG, SETS, USER, complete_configs
from pipelines.errors import ChatbotError, UsageError


def _print_versions(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from chatbot.versions import versions

        click.echo(versions())
        ctx.exit()


class Group(click.Group):
    """The top of the command line, where the errors of all commands become one clear message."""

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
    Examples:
      chatbot repl                       talk in the terminal
      chatbot repl --config tiny         the same without any weights
      chatbot memory show                what it knows of you
      chatbot config check my.toml       is this config right?
      chatbot doctor                     is this machine?
      chatbot compare A B --scenes       the same messages through two configs
      chatbot stages new emotion.mine    begin a stage of your own

    Every command has examples of its own: chatbot COMMAND --help.

    \b
    The Tab key completes commands, options, configs and stages after this line
    in ~/.bashrc (zsh and fish: zsh_source, fish_source):
      eval "$(_CHATBOT_COMPLETE=bash_source chatbot)"
    """


@main.command()
@CONFIG
@SETS
@USER
@click.option("--json", "as_json", is_flag=True, help="One JSON object per turn on stdout, nothing else.")
def repl(config: str | None, sets: tuple[str, ...], user: str, as_json: bool) -> None:
    """Talk in the terminal, or line by line through a pipe.

    In the terminal, /help lists what can be done in the chat. In a pipe, each line is a message and each reply one
    line on stdout; everything else goes to stderr.

    \b
    Examples:
      chatbot repl
      chatbot repl --config tiny --user lena
      chatbot repl --set stages.candidates.transformers.count=1
      echo "hi im lena" | chatbot repl --json
    """
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
    """Run the companion as a Telegram bot.

    The token comes from CHATBOT_TELEGRAM_TOKEN, or from the file that [telegram] token_file names.

    \b
    Examples:
      chatbot telegram --check
      chatbot telegram --config my.toml
    """
    from chatbot.assemble import read_config

    found = read_config(config, sets, check_weights=check_only)
    if check_only:
        from chatbot.telegram.check import check

        sys.exit(check(found, click.echo))
    # Until the bot itself hears it, and finishes what runs: so far nothing has begun.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from chatbot.telegram.running import run

    sys.exit(run(found))


@main.command()
@click.argument("a", shell_complete=complete_configs)
@click.argument("b", shell_complete=complete_configs)
@click.option("--on", "file", metavar="FILE", type=click.Path(exists=True, path_type=Path), help="Messages to say.")
@click.option("--scenes", is_flag=True, help="Say the project's own scenes (in a checkout: tests/scenes).")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON on stdout, nothing else.")
@click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with pictures.")
def compare(a: str, b: str, file: Path | None, scenes: bool, as_json: bool, page: Path | None) -> None:
    """The same messages through two configs, side by side.

    FILE has one message per line (an empty line begins a new conversation), or is a scene in TOML as in tests/scenes,
    or has a JSON object per line: what is said, and what must come out, which is then scored.

    \b
      {"text": "im lena", "intent": ["introduce_self"], "facts": {"has": ["name=Lena"]}}
      {"text": "my exam went badly", "emotion": ["sadness", "disappointment"]}
      {"text": "whats my name?", "reply": {"has": ["Lena"], "lacks": ["human"]}}

    \b
    Examples:
      chatbot compare config.toml mine.toml --on messages.txt
      chatbot compare config.toml tiny --scenes --html page.html
      chatbot compare config.toml tiny --on messages.jsonl --json
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
    """Look this machine over, and say what is wrong.

    Python, packages, stages (a broken plugin with its traceback), the config, its weights, folders, the terminal, the
    machine. Loads no model. Exit code 1 when something has to be mended.

    \b
    Examples:
      chatbot doctor
      chatbot doctor --config my.toml
    """
    from chatbot.doctor import report

    sys.exit(report(config))


for group in (cli_memory.memory, cli_parts.config, cli_parts.stages, cli_parts.models):
    main.add_command(group)
for group in (cli_train.train, cli_evaluate.evaluate, cli_bench.bench):
    if group.commands:
        main.add_command(group)


if __name__ == "__main__":
    main()
