"""The command line's side of training: `chatbot train`. Every command imports what it needs when it is called, and
leaves the work to `models.training`. Knows no model.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path)
DATA = click.option(
    *("--data", "data"),
    multiple=True,
    required=True,
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="Folder or file of examples; several may be given.",
)


@click.group()
def train() -> None:
    """Train a stage on public data, or on your own."""


def _train_stage(name: str, out: Path, data: tuple[Path, ...], **settings: Any) -> None:
    from models.training import stage

    result = stage.train(name, data, out, command="chatbot " + shlex.join(sys.argv[1:]), **settings)
    for what, score in result.items():
        click.echo(f"{what.replace('_', ' ')}: {score:.3f}")
    click.echo(f"{out}/{name}.toml is its card. To use it, in a config:\n")
    tuned = str(out.resolve()) if (out / "encoder.safetensors").is_file() else settings["encoder"]
    click.echo(f'[stages.embedding]\nuse = "minilm"\ntuned = "{tuned}"')
    if (out / "encoder.safetensors").is_file():
        click.echo(
            '\n[stages.safety]                   # its head reads the features of minilm-chat alone\nuse = "rules"'
        )
    click.echo(f'\n[stages.{name}]\nuse = "encoder"\nweights = "{out.resolve()}"')


def _stage_options(command: Any) -> Any:
    options = [
        DATA,
        click.option("--out", required=True, type=FOLDER, metavar="DIR", help="Where head, card and layers go."),
        click.option("--encoder", default="minilm-chat", show_default=True, metavar="CARD|DIR", help="Whose features."),
        click.option("--epochs", default=0.0, help="Train the encoder as well, for so many epochs. [default: 0]"),
        click.option("--learning-rate", default=2e-4, show_default=True, help="Of the encoder."),
        click.option("--seed", default=7, show_default=True),
        click.option("--licence", default="", help="Of the data, for the card. [default: what lies beside the data]"),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@train.command("intent")
@_stage_options
def train_intent(out: Path, data: tuple[Path, ...], **settings: Any) -> None:
    """Train an intent stage on examples of your own.

    Formats: CLINC150 json, BANKING77 or HWU64 csv, Rasa yml or md; a csv or jsonl of your own.

    Without --epochs a head is fitted on the encoder as it is: minutes. With --epochs 10 the encoder learns too:
    better, half an hour, and other heads do not fit it any more. Broken off, it goes on from its last checkpoint.

    \b
    Examples:
      chatbot train intent --data banking77 --out bank
      chatbot train intent --data banking77 --out bank --epochs 10
    """
    _train_stage("intent", out, data, **settings)


@train.command("emotion")
@_stage_options
def train_emotion(out: Path, data: tuple[Path, ...], **settings: Any) -> None:
    """Train an emotion stage on GoEmotions tsv.

    The folder holds emotions.txt, train.tsv, dev.tsv and test.tsv; all else is as for train intent.

    \b
    Examples:
      chatbot train emotion --data goemotions --out feelings --epochs 3
    """
    _train_stage("emotion", out, data, **settings)


@train.command("entities")
@DATA
@click.option("--out", required=True, type=FOLDER, metavar="DIR", help="Where weights and card go.")
@click.option("--epochs", default=3.0, show_default=True)
@click.option("--learning-rate", default=3e-4, show_default=True)
@click.option("--frozen-layers", default=4, show_default=True, help="Lower layers of the six that stay as they are.")
@click.option("--seed", default=7, show_default=True)
@click.option("--licence", default="", help="Of the data, for the card. [default: what lies beside the data]")
def train_entities(out: Path, data: tuple[Path, ...], **settings: Any) -> None:
    """Train an entities stage on sentences whose words are tagged.

    Formats: CoNLL columns (word first, BIO tag last; files named by split), Rasa md with names marked, a file of
    Restaurant8k. Labels of your own become labels of the stage. Broken off, it goes on from its last checkpoint.

    \b
    Examples:
      chatbot train entities --data DATA/ner/WNUT17 --data DATA/ner/wikigold --out names
      chatbot train entities --data mine.conll --out names --epochs 5
    """
    from models.training import entities

    result = entities.train(data, out, command="chatbot " + shlex.join(sys.argv[1:]), **settings)
    for what, score in result.items():
        click.echo(f"{what.replace('_', ' ')}: {score:.3f}")
    click.echo(f"{out}/entities.toml is its card. To use it, in a config:\n")
    click.echo(f'[stages.entities]\nuse = "encoder"\nweights = "{out.resolve()}"')


@train.command("reply")
@click.option("--out", required=True, type=FOLDER, metavar="DIR", help="Where the adapter and its log go.")
@click.option("--data", multiple=True, type=FOLDER, metavar="FILE", help="Talks as jsonl. [default: our own dialogues]")
@click.option("--base", default="smollm2-135m-instruct", show_default=True, metavar="CARD|DIR", help="The model.")
@click.option("--start", default="", metavar="DIR", help="An adapter to go on from, with a new schedule.")
@click.option("--epochs", default=1, show_default=True)
@click.option("--steps", default=1_000_000, help="End the plan after as many. [default: all]")
@click.option("--rate", default=5e-4, show_default=True, help="Learning rate, at most.")
@click.option("--rank", default=32, show_default=True, help="Of the adapter (LoRA).")
@click.option("--tokens", default=1600, show_default=True, help="Per step, with padding.")
@click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True)
@click.option("--minutes", default=1e9, help="Stop after as many, to go on another time. [default: never]")
@click.option("--save-minutes", default=20.0, show_default=True, help="Between two checkpoints.")
@click.option("--seed", default=1, show_default=True)
def train_reply(out: Path, data: tuple[Path, ...], **settings: Any) -> None:
    """Train the reply model's adapter on dialogues.

    Talks are read in the very prompt of the chat; every tenth topic of our own is held out and scored. A thousand
    talks take an hour or two on one core. Broken off, it goes on from its last checkpoint.

    \b
    Examples:
      chatbot train reply --out voice --minutes 90
      chatbot train reply --data mine.jsonl --start voice --rate 2e-4 --out voice2
    """
    from models.training import reply

    reply.train(out, data or sorted(reply.DIALOGUES.glob("*.jsonl")), reply.Settings(**settings))
    click.echo(f'To use it, in a config:\n\n[[stages.candidates]]\nuse = "transformers"\nadapter = "{out.resolve()}"')
