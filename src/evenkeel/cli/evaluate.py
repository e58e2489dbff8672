"""`evenkeel evaluate RUN DATA`: measure a saved run on new data."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click


@click.command(short_help="Measure a run on new data.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def evaluate(run: Path, data: str, as_json: bool) -> None:
    """Measure the network saved in RUN on DATA, which must hold the target."""
    from evenkeel.run.run import load

    scores = load(run).evaluate(data)
    if as_json:
        # JSON knows no infinity and no NaN.
        click.echo(json.dumps({name: value if math.isfinite(value) else None for name, value in scores.items()}))
        return
    for name, value in scores.items():
        click.echo(f"{name:<20}{value:>12.5g}")
