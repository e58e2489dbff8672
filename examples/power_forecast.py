"""How much power, how warm, over the next four days? Seven series of an electricity transformer, forecast with bands.

    python examples/power_forecast.py DATA_FOLDER

ETTh1: two years of hourly loads and the oil temperature of one transformer. The oldest year trains, four months decide,
four months are the test, as in published results, which give the mean squared error over all series, each standardised
by training: the last value repeated 1.294, DLinear .375, PatchTST .370.

At the end the table of the coming hours is printed as a person would use it.

Reached: see README.md of this folder.
"""

import gzip
from pathlib import Path

import click
import polars as pl
import torch

import evenkeel as ek

MONTHS = {"train": 12, "validation": 4, "test": 4}
HOURS_A_MONTH = 720
HORIZON, WINDOW = 96, 336


def read(folder: Path) -> pl.DataFrame:
    """The hourly table, `date` and seven numbers."""
    path = folder / "etth1" / "ETTh1.csv.gz"
    if not path.is_file():
        raise click.ClickException(f"needs {path}: name the folder that holds etth1/, or set EVENKEEL_DATA to it")
    return pl.read_csv(gzip.decompress(path.read_bytes()))


def rows_of_parts() -> dict[str, range]:
    """The rows of each part, one after the other."""
    parts, start = {}, 0
    for part, months in MONTHS.items():
        parts[part] = range(start, start + months * HOURS_A_MONTH)
        start = parts[part].stop
    return parts


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Of first weights and of the order of the windows.")
@click.option("--updates", type=int, help="Steps of training, instead of the usual number.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run and its report.")
def main(folder: Path, seed: int, updates: int | None, out: Path | None) -> None:
    """Forecast 96 hours of seven series, and say how sure each hour is."""
    torch.set_num_threads(1)
    frame, parts = read(folder), rows_of_parts()
    settings = {
        "horizon": HORIZON,
        "window": WINDOW,
        "time": "date",
        **({} if updates is None else {"updates": updates}),
    }
    run = ek.fit(frame, kind="series", split=parts, seed=seed, settings=settings, out=out, progress=False)
    print(f"rmse {run.metrics['rmse']:.3f} in the units of the table; {run.metrics['coverage_90']:.0%} of the hours")
    print("lie inside their 90 % band.", run.record.verdict)
    known = frame[: parts["test"].stop]
    low, high = run.predict_distribution(known).quantile([0.05, 0.95])
    mean = run.predict(known)
    columns = {"date": run.read(known).keys["date"]}
    for place, name in enumerate(run.record.target.columns):
        ends = {"": mean, " low 5%": low, " high 95%": high}
        columns |= {f"{name}{end}": values.reshape(mean.shape)[:, place] for end, values in ends.items()}
    coming = pl.DataFrame(columns)
    print(coming.select("date", "^OT.*$").head(4))


if __name__ == "__main__":
    main()
