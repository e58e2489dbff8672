"""`evenkeel predict | evaluate | report RUN`: using a saved run."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import click
import numpy as np
import polars as pl

LEVELS = (0.05, 0.95)  # ends of the central 90 % interval


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


def table_of_predictions(run, data: object) -> pl.DataFrame:
    """What each prediction belongs to, where a row's number does not say it, and `prediction` with its certainty."""
    if run.part.reads == "series":
        return _coming(run, data)
    new = run.read(data)
    found = _predictions(run, new)
    keys = {name: values for name, values in new.keys.items() if name not in found}
    return pl.DataFrame({**keys, **found.to_dict()})


def _predictions(run, frame) -> pl.DataFrame:
    """A column `prediction` and what is known of its certainty; points and codes as a column for each unit."""
    reads = run.part.reads
    if reads == "inputs":
        code = run.encode(frame)
        return pl.DataFrame({f"code {i}": code[:, i] for i in range(code.shape[1])})
    if reads == "labels":
        probability = run.predict_proba(frame)
        columns = {str(name): (probability[:, i] > 0.5).astype(np.int8) for i, name in enumerate(run.classes)}
        columns |= {f"probability {name}": probability[:, i] for i, name in enumerate(run.classes)}
        return pl.DataFrame(columns)
    predicted = run.predict(frame)
    if reads == "groups":
        return pl.DataFrame({f"unit {i}": predicted[:, i] for i in range(predicted.shape[1])})
    columns = {"prediction": predicted}
    if reads == "class":
        probability = run.predict_proba(frame)
        columns |= {f"probability {name}": probability[:, i] for i, name in enumerate(run.classes)}
    elif run.plan.task not in ("regression", "embedding"):
        low, high = run.predict_distribution(frame).quantile(LEVELS)
        columns |= {"low 5%": low, "high 95%": high}
    return pl.DataFrame(columns)


def _coming(run, data: object) -> pl.DataFrame:
    """The times to come after a table's end, and each column's forecast."""
    from evenkeel.kinds.series.schema import coming_table

    new = run.read(data)
    ends = () if run.plan.task == "regression" else run.predict_distribution(new).quantile(LEVELS)
    return coming_table(run.record.schema_, new.keys[run.record.schema_.time], run.predict(new), *ends)


@click.command(short_help="Measure a run on new data.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def evaluate(run: Path, data: str, as_json: bool) -> None:
    """Measure the network saved in RUN on DATA, which must hold the target."""
    from evenkeel.run.run import load

    found = load(run).evaluate(data)
    if as_json:
        # JSON knows no infinity and no NaN.
        click.echo(json.dumps({name: value if math.isfinite(value) else None for name, value in found.items()}))
        return
    for name, value in found.items():
        click.echo(f"{name:<20}{value:>12.5g}")


@click.command(short_help="Write the report of a run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="HTML file; RUN/report.html without.")
def report(run: Path, out: Path | None) -> None:
    """Write the report of the run saved in RUN."""
    from evenkeel.run.run import REPORT, load

    written = load(run).report(out or run / REPORT)
    click.echo(f"the report: {written}")
