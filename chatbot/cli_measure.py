"""The command line's side of measuring and training: `chatbot train`, `chatbot evaluate`, `chatbot bench`.

Every command imports what it needs when it is called, and leaves the work to `models.training` or to a module beside
this one. Knows no model.
"""

from __future__ import annotations

import click


@click.group()
def train() -> None:
    """Train a stage on public data, or on your own."""


@click.group()
def evaluate() -> None:
    """Score a stage, the memory, the safety or the replies, on data that nothing was tuned on."""


@click.group()
def bench() -> None:
    """Measure time and memory."""
