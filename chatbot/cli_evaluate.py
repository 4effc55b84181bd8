"""The command line's side of measuring how good: `chatbot evaluate`. Every command imports what it needs when it is
called, and leaves the work to `models.training` or to a module beside this one. Knows no model.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from chatbot.cli_options import CONFIG, SETS, progress

FOLDER = click.Path(path_type=Path)


@click.group()
def evaluate() -> None:
    """Score a stage on data that nothing was tuned on."""


def _evaluate_stage(slot: str, stage: str, data: Path, weights: Path | None, noisy: bool, out: Path | None) -> None:
    from models.training import evaluate as scoring

    name = stage or f"{slot}.{'minilm' if slot == 'embedding' else 'encoder'}"
    report = scoring.run(name, slot, data, str(weights) if weights else None, noisy)
    click.echo(f"{name}\n{scoring.table(report)}")
    if out:
        from chatbot import evaluate_show

        command = "chatbot " + shlex.join(sys.argv[1:])
        click.echo(f"With pictures: {evaluate_show.write(out, name, report, command)}")


def _understanding_options(command: Any) -> Any:
    options = [
        click.option("--stage", default="", metavar="NAME", help="Another stage of the slot, such as emotion.lexicon."),
        click.option(
            "--data", required=True, metavar="DIR", type=click.Path(exists=True, path_type=Path), help="The data sets."
        ),
        click.option("--weights", type=FOLDER, metavar="DIR", help="Other weights: what train wrote."),
        click.option("--noise/--no-noise", "noisy", default=True, help="Again in lower case, with typos, with emoji."),
        click.option("--out", type=FOLDER, metavar="DIR", help="Write report.json, pictures and index.html there."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@evaluate.command("intent")
@_understanding_options
def evaluate_intent(stage: str, data: Path, weights: Path | None, noisy: bool, out: Path | None) -> None:
    """Intents: CLINC150 and small talk, or a set of your own.

    Of CLINC150 and of your own set the test split is scored; small talk is held out by question.

    \b
    Examples:
      chatbot evaluate intent --data DATA --out report
      chatbot evaluate intent --data banking77 --weights bank
    """
    _evaluate_stage("intent", stage, data, weights, noisy, out)


@evaluate.command("emotion")
@_understanding_options
def evaluate_emotion(stage: str, data: Path, weights: Path | None, noisy: bool, out: Path | None) -> None:
    """Emotions: GoEmotions test, 28 labels and the Ekman groups.

    \b
    Examples:
      chatbot evaluate emotion --data DATA --out report
      chatbot evaluate emotion --data DATA --stage emotion.lexicon --no-noise
    """
    _evaluate_stage("emotion", stage, data, weights, noisy, out)


@evaluate.command("embedding")
@_understanding_options
def evaluate_embedding(stage: str, data: Path, weights: Path | None, noisy: bool, out: Path | None) -> None:
    """The vector: evidence found in LoCoMo, and its time.

    The time is that of all of understanding: embedding, intent, entities, emotion, facts.

    \b
    Examples:
      chatbot evaluate embedding --data DATA
    """
    _evaluate_stage("embedding", stage, data, weights, noisy, out)


@evaluate.command("entities")
@click.option("--stage", default="entities.encoder", show_default=True, help="Or en_core_web_sm: that model by itself.")
@click.option(
    "--data", required=True, metavar="DIR", type=click.Path(exists=True, path_type=Path), help="The data sets."
)
@click.option("--noise/--no-noise", "noisy", default=True, help="Again in lower case, with typos, with emoji.")
@click.option("--out", type=FOLDER, metavar="DIR", help="Write report.json and index.html there.")
def evaluate_entities(stage: str, data: Path, noisy: bool, out: Path | None) -> None:
    """Entities: strict span F1 on WNUT17 test.

    Corporations and groups count as one label.

    \b
    Examples:
      chatbot evaluate entities --data DATA
      chatbot evaluate entities --data DATA --stage en_core_web_sm
    """
    from models.training import evaluate as scoring
    from models.training import evaluate_entities as spans

    report = spans.run(stage, data, noisy)
    click.echo(f"{stage}\n{scoring.table(report)}")
    if out:
        from chatbot import evaluate_show

        command = "chatbot " + shlex.join(sys.argv[1:])
        click.echo(f"With pictures: {evaluate_show.write(out, stage, report, command)}")


@evaluate.command("chat")
@click.option(
    "--config", metavar="FILE", envvar="CHATBOT_CONFIG", help="Whose stages. [default: the config you chat with]"
)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override one value of the config.")
@click.option(
    "--data", metavar="FILE", type=click.Path(path_type=Path), help="Other labelled messages, in the same format."
)
@click.option("--noise/--no-noise", "noisy", default=True, help="Again in lower case, with typos, with emoji.")
@click.option("--out", type=FOLDER, metavar="DIR", help="Write report.json, pictures and index.html there.")
def evaluate_chat(config: str | None, sets: tuple[str, ...], data: Path | None, noisy: bool, out: Path | None) -> None:
    """All of understanding, on 600 chat messages of our own.

    Intents, emotions, entities and facts of a config's stages.

    \b
    Examples:
      chatbot evaluate chat
      chatbot evaluate chat --config tiny --no-noise --out report
    """
    from chatbot.assemble import read_config
    from models.training import evaluate as scoring
    from models.training import evaluate_chat as chat

    messages = chat.load(data or chat.MESSAGES)
    found = read_config(config, sets)
    report = chat.evaluate(chat.understanding(found), messages, noisy)
    name = f"{found.path.name}, {len(messages)} chat messages"
    click.echo(f"{name}\n{scoring.table(report)}")
    if out:
        from chatbot import evaluate_show

        command = "chatbot " + shlex.join(sys.argv[1:])
        click.echo(f"With pictures: {evaluate_show.write(out, name, report, command)}")


@evaluate.command("safety")
@click.option("--config", "configs", multiple=True, metavar="NAME", help="Only this config; several may be given.")
@click.option("--data", metavar="DIR", type=click.Path(exists=True, path_type=Path), help="The public data sets.")
@click.option("--replies", is_flag=True, help="Also the lists that whole replies are judged by: minutes a config.")
@click.option("--seeds", default=3, show_default=True, help="How often the replies are sampled.")
@click.option("--wrong", is_flag=True, help="Show the own rows and replies that came out wrong.")
def evaluate_safety(configs: tuple[str, ...], data: Path | None, replies: bool, seeds: int, wrong: bool) -> None:
    """Safety: crisis messages, hate, unsafe replies.

    For every shipped config, so that swapping a stage cannot skip it. With --data: SimpleSafetyTests, HateCheck and
    DiaSafety. The own lists lie in tests/safety of a checkout.

    \b
    Examples:
      chatbot evaluate safety
      chatbot evaluate safety --data DATA --config config.toml --replies
    """
    from chatbot import assemble
    from chatbot import evaluate_safety as safety

    results = {}
    for name in configs or assemble.shipped_names():
        click.echo(f"{name} ...", err=True)
        results[name] = safety.table(name, data, wrong)
        if replies:
            results[name] += safety.replies(name, seeds, click.echo if wrong else lambda line: None)
    click.echo(safety.show(results))


@evaluate.command("reply")
@click.option("--data", metavar="DIR", type=click.Path(exists=True, path_type=Path), help="With convai2_valid in it.")
@click.option("--adapter", default="companion", show_default=True, metavar="CARD|DIR", help="The adapter to measure.")
@click.option("--chooser", type=FOLDER, metavar="DIR", help="What python -m models.training.chooser wrote, for Hits@1.")
@click.option("--only", multiple=True, type=click.Choice(["convai2", "own", "prompts"]), help="Only these parts.")
@click.option("--dialogues", default=500, show_default=True, help="ConvAI2 dialogues from 501 on, for perplexity.")
@click.option("--choices", default=500, show_default=True, help="Replies to find among 20, for Hits@1.")
@click.option("--written", default=300, show_default=True, help="Replies to write, for word F1 and distinct-2.")
@click.option("--prompts", default=1000, show_default=True, help="Of our own prompts, at most.")
@click.option("--seed", default=1, show_default=True, help="Of what is drawn.")
@click.option("--work", type=FOLDER, metavar="DIR", help="What is measured is kept there, and taken up from there.")
@click.option("--out", type=FOLDER, metavar="FILE", help="Write the scores as JSON.")
@click.option("--transcripts", type=FOLDER, metavar="FILE", help="Instead: 60 talks of base model and chain, unnamed.")
@click.option("--key", type=FOLDER, metavar="FILE", help="Which side of each is ours. [default: beside the talks]")
def evaluate_reply(
    data: Path | None,
    adapter: str,
    chooser: Path | None,
    only: tuple[str, ...],
    work: Path | None,
    out: Path | None,
    transcripts: Path | None,
    key: Path | None,
    **sizes: int,
) -> None:
    """Replies: base model, adapter, adapter ranked.

    On ConvAI2's dialogues 501 to 1,000: perplexity per word, Hits@1 of 20, word F1, distinct-2. On our held-out talks:
    perplexity, Hits@1. On our own prompts: what is wrong with the replies. Hours on a small machine; broken off, the
    same command with the same --work goes on.

    \b
    Examples:
      chatbot evaluate reply --data DATA --work measured --out reply.json
      chatbot evaluate reply --only prompts --prompts 40
      chatbot evaluate reply --transcripts talks.md --key key.json
    """
    import json
    import tempfile

    from chatbot.assemble import read_config
    from models.training import evaluate_reply as replies
    from models.training import reply_scores
    from models.training.chooser import Chooser
    from pipelines.errors import UsageError
    from pipelines.pipeline import Pipeline

    def build() -> Pipeline:
        where = str(Path(adapter).resolve()) if Path(adapter).is_dir() else adapter
        return read_config("config.toml", [f"stages.candidates.transformers.adapter={where}"]).build()

    if transcripts:
        from models.training import transcripts as talks

        talks.write(transcripts, key or transcripts.with_suffix(".key.json"), build, seed=sizes["seed"])
        return
    parts = only or replies.PARTS
    if "convai2" in parts and data is None:
        raise UsageError("ConvAI2 needs --data, or leave it out: --only own --only prompts")
    with tempfile.TemporaryDirectory() as fresh:
        choose = Chooser(chooser) if chooser else None
        report = replies.run(data, adapter, replies.Sizes(**sizes), work or Path(fresh), build, parts, choose)
    report["command"] = "chatbot " + shlex.join(sys.argv[1:])
    click.echo(reply_scores.table(report))
    if out:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


@evaluate.command("memory")
@CONFIG
@SETS
@click.option("--data", metavar="DIR", type=click.Path(exists=True, path_type=Path), help="With msc_valid and locomo.")
@click.option("--scenes", metavar="DIR", type=FOLDER, help="Other scenes. [default: tests/scenes/memory]")
@click.option("--facts", "labelled", metavar="FILE", type=FOLDER, help="Other messages with their facts, one a line.")
@click.option("--generate", is_flag=True, help="Play the scenes with the language model too (much slower).")
@click.option("--out", type=FOLDER, metavar="DIR", help="Write report.json and index.html there.")
def evaluate_memory(
    config: str | None,
    sets: tuple[str, ...],
    data: Path | None,
    scenes: Path | None,
    labelled: Path | None,
    generate: bool,
    out: Path | None,
) -> None:
    """Memory: facts read, evidence found, scenes passed.

    Whatever the config names for facts, recall and the rest is measured, so that it shows what a swap breaks: each
    failed scene is told. Exit code 1 when a scene fails that must not (whose fact it is, people apart, forgetting,
    injection), or more than 5 % of the rest. Without --data, only what comes with the project is measured.

    \b
    Examples:
      chatbot evaluate memory
      chatbot evaluate memory --data DATA --out report
      chatbot evaluate memory --config my.toml --scenes my-scenes
    """
    from chatbot import evaluate_memory as measuring
    from chatbot.assemble import ROOT, read_config
    from models.training import evaluate as scoring

    found = read_config(config, sets)
    labelled = labelled or ROOT / "tests" / "models" / "facts_own.jsonl"
    scenes = scenes or ROOT / "tests" / "scenes" / "memory"
    report, failed = measuring.run(found, data, labelled, scenes, generate, progress)
    progress("")
    click.echo(f"{found.path.name}\n{scoring.table(report)}")
    for line in failed:
        click.echo(f"failed: {line}")
    if out:
        from chatbot import evaluate_show

        command = "chatbot " + shlex.join(sys.argv[1:])
        click.echo(f"As a page: {evaluate_show.write(out, f'memory, {found.path.name}', report, command)}")
    sys.exit(0 if measuring.good_enough(report["scenes"]) else 1)
