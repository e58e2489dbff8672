"""Digits in files: from a folder with a folder of images for each class to a network that reads new ones.

    python examples/digits_from_files.py [--out FOLDER]

Scikit-learn's handwritten digits are written as PNG files of different sizes, in dark ink of some colour on light paper
of another: train/0/17.png, test/7/3.png, ... That is all evenkeel needs to be told. The same in a terminal:

    evenkeel train digits/train --test 0 --out digits-run
    evenkeel evaluate digits-run digits/test
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from PIL import Image
from rich.console import Console
from sklearn.datasets import load_digits

import evenkeel as ek

TESTED = 3  # every third digit is kept for the test
SIZES = (16, 29)  # pixels along a side, from and below


def write(folder: Path, *, seed: int, most: int | None = None) -> None:
    """The digits as files, each in colours and in a size of its own."""
    digits = load_digits()
    generator = np.random.default_rng(seed)
    for row, (strokes, name) in enumerate(zip(digits.images[:most] / 16, digits.target[:most], strict=True)):
        paper, ink = generator.integers(150, 256, 3), generator.integers(0, 106, 3)
        values = paper + strokes[..., None] * (ink - paper)
        size = tuple(int(side) for side in generator.integers(*SIZES, 2))
        place = folder / ("test" if row % TESTED == 0 else "train") / str(name)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype(np.uint8)).resize(size).save(place / f"{row}.png")


def train(folder: Path, *, seed: int = 0, epochs: int | None = None) -> ek.Run:
    """A network on the training folder; what is left to choose follows from the images."""
    return ek.fit(folder / "train", test=0, seed=seed, epochs=epochs, progress=False)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Where to save the run.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--epochs", type=int, help="Passes over the images; by default the recipe's.")
def main(out: Path | None, seed: int, epochs: int | None) -> None:
    """Train on image files, measure on others, save, and read a few."""
    console = Console()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "digits"
        write(folder, seed=seed)
        run = train(folder, seed=seed, epochs=epochs)
        for note in run.record.notes:
            console.print(note)
        console.print(f"accuracy on the test folder: {run.evaluate(folder / 'test')['accuracy']:.1%}")
        again = ek.load(run.save(out or Path(temporary) / "run"))
        for path in sorted(folder.glob("test/*/*.png"))[::60]:
            console.print(f"{path.relative_to(folder)}: {again.predict(path)[0]}")


if __name__ == "__main__":
    main()
