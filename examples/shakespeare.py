"""A network that writes: a small transformer reads Shakespeare letter by letter and goes on where a prompt ends.

    python examples/shakespeare.py DATA_FOLDER

A plain text needs no target: 80 % of it train, the next tenth decides which weights are kept, the last is measured on.
"""

from pathlib import Path

import click

import evenkeel as ek

FILE = "tinyshakespeare/input.txt"


def train(path: Path, seconds: float, **settings: float) -> ek.Run:
    """A run that continues texts like the one at the path."""
    options = {"time_limit": seconds, "validation": 0.1, "test": 0.1}
    return ek.fit(path, settings=settings, **options)


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--minutes", default=10.0, show_default=True, help="Of training.")
@click.option("--prompt", default="ROMEO:\n", help="What comes before.")
def main(folder: Path, minutes: float, prompt: str) -> None:
    """Train on the Shakespeare of DATA_FOLDER, say how well, and write."""
    path = folder / FILE
    if not path.is_file():
        raise click.ClickException(
            f"needs {path}: name the folder that holds tinyshakespeare/, or set EVENKEEL_DATA to it"
        )
    run = train(path, 60 * minutes)
    for name, value in run.metrics.items():
        click.echo(f"{name.replace('_', ' ')}: {value:.3f}")
    click.echo(prompt, nl=False)
    run.generate(prompt, length=500, stream=lambda piece: click.echo(piece, nl=False))
    click.echo()


if __name__ == "__main__":
    main()
