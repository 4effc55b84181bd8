"""The command line's side of measuring how fast: `chatbot bench`. Knows no model."""

from __future__ import annotations

from pathlib import Path

import click

from chatbot.cli_options import CONFIG, SETS, progress

FOLDER = click.Path(path_type=Path)


@click.group()
def bench() -> None:
    """Measure time and memory."""


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
    rows = benching.run(wanted, facts, progress)
    progress("")
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

    report = benching.run(config, sets, tokens, rounds, threads or os.cpu_count() or 1, progress)
    progress("")
    click.echo(benching.table(report))
    if out:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
