"""Image to text in one call: which of many captions belongs to a picture that nobody has named before?

    python -m examples.emoji_pairs DATA_FOLDER

The question of `emoji_search.py`, which writes net, loss and training out; here `ek.fit(kind="pair")` does it. A table
names a picture's file, its caption and its base name; pictures of one base (skin tones, women and men at the same work)
stay together in the split, and no two of them stand in one batch, where each must be told from all others.

Reached with seed 0: recall@1 of 7.1 % and recall@10 of 31.9 % (chance 0.4 and 3.5 %; by hand 5.0
and 23.8 %).
"""

import tempfile
import zipfile
from pathlib import Path

import click
import polars as pl
import torch
from rich.console import Console
from rich.table import Table

import evenkeel as ek
from examples.emoji_search import Emoji, base_of, split

ARCHIVE = Path("twemoji-names") / "twemoji_32x32_named_png.zip"


def unpack(archive: Path, folder: Path) -> Path:
    """The pictures as files, and the table of pairs beside them."""
    with zipfile.ZipFile(archive) as packed:
        names = sorted(name for name in packed.namelist() if name.endswith(".png"))
        packed.extractall(folder, names)
    captions = [Path(name).stem for name in names]
    table = pl.DataFrame({"picture": names, "caption": captions, "base": [base_of(caption) for caption in captions]})
    table.write_csv(folder / "pairs.csv")
    return folder / "pairs.csv"


def held_out(table: Path, seed: int) -> dict[str, list[int]]:
    """The split of `emoji_search.py`: one picture of each base that does not train is asked for."""
    rows = pl.read_csv(table)
    emoji = Emoji(torch.empty(0), rows["caption"].to_list(), rows["base"].to_list())
    bases, held = split(emoji, seed)
    return {"train": [row for base in bases for row in base], "test": held}


def train(table: Path, seed: int, updates: int, **changed: int) -> ek.Run:
    """Pictures and captions in one space."""
    sides = {"left": "picture", "right": "caption", "alike": "base"}
    settings = {**sides, "flip": "horizontal", "cache": "none", "updates": updates, **changed}
    parts = held_out(table, seed)
    return ek.fit(table, kind="pair", split=parts, validation=0.0, seed=seed, settings=settings, progress=False)


@click.command()
@click.argument("folder", metavar="DATA_FOLDER|$EVENKEEL_DATA", envvar="EVENKEEL_DATA", type=click.Path(path_type=Path))
@click.option("--updates", default=500, show_default=True, type=click.IntRange(min=20), help="Steps of the optimizer.")
@click.option("--seed", default=0, show_default=True, help="Decides the split and the first weights.")
def main(folder: Path, updates: int, seed: int) -> None:
    """Find the caption of a picture among those of other pictures, none of which were seen in training."""
    if not (folder / ARCHIVE).is_file():
        raise click.ClickException(
            f"needs {folder / ARCHIVE}: name the folder with twemoji-names/, or set EVENKEEL_DATA to it"
        )
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        run = train(unpack(folder / ARCHIVE, Path(place)), seed, updates)
        rows = run.record.rows["test"]
        table = Table("new base names", "recall@1", "recall@10", "to choose from")
        for name, side in (("picture to caption", "left"), ("caption to picture", "right")):
            found = [f"{run.metrics[f'{side}_recall_at_{k}']:.1%}" for k in (1, 10)]
            table.add_row(name, *found, str(rows))
        table.add_row("chance", f"{1 / rows:.1%}", f"{10 / rows:.1%}", str(rows))
        Console().print(table)


if __name__ == "__main__":
    main()
