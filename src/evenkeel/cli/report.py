"""`evenkeel report RUN`: write the report of a saved run again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write the report of a run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="HTML file; RUN/report.html without.")
def report(run: Path, out: Path | None) -> None:
    """Write the report of the run saved in RUN."""
    from evenkeel.run.run import REPORT, load

    written = load(run).report(out or run / REPORT)
    click.echo(f"the report: {written}")
