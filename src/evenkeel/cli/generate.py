"""`evenkeel generate RUN`: continue a text, as it is drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(short_help="Continue a text.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--prompt", default="", help="What comes before; '-' reads it from standard input.")
@click.option("--length", default=500, show_default=True, type=click.IntRange(min=0), help="Tokens to draw.")
@click.option("--temperature", default=0.8, show_default=True, type=click.FloatRange(min=0), help="0: no chance.")
@click.option("--top-k", type=click.IntRange(min=1), help="Draw among so many most probable tokens.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), help="Draw among those with this probability.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def generate(run: Path, prompt: str, **options: float | int | None) -> None:
    """Continue PROMPT with the network saved in RUN; the text appears as it is drawn."""
    from evenkeel.run.run import load

    prompt = sys.stdin.read() if prompt == "-" else prompt
    click.echo(prompt, nl=False)
    load(run).generate(prompt, stream=lambda piece: click.echo(piece, nl=False), **options)  # type: ignore[arg-type]
    click.echo()
