"""Which molecules change the genes of bacteria? Whole graphs, learned from a listing, and asked about new ones.

    python examples/molecules.py DATA_FOLDER

MUTAG: 188 aromatic and heteroaromatic nitro compounds as atoms and bonds, 125 of them mutagenic. Ten given folds: nine
train, one is the test, nothing is chosen on it. Then a network that has seen all of them is saved, loaded, and asked
about molecules built by hand: rings of carbon side by side, with a nitro group and without.

Reached: 87.8 % over the ten folds (seed 0); the commonest class alone 66.5 %, a linear model on counts of atoms 85.6 %.
Of molecules built by hand those with more rings are worse: 1, 13, 70 % alone and 4, 28, 86 % with a nitro group. Those
alone are a guess: each of the 188 has a nitro group.
"""

import tempfile
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

import evenkeel as ek

CARBON, NITROGEN, OXYGEN = 2, 5, 6  # tags of the listing
MUTAGENIC = 2  # class of the listing


def rings(count: int, *, nitro: bool) -> tuple[np.ndarray, np.ndarray]:
    """So many hexagons of carbon in a row, each sharing a bond with the next: tags (atom,) and bonds (2, bond).

    >>> [len(part) for part in (rings(1, nitro=False)[0], rings(2, nitro=True)[0])]
    [6, 13]
    """
    upper, lower = range(0, 4 * count + 2, 2), range(1, 4 * count + 2, 2)
    bonds = [*pairwise(upper), *pairwise(lower)]
    bonds += [(upper[2 * place], lower[2 * place]) for place in range(count + 1)]
    tags = [CARBON] * (4 * count + 2)
    if nitro:
        group = len(tags)
        tags += [NITROGEN, OXYGEN, OXYGEN]
        bonds += [(upper[1], group), (group, group + 1), (group, group + 2)]
    return np.array(tags), np.array(bonds).T


def fold(place: Path, number: int, seed: int, **settings: object) -> float:
    """Accuracy on the test part of one of the given folds."""
    parts = {part: np.loadtxt(place / f"{part}_idx-{number}.txt", dtype=int) for part in ("train", "test")}
    listing = place.parent / "MUTAG.txt"
    run = ek.fit(listing, split=parts, validation=0, seed=seed, progress=False, settings=settings)
    return run.metrics["accuracy"]


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--folds", default=10, show_default=True, type=click.IntRange(1, 10), help="How many are measured.")
@click.option("--epochs", type=int, help="Passes over the molecules, instead of the usual number.")
@click.option("--seed", default=0, show_default=True, help="Of first weights and of the order of the molecules.")
def main(folder: Path, folds: int, epochs: int | None, seed: int) -> None:
    """Tell mutagenic molecules from others, and ask about new ones."""
    listing = folder / "graph-MUTAG" / "MUTAG.txt"
    if not listing.is_file():
        raise click.ClickException(f"needs {listing}: name the folder with graph-MUTAG/, or set EVENKEEL_DATA to it")
    torch.set_num_threads(1)
    settings = {} if epochs is None else {"epochs": epochs}
    console = Console(stderr=True)
    found = [
        fold(listing.parent / "10fold_idx", number + 1, seed, **settings)
        for number in track(range(folds), description="folds", console=console)
    ]
    print(f"{folds} folds: {np.mean(found):.1%} right, {np.std(found):.1%} standard deviation between them")
    run = ek.fit(listing, validation=0, test=0, seed=seed, progress=False, settings=settings)
    with tempfile.TemporaryDirectory() as place:
        run = ek.load(run.save(Path(place) / "molecules"))  # as another program would use it
    table = Table("molecule", "probably mutagenic")
    asked = [(count, nitro) for count in (1, 2, 3) for nitro in (False, True)]
    chance = run.predict_proba([rings(count, nitro=nitro) for count, nitro in asked])
    for (count, nitro), one in zip(asked, chance[:, run.classes.index(MUTAGENIC)], strict=True):
        table.add_row(f"{count} ring(s) {'with a nitro group' if nitro else 'alone'}", f"{one:.0%}")
    Console().print(table)


if __name__ == "__main__":
    main()
