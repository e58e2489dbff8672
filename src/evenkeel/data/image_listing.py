"""Which image files there are, and what is known of each: folders that are classes, tables of paths, or mere paths.

pets/cat/1.jpg pets/dog/7.jpg   the folder is the class
pets.csv: photo,weight          a column of paths, relative to the folder of the table
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from evenkeel.data.columns import MISSING_WORDS, tidy
from evenkeel.data.image_files import is_image
from evenkeel.data.table import SUFFIXES, read_table
from evenkeel.errors import DataError, choices

PARTS = ("train", "training", "val", "valid", "validation", "test")
PEEKED = 20  # values of a column that are looked at to see whether it holds paths
HEAD = 65_536  # bytes of a text file
CLASS = "class"  # what the column is called that folders tell


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Paths, one a row, and the other columns; `told` names the column of classes where the folders tell them."""

    paths: tuple[Path, ...]
    frame: pl.DataFrame
    column: str
    told: str | None = None


def list_images(data: Any, *, column: str | None = None, target: str | None = None) -> Listing:
    """The image files of a folder, a table (path or frame), a list of paths or a single path.

    Args:
        data: where they are.
        column: of a table, that of the paths; found where it is not given.
        target: what the classes of folders are to be called.

    Raises:
        DataError: there are none, or a folder is no class.
    """
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if path.is_dir():
            return _of_folder(path, target or CLASS)
        if is_image(path):
            return _of_paths([path])
        return _of_table(read_table(path), path.parent, column)
    if isinstance(data, (list, tuple)) and all(isinstance(each, (str, Path)) for each in data):
        return _of_paths([Path(each).expanduser() for each in data])
    return _of_table(read_table(data), Path(), column)


def holds_images(data: Any) -> bool:
    """Whether a path, a frame or a list of no stated kind lists image files."""
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if path.is_dir():
            return any(_images_of(path)) or any(any(_images_of(each)) for each in _folders_of(path))
        return path.is_file() and (is_image(path) or (_may_list(path) and _lists(read_table(path), path.parent)))
    if isinstance(data, (list, tuple)):
        return bool(data) and all(isinstance(each, (str, Path)) and is_image(Path(each)) for each in data)
    return hasattr(data, "columns") and _lists(read_table(data), Path())


def _may_list(path: Path) -> bool:
    """Whether a table may hold paths of images: a look at its head, as large tables are not read for it."""
    name = path.name.lower()
    if not name.endswith(SUFFIXES) or name.endswith(".gz"):
        return False
    if name.endswith((".parquet", ".pq")):
        try:
            return path_column(pl.scan_parquet(path).head(PEEKED).collect(), path.parent) is not None
        except (pl.exceptions.PolarsError, OSError):
            return False
    with path.open("rb") as file:
        words = file.read(HEAD).decode(errors="replace").replace(";", ",").replace("\t", ",").replace('"', "")
    return any(is_image(Path(word.strip())) for line in words.splitlines()[1:] for word in line.split(","))


def _lists(frame: pl.DataFrame, folder: Path) -> bool:
    return path_column(frame, folder) is not None


def path_column(frame: pl.DataFrame, folder: Path) -> str | None:
    """The first column of text of which most values are names of images, and one is that of a file that exists."""
    for series in frame:
        if series.dtype not in (pl.String, pl.Categorical):
            continue
        values = [Path(str(value)) for value in series.drop_nulls().head(PEEKED).to_list()]
        named = [value for value in values if is_image(value)]
        if len(named) > len(values) / 2 and any((folder / value).is_file() for value in named):
            return series.name
    return None


def _of_table(frame: pl.DataFrame, folder: Path, column: str | None) -> Listing:
    """Paths relative to the folder that the table lies in."""
    if column is not None and column not in frame.columns:
        raise DataError(f"there is no column {column!r} of image paths; {choices(frame.columns, column)}")
    found = column or path_column(frame, folder)
    if found is None:
        raise DataError(
            f"no column holds paths of image files that exist in {folder.resolve()}; there are: {frame.columns[:12]}. "
            "Write paths relative to the folder of the table, or say which column with settings={'images': ...}"
        )
    names = frame[found].cast(pl.String).fill_null("").to_list()
    return Listing(paths=tuple(folder / name for name in names), frame=frame.drop(found), column=found)


def _of_paths(paths: Sequence[Path]) -> Listing:
    """Files without further knowledge."""
    if not paths:
        raise DataError("expected at least one path of an image, got an empty list")
    return Listing(paths=tuple(paths), frame=pl.DataFrame({"file": [path.name for path in paths]}), column="file")


def _of_folder(folder: Path, target: str) -> Listing:
    """A folder for each class; a folder of images alone tells no classes."""
    classes = _folders_of(folder)
    held = {each.name: _images_of(each) for each in classes}
    if not any(held.values()):
        loose = _images_of(folder)
        if loose:
            return _of_paths(loose)
        deeper = [each.name for each in classes if any(any(_images_of(below)) for below in _folders_of(each))]
        hint = f"try {folder / deeper[0]}" if deeper else "expected a folder for each class with images in it"
        raise DataError(f"{folder} holds no images, neither itself nor in its folders; {hint}")
    empty = [name for name, files in held.items() if not files]
    if empty:
        raise DataError(f"folder {empty[0]!r} of {folder} holds no images; remove it, or bring its images")
    if set(held) <= set(PARTS):
        raise DataError(f"{folder} holds {', '.join(held)}, whose images have no class; expected a folder a class")
    names = [name for name, files in held.items() for _ in files]
    _require_readable(sorted(held))
    paths = tuple(file for files in held.values() for file in files)
    return Listing(paths=paths, frame=pl.DataFrame({target: names}), column="file", told=target)


def _require_readable(classes: Sequence[str]) -> None:
    """Refuse names that a table would read as missing, or as equal numbers."""
    missing = [name for name in classes if name.strip().lower() in MISSING_WORDS]
    if missing:
        raise DataError(f"the folder of class {missing[0]!r} is named like a missing value; give it another name")
    read = tidy(pl.Series("class", classes)).to_list()
    twice = [name for name, value in zip(classes, read, strict=True) if read.count(value) > 1]
    if twice:
        raise DataError(f"the folders {twice[:4]} would be read as one class; give them different names")


def _folders_of(folder: Path) -> list[Path]:
    """Folders that may be classes; hidden ones, and those that systems leave, are not."""
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith((".", "__")))


def _images_of(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if is_image(each))
