"""List folders of text files: a folder of folders, one a class, or files alone."""

from __future__ import annotations

from pathlib import Path

from evenkeel.errors import DataError


def has_classes(folder: Path) -> bool:
    """Whether a folder holds folders of text files, one a class."""
    return folder.is_dir() and any(each.name.endswith(".txt") for each in folder.glob("*/*"))


def files_of(folder: Path) -> tuple[list[Path], int]:
    """The text files of a folder, sorted, and how many are left out: those beside its folders, where it has folders.

    Raises:
        DataError: no text file is there.
    """
    paths = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not paths:
        raise DataError(f"{folder} holds no .txt files; expected a folder of folders of them, one a class")
    inside = [path for path in paths if path.parent != folder]
    return inside or paths, len(paths) - len(inside) if inside else 0
