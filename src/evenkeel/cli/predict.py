"""`evenkeel predict RUN DATA`: a table of predictions with what they belong to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import polars as pl


@click.command(short_help="Predict new examples.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--out", type=click.Path(path_type=Path), help="CSV or Parquet file; standard output without.")
def predict(run: Path, data: str, out: Path | None) -> None:
    """Predict every example of DATA with the network saved in RUN.

    Numbers come with the ends of their 90 % interval, classes with their probabilities; of a series what comes after
    its end.
    """
    from evenkeel.errors import RequestError
    from evenkeel.run.run import load

    trained = load(run)
    frame = table_of_predictions(trained, data)
    if out is None:
        sys.stdout.write(frame.write_csv())
        return
    try:
        frame.write_parquet(out) if out.suffix in (".parquet", ".pq") else frame.write_csv(out)
    except OSError as problem:
        raise RequestError(f"could not write {out}: {problem.strerror or problem}; try another path") from problem
    click.echo(f"{frame.height} predictions written to {out}")


def table_of_predictions(run: Any, data: Any) -> pl.DataFrame:
    """What each prediction belongs to, where a row's number does not say it, and `prediction` with its certainty."""
    from evenkeel.train.evaluate import outputs

    new = run.read(data)
    output = outputs(run.network, new.inputs)
    columns = run.network.head.columns(output, run.record.target)
    keys = {name: values for name, values in new.keys.items() if name not in columns}
    return pl.DataFrame({**keys, **columns})
