"""Listings of image files: folders that are classes, tables of paths, or mere paths.

pets/cat/1.jpg pets/cat/2024/7.jpg   the first folder is the class, however deep its images are
pets/train/cat/1.jpg                 the same with a split: train, test, and perhaps validation
pets.csv: photo,weight               a column of paths, relative to the folder of the table
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from evenkeel.data.columns import MISSING_WORDS, tidy
from evenkeel.data.table import SUFFIXES, read_table
from evenkeel.errors import DataError, choices
from evenkeel.kinds.image.files import is_image

# Folders that are parts of a split and no classes.
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
PEEKED = 20  # values of a column that are checked for paths
HEAD = 65_536  # bytes of a text file
CLASS = "class"  # the name of the column of classes that folders define
NAMED = 3  # files that a note names
Classes = Literal["folders", "none"]
"""Whether folders are classes, so that an image outside of them is left out, or all images count alike."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Paths, one a row, and the other columns; `class_column` names that of classes where folders define them.

    A row without a path has the empty `Path()`. `names` are the paths as passed, in a folder relative to it;
    `parts` the part of each row where folders define the split; `notes` say what was left out.
    """

    paths: tuple[Path, ...]
    frame: pl.DataFrame
    column: str
    names: tuple[str, ...]
    class_column: str | None = None
    parts: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def list_images(
    data: Any, *, column: str | None = None, target: str | None = None, classes: Classes = "folders"
) -> Listing:
    """List the image files of a folder, a table (path or frame), a list of paths or a single path.

    Args:
        data: one of these.
        column: of a table, that of the paths; None: it is detected.
        target: the name of the column of classes.
        classes: `folders`, or `none` where every image counts, whatever its folder.

    Raises:
        DataError: there are no images, or a folder is not a class.
    """
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if path.is_dir():
            return _of_folder(path, target or CLASS, classes)
        if is_image(path):
            return _of_paths([path], [path.name])
        return _of_table(read_table(path), path.parent, column)
    if isinstance(data, (list, tuple)) and all(isinstance(each, (str, Path)) for each in data):
        return _of_paths([Path(each).expanduser() for each in data], [str(each) for each in data])
    return _of_table(read_table(data), Path(), column)


def holds_images(data: Any) -> bool:
    """Whether a path, a frame or a list lists image files."""
    if isinstance(data, (str, Path)):
        path = Path(data).expanduser()
        if path.is_dir():
            return any(_images_of(path)) or any(_is_of_images(each) for each in _folders_of(path))
        return path.is_file() and (is_image(path) or (_may_list(path) and _lists(read_table(path), path.parent)))
    if isinstance(data, (list, tuple)):
        return bool(data) and all(isinstance(each, (str, Path)) and is_image(Path(each)) for each in data)
    return hasattr(data, "columns") and _lists(read_table(data), Path())


def _may_list(path: Path) -> bool:
    """Whether the head of a table holds paths of images; large tables are not read for this."""
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
    """Find the first column of text of which most values are names of images, and one is that of an existing file."""
    for series in frame:
        if series.dtype not in (pl.String, pl.Categorical):
            continue
        values = [Path(str(value)) for value in series.drop_nulls().head(PEEKED).to_list()]
        named = [value for value in values if is_image(value)]
        if len(named) > len(values) / 2 and any((folder / value).is_file() for value in named):
            return series.name
    return None


def _of_table(frame: pl.DataFrame, folder: Path, column: str | None) -> Listing:
    """List the paths of a table, relative to its folder."""
    if column is not None and column not in frame.columns:
        raise DataError(f"there is no column {column!r} of image paths; {choices(frame.columns, column)}")
    chosen = column or path_column(frame, folder)
    if chosen is None:
        raise DataError(
            f"no column holds paths of image files that exist in {folder.resolve()}; there are: {frame.columns[:12]}. "
            "Write paths relative to the folder of the table, or say which column with settings={'images': ...}"
        )
    names = frame[chosen].cast(pl.String).fill_null("").to_list()
    paths = tuple(folder / name if name.strip() else Path() for name in names)
    return Listing(paths=paths, frame=frame.drop(chosen), column=chosen, names=tuple(names))


def _of_paths(paths: Sequence[Path], names: Sequence[str]) -> Listing:
    """List files without answers."""
    if not paths:
        raise DataError("expected at least one path of an image, got an empty list")
    frame = pl.DataFrame({"file": [path.name for path in paths]})
    return Listing(paths=tuple(paths), frame=frame, column="file", names=tuple(names))


def _of_folder(folder: Path, target: str, classes: Classes) -> Listing:
    """List a folder with a folder for each class; a folder of images alone has no classes."""
    loose = _images_of(folder)
    held = {each.name: list(_images_under(each)) for each in _folders_of(folder)}
    if not any(held.values()):
        if loose:
            return _of_paths(loose, [path.name for path in loose])
        hint = "expected a folder for each class with images in it"
        raise DataError(f"{folder} holds no images, neither itself nor in its folders; {hint}")
    parts = _parts_of(held)
    if classes == "none":
        return _of_all(folder, target, held, loose, parts)
    empty = [name for name, files in held.items() if not files]
    if empty:
        raise DataError(f"folder {empty[0]!r} of {folder} holds no images; remove it, or bring its images")
    if parts is not None:
        return _of_parts(folder, target, held, parts)
    if set(held) <= set(PARTS) and any(path.parent.name in held for files in held.values() for path in files):
        raise DataError(f"{folder} holds {', '.join(held)}, whose images have no class; expected a folder a class")
    _require_one_level(folder, held)
    return _of_classes(folder, target, [(name, file) for name, files in held.items() for file in files], loose)


def _require_one_level(folder: Path, held: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a single folder whose images are all in folders of their own: it is not a class, but holds classes."""
    name = next(iter(held))
    if len(held) == 1 and all(path.parent != folder / name for path in held[name]):
        raise DataError(
            f"{folder} holds one folder, {name!r}, whose images lie in folders of their own; try {folder / name}"
        )


def _of_classes(
    folder: Path,
    target: str,
    named: Sequence[tuple[str, Path]],
    loose: Sequence[Path],
    parts: tuple[str, ...] | None = None,
) -> Listing:
    """List files with the class of each; those beside the classes are counted."""
    _require_readable(sorted({name for name, _ in named}))
    notes = ()
    if loose:
        first = ", ".join(path.name for path in loose[:NAMED]) + (", ..." if len(loose) > NAMED else "")
        notes = (f"{len(loose)} image(s) beside the class folders have no class and are left out: {first}.",)
    return Listing(
        paths=tuple(file for _, file in named),
        frame=pl.DataFrame({target: [name for name, _ in named]}),
        column="file",
        names=tuple(file.relative_to(folder).as_posix() for _, file in named),
        class_column=target,
        parts=parts,
        notes=notes,
    )


def _of_parts(folder: Path, target: str, held: Mapping[str, Sequence[Path]], parts: Mapping[str, str]) -> Listing:
    """List a folder for each part of the split, with a folder for each class in it."""
    named, words, loose = [], [], list(_images_of(folder))
    for part, files in held.items():
        for file in files:
            inner = file.relative_to(folder / part).parts
            if len(inner) == 1:
                loose.append(file)
                continue
            named.append((inner[0], file))
            words.append(parts[part])
    if "train" not in words:
        raise DataError(f"{folder} holds {', '.join(held)}, whose images have no class; expected a folder a class")
    return _of_classes(folder, target, named, loose, tuple(words))


def _of_all(
    folder: Path,
    target: str,
    held: Mapping[str, Sequence[Path]],
    loose: Sequence[Path],
    parts: Mapping[str, str] | None,
) -> Listing:
    """List every image below a folder, those in folders first; the column `target` holds the folder, for splits."""
    where = [(name, file) for name, files in held.items() for file in files]
    paths = (*(file for _, file in where), *loose)
    words = None if parts is None or loose else tuple(parts[name] for name, _ in where)
    return Listing(
        paths=paths,
        frame=pl.DataFrame({target: [*(name for name, _ in where), *(None for _ in loose)]}),
        column="file",
        names=tuple(file.relative_to(folder).as_posix() for file in paths),
        parts=words,
    )


def _parts_of(held: Mapping[str, Sequence[Path]]) -> dict[str, str] | None:
    """Map each folder to its part where all of them are parts and one of several trains; else None."""
    parts = {name: PARTS[name.lower()] for name in held if name.lower() in PARTS}
    return parts if len(parts) == len(held) > 1 and "train" in parts.values() else None


def _require_readable(classes: Sequence[str]) -> None:
    """Refuse names that a table would read as missing, or as equal numbers."""
    missing = [name for name in classes if name.strip().lower() in MISSING_WORDS]
    if missing:
        raise DataError(f"the folder of class {missing[0]!r} is named like a missing value; give it another name")
    values = tidy(pl.Series("class", classes)).to_list()
    twice = [name for name, value in zip(classes, values, strict=True) if values.count(value) > 1]
    if twice:
        raise DataError(f"the folders {twice[:4]} would be read as one class; give them different names")


def _folders_of(folder: Path) -> list[Path]:
    """List the folders that may be classes; hidden ones, and those that systems create, are not."""
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith((".", "__")))


def _images_of(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if is_image(each))


def _images_under(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the images of a folder, then those of the folders in it; a link that leads back up is not followed."""
    here = folder.resolve()
    if here in above:
        return
    yield from _images_of(folder)
    for each in _folders_of(folder):
        yield from _images_under(each, above | {here})


def _is_of_images(folder: Path) -> bool:
    """Whether a folder looks like a class or a part: with images, or with none but folders and images in one of these.

    Texts beside folders are the sign of another kind of data, which may well hold a picture deep inside.
    """
    files = [each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")]
    if any(map(is_image, files)):
        return True
    if folder.name.lower() in PARTS:
        return any(any(_images_of(each)) for each in _folders_of(folder))
    return not files and any(True for _ in _images_under(folder))
