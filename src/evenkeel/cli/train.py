"""`evenkeel train DATA --target C`: from data to a saved network and its report."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from evenkeel.errors import RequestError

SHARE = click.FloatRange(0, 1)  # of the rows
LEFT_OUT = ("--fresh", "--quiet")  # of the command that is kept with a run: the same run comes out


@click.command(short_help="Train a network on data.")
@click.argument("data")
@click.option("--target", help="Column to predict; several: A,B,C. Not needed where the data tell, as a text does.")
@click.option("--kind", help="Kind of data, if it cannot be told from DATA (see: evenkeel parts kinds).")
@click.option("--task", help="Overrule the inferred task (see: evenkeel parts heads).")
@click.option("--net", help="Kind of net (see: evenkeel parts nets).")
@click.option("--loss", help="Loss by name (see: evenkeel parts losses).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run. Default: DATA's name + '-run'.")
@click.option("--seed", type=int, default=0, show_default=True, help="Varies weights, order of rows and split.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training rows.")
@click.option("--time-limit", type=click.FloatRange(min=0, min_open=True), help="Seconds of training at most.")
@click.option("--split", default="random", show_default=True, help="random, time:COLUMN or group:COLUMN.")
@click.option("--validation", type=SHARE, default=0.15, show_default=True, help="Share that decides when to stop.")
@click.option("--test", type=SHARE, default=0.15, show_default=True, help="Share that is only measured on.")
@click.option("--weight", help="Column of example weights, or 'balanced' for classes.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, ...")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="E.g. width=128 (see: evenkeel parts settings)."
)
@click.option("--fresh", is_flag=True, help="Train anew where --out already holds a run.")
@click.option("--quiet", is_flag=True, help="No progress.")
def train(
    data: str, target: str | None, out: Path | None, settings: tuple[str, ...], fresh: bool, **options: Any
) -> None:
    """Train a network on DATA: a table (CSV, TSV, Parquet, or sample:diabetes|digits|breast-cancer|wine), a folder
    with a folder of images or texts for each class, a text, or a file of sequences, graphs or images.

    The same command again goes on with an interrupted run; --fresh starts over.
    """
    from evenkeel.run.fit import fit
    from evenkeel.run.run import REPORT, load
    from evenkeel.train.signals import EXIT_CODES

    out = out or Path(default_folder(data))
    command = shlex.join(["evenkeel", *(a for a in sys.argv[1:] if a not in LEFT_OUT)])
    if not fresh and is_finished(out):
        run = load(out)
        if run.record.command not in ("", command):
            raise RequestError(
                f"{out} holds a finished run of another command: {run.record.command}; --fresh trains anew in its "
                "place, --out DIR elsewhere"
            )
        click.echo(f"{out} holds a finished run; --fresh trains anew.\n{summary(run)}")
        return
    run = fit(
        data,
        target=None if target is None else split_names(target),
        out=out,
        sample_weight=options.pop("weight"),
        progress=not options.pop("quiet"),
        settings=read_settings(settings),
        resume="never" if fresh else "auto",
        command=command,
        **options,
    )
    click.echo(summary(run))
    click.echo(f"saved in {out}; the report: {out / REPORT}")
    if run.record.ended in EXIT_CODES:
        click.echo("interrupted: this is the best network so far; the same command goes on from here", err=True)
        sys.exit(EXIT_CODES[run.record.ended])


def default_folder(data: str) -> str:
    """`houses.csv.gz` -> `houses-run`; `sample:wine` -> `wine-run`."""
    return Path(data.removeprefix("sample:")).resolve().name.split(".")[0] + "-run"


def split_names(target: str) -> str | list[str]:
    """One column, or several separated by commas."""
    names = [name.strip() for name in target.split(",") if name.strip()]
    return names if len(names) > 1 else target


def is_finished(out: Path) -> bool:
    """Whether the folder holds a run that was not interrupted."""
    from evenkeel.run.run import CHECKPOINT, RECORD

    return (out / RECORD).is_file() and not (out / CHECKPOINT).is_dir()


def read_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """`width=128 norm=none skip=plain` as Python values.

    Raises:
        RequestError: no `=` in it.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign:
            raise RequestError(f"--set takes KEY=VALUE, got {setting!r}; for example --set width=128")
        try:
            value = json.loads(text)
        except ValueError:
            value = None if text.lower() == "none" else text
        values[name.strip().replace("-", "_")] = value
    return values


def summary(run: Any) -> str:
    """What came out, in a few lines."""
    record = run.record
    rows = ", ".join(f"{count} {name}" for name, count in record.rows.items())
    lines = [f"task: {record.plan.task} ({record.reason})", f"rows: {rows}; split: {record.split}"]
    lines += [f"note: {note}" for note in record.notes]
    lines.append(f"trained {record.looks[-1].update} updates in {record.seconds:.1f} s, ended by: {record.ended}")
    lines += [f"  {name:<20}{value:>12.5g}" for name, value in record.metrics.items()]
    lines += [f"{each.severity}: {each.sentence}" for each in record.findings]
    lines += [record.verdict] if record.verdict else []
    return "\n".join(lines)
