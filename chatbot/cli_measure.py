"""The command line's side of measuring and training: `chatbot train`, `chatbot evaluate`, `chatbot bench`.

Every command imports what it needs when it is called, and leaves the work to `models.training` or to a module beside
this one. Knows no model.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from chatbot.cli_options import CONFIG, SETS

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


@train.command("reply", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train_reply(arguments: tuple[str, ...]) -> None:
    """Train the reply model's adapter on dialogues.

    \b
    Examples:
      chatbot train reply --help
    """
    from models.training import reply

    sys.argv = ["chatbot train reply", *arguments]
    reply.main()


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


@click.group()
def bench() -> None:
    """Measure time and memory."""


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
    report, failed = measuring.run(found, data, labelled, scenes, generate, _progress)
    _progress("")
    click.echo(f"{found.path.name}\n{scoring.table(report)}")
    for line in failed:
        click.echo(f"failed: {line}")
    if out:
        from chatbot import evaluate_show

        command = "chatbot " + shlex.join(sys.argv[1:])
        click.echo(f"As a page: {evaluate_show.write(out, f'memory, {found.path.name}', report, command)}")
    sys.exit(0 if measuring.good_enough(report["scenes"]) else 1)


@bench.command("memory")
@click.option("--sizes", default="10,100,1000,5000,10000,50000", show_default=True, metavar="N,N", help="Utterances.")
@click.option("--facts", default=1000, show_default=True, help="How many facts are known.")
def bench_memory(sizes: str, facts: int) -> None:
    """Milliseconds of memory by how much it holds.

    recall: finding what fits one message. writing: the message, what it taught, and the answer. turn: both, and the
    profile and the history. first recall: in a fresh process, which reads the file. Beside each: the processor's
    time, without what the disk and other programs take.

    \b
    Examples:
      chatbot bench memory
      chatbot bench memory --sizes 5000,50000
    """
    from chatbot import bench_memory as benching
    from pipelines.errors import UsageError

    try:
        wanted = [int(size) for size in sizes.split(",")]
    except ValueError:
        wanted = []
    if not wanted or min(wanted) < 1 or facts < 1:
        raise UsageError("--sizes and --facts are numbers from 1 on, such as --sizes 10,1000 --facts 100")
    rows = benching.run(wanted, facts, _progress)
    _progress("")
    click.echo(benching.table(rows))


@bench.command("reply")
@CONFIG
@SETS
@click.option("--tokens", default=40, show_default=True, type=click.IntRange(2, 400), help="Of each candidate.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 100), help="How often each is measured.")
@click.option("--threads", default=0, type=click.IntRange(0, 64), help="Of each engine. [default: one per core]")
@click.option("--out", type=FOLDER, metavar="FILE", help="Write all times as JSON there.")
def bench_reply(
    config: str | None, sets: tuple[str, ...], tokens: int, rounds: int, threads: int, out: Path | None
) -> None:
    """Seconds of a reply, beside other engines.

    Eight candidates and one of a fixed length: ours (the eight also ranked), transformers' generate in float32, and
    llama.cpp in 4 bits (if the extra is installed), each asked in turn. Then whole turns of the config, cold and warm,
    after short and long talks. On a busy machine, set OMP_WAIT_POLICY=passive and look at the processor's seconds.

    \b
    Examples:
      chatbot bench reply
      chatbot bench reply --rounds 9 --out bench.json
      chatbot bench reply --set stages.candidates.transformers.count=4
    """
    import json
    import os

    from chatbot import bench_reply as benching

    report = benching.run(config, sets, tokens, rounds, threads or os.cpu_count() or 1, _progress)
    _progress("")
    click.echo(benching.table(report))
    if out:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _progress(line: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{line[:78]}", nl=False, err=True)
