"""Read texts from lists with answers, tables with columns of prose, folders of files, or one plain file.

Every source becomes one frame with a row for each text: the columns of text, and beside them the answers.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from evenkeel.data.arrays import as_frame
from evenkeel.data.columns import describe, tidy
from evenkeel.data.delimited import SEPARATORS
from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.text.folders import files_of

TEXT, OTHER, TARGET = "text", "other", "target"  # names where the data have none
ENDINGS = (".txt", ".txt.gz")
HEAD = 1 << 16  # bytes read to see what a file holds
FEW_LINES = 5
LONGEST_PATH, LONGEST_NAME = 4096, 255  # what file systems take: to ask for more raises
FALLBACK = "cp1252"  # what text that is not UTF-8 is usually written in
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\v\x1b")  # signs of data that are no text


class Read(NamedTuple):
    """A text, and a note on how it was read, empty where it is plain UTF-8."""

    text: str
    note: str


def read_text(path: Path) -> Read:
    """Read a file as text: UTF-8, or Windows-1252 with a note.

    Raises:
        DataError: no such file, a damaged one, or one that holds no text.
    """
    if not path.is_file():
        raise DataError(f"no such file: {path}; expected a text file ({', '.join(ENDINGS)})")
    try:
        content = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path} could not be read: {problem}") from problem
    return decoded(content, str(path))


def decoded(content: bytes, name: str) -> Read:
    """Decode bytes as text.

    Example:
        >>> decoded("naïve".encode("latin-1"), "a.txt").note
        'a.txt is not UTF-8; it was read as Windows-1252.'
    """
    if CONTROLS & set(content[:HEAD]):
        raise DataError(f"{name} holds no text (byte {min(CONTROLS & set(content[:HEAD]))} in it); expected UTF-8")
    try:
        return Read(content.decode("utf-8-sig").replace("\r\n", "\n"), "")
    except UnicodeDecodeError:
        text = content.decode(FALLBACK, errors="replace").replace("\r\n", "\n")
        return Read(text, f"{name} is not UTF-8; it was read as Windows-1252.")


def is_path(data: Any) -> bool:
    """Whether this could name something on disk; other words are a text."""
    if not isinstance(data, str):
        return isinstance(data, Path)
    names = data.encode(errors="replace").split(b"/")
    return "\n" not in data and len(data) < LONGEST_PATH and max(map(len, names)) <= LONGEST_NAME


def is_folder(data: Any) -> bool:
    """Whether this names a folder."""
    return is_path(data) and str(data) != "" and Path(data).expanduser().is_dir()


def is_named_text(path: Path) -> bool:
    """Whether a file exists whose name ends as that of a text."""
    return path.name.lower().endswith(ENDINGS) and path.is_file()


def looks_like_prose(path: Path) -> bool:
    """Whether a file named as text holds no table: its lines do not fall into equally many fields.

    A file that cannot be read counts as text, so that reading it says what is wrong.
    """
    if not is_named_text(path):
        return False
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            head = file.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return True
    lines = [line for line in head.decode("utf-8", errors="replace").splitlines() if line.strip()]
    lines = lines[:-1] if len(lines) > FEW_LINES else lines  # the last one may be cut
    return len(lines) < 2 or not any(_in_fields(lines, sign) for sign in (*SEPARATORS, None))


def _in_fields(lines: list[str], separator: str | None) -> bool:
    """Whether every line has the same number of fields, and more than one; None: blanks separate them."""
    counts = {len(line.split(separator)) for line in lines}
    return len(counts) == 1 and counts != {1}


def is_list_of_texts(values: Any) -> bool:
    """Whether these are texts, or pairs of them: a list, a tuple, an array of one axis, or a series."""
    if not isinstance(values, (list, tuple)) and not (hasattr(values, "dtype") and np.ndim(values) == 1):
        return False
    first = next((value for value in values if value is not None), None)
    return isinstance(first, str) or (
        isinstance(first, (tuple, list)) and len(first) == 2 and all(isinstance(each, str) for each in first)
    )


def require_some(values: Any) -> None:
    """Refuse data that can hold no texts: nothing, or numbers.

    Raises:
        DataError: there are no texts in them.
    """
    if values is None or isinstance(values, (int, float)):
        raise DataError(f"expected texts: a list, a table or a path; got {type(values).__name__}")
    listed = isinstance(values, (list, tuple)) or (hasattr(values, "dtype") and np.ndim(values) == 1)
    if not listed:
        return
    present = [value for value in values if value is not None]
    if not present:
        raise DataError(f"expected at least one text, got {'an empty list' if not len(values) else 'None alone'}")
    numbers = [value for value in present if isinstance(value, (int, float, np.number))]
    if len(numbers) == len(present):
        raise DataError(f"expected texts, got numbers, the first of them {numbers[0]:g}; try str(...)")


class TextSource(NamedTuple):
    """Texts as a frame, the names of the columns of text, and notes on how they were read.

    `files` are those of a folder, as they are called within it: `good/12.txt`.
    """

    frame: pl.DataFrame
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_texts(data: Any, *, text: str | Sequence[str] | None, target: Sequence[str] = ()) -> TextSource:
    """Read texts, with answers where there are some.

    Args:
        data: a folder of folders of files, lists of texts or (texts, y), a frame or the path of a table, or of a plain
            text with one text a line.
        text: the columns of text, `name` or `name,name` or several names; None: the one of prose.
        target: the columns of answers.

    Raises:
        DataError: there is no text.
        RequestError: a column of text that does not exist, or more than one to choose from.

    Example:
        >>> read_texts((["good", "bad"], [1, 0]), text=None).frame.columns
        ['text', 'target']
    """
    if is_folder(data):
        return _read_folder(Path(data).expanduser(), target[0] if target else TARGET)
    if is_path(data):
        path = Path(data).expanduser()
        if looks_like_prose(path):
            file = read_text(path)
            lines = [line for line in file.text.splitlines() if line.strip()]
            return TextSource(pl.DataFrame({TEXT: lines}), (TEXT,), (file.note,) if file.note else ())
    if isinstance(data, str) and not leads_somewhere(data):
        raise DataError(
            f"expected a path or a list of texts, got {data[:40]!r}; a single text goes into a list: [text]"
        )
    values, answers = data if isinstance(data, tuple) and len(data) == 2 and not _is_pair(data) else (data, None)
    require_some(values)
    if is_list_of_texts(values):
        frame = _frame_of(values)
        columns = tuple(frame.columns)
        return TextSource(frame if answers is None else as_frame((frame, answers), target or None), columns)
    frame = read_table(values) if answers is None else as_frame(data, target or None)
    if not frame.height:
        raise DataError("expected at least one text, got a table without rows")
    return TextSource(frame, text_columns(frame, text, target))


def leads_somewhere(data: str) -> bool:
    """Whether a string is meant as a path (perhaps mistyped) or a sample's name; otherwise it is a text itself.

    Example:
        >>> leads_somewhere("filmz.csv"), leads_somewhere("a wonderful film")
        (True, False)
    """
    if not data or not is_path(data):
        return False
    path = Path(data).expanduser()
    named = path.name.lower().endswith(ENDINGS) or (path.suffix != "" and " " not in data)
    return path.exists() or data.startswith("sample:") or named


def _is_pair(data: tuple[Any, ...]) -> bool:
    """Whether a tuple is one pair of texts, not texts and answers."""
    return all(isinstance(each, str) for each in data)


def _frame_of(values: Any) -> pl.DataFrame:
    """Texts as one column, pairs as two; None is an empty text."""
    listed = list(values)
    pairs = any(isinstance(value, (tuple, list)) for value in listed)
    for row, value in enumerate(listed):
        parts = value if pairs else (value,)
        fits = isinstance(parts, (tuple, list)) and len(parts) == (2 if pairs else 1)
        if not fits or not all(part is None or isinstance(part, str) for part in parts):
            expected = "a pair of texts" if pairs else "a text"
            raise DataError(f"expected {expected} in every place, got {value!r:.60} at {row}; try str(...)")
    if not pairs:
        return pl.DataFrame({TEXT: pl.Series(TEXT, listed, dtype=pl.String)})
    return pl.DataFrame(
        {name: pl.Series([pair[i] for pair in listed], dtype=pl.String) for i, name in ((0, TEXT), (1, OTHER))}
    )


def _read_folder(folder: Path, target: str) -> TextSource:
    """Read a folder: a row for each file, with the name of its folder as class where there are folders."""
    paths, beside = files_of(folder)
    notes: tuple[str, ...] = ()
    if beside:
        files = (
            "1 .txt file beside the folders of classes is"
            if beside == 1
            else (f"{beside} .txt files beside the folders of classes are")
        )
        notes += (f"{files} left out.",)
    inside = paths[0].parent != folder
    classes = {target: [path.relative_to(folder).parts[0] for path in paths]} if inside else {}
    texts = [read_text(path) for path in paths]
    others = sum(bool(each.note) for each in texts)
    if others:
        verb = "is not UTF-8; it was" if others == 1 else "are not UTF-8; they were"
        notes += (f"{others} of {len(texts)} files {verb} read as Windows-1252.",)
    frame = pl.DataFrame({TEXT: [each.text for each in texts], **classes})
    return TextSource(frame, (TEXT,), notes, tuple(path.relative_to(folder).as_posix() for path in paths))


def text_columns(frame: pl.DataFrame, names: str | Sequence[str] | None, target: Sequence[str] = ()) -> tuple[str, ...]:
    """The columns of text: those named, or else the only one of prose, or the only one of strings.

    Example:
        >>> text_columns(pl.DataFrame({"review": ["a good film"], "stars": [4]}), None)
        ('review',)
    """
    if names is not None:
        return _named_columns(frame, names)
    possible = [name for name in frame.columns if name not in target and frame[name].dtype == pl.String]
    prose = [name for name in possible if describe(tidy(frame[name])).kind == "text"]
    for candidates in (prose, possible):
        if len(candidates) == 1:
            return (candidates[0],)
        if candidates:
            listed = ", ".join(map(repr, candidates[:6]))
            raise RequestError(
                f"which column is the text? {listed} could be; give settings={{'text': {candidates[0]!r}}}, or two of "
                f"them for pairs: {candidates[0]},{candidates[1]}"
            )
    raise DataError(f"no column holds text; there are: {', '.join(frame.columns[:8])}")


def _named_columns(frame: pl.DataFrame, names: str | Sequence[str]) -> tuple[str, ...]:
    """The columns of these names; a name may hold a comma itself."""
    if isinstance(names, str):
        names = (names,) if names in frame.columns else [name.strip() for name in names.split(",")]
    for name in names:
        if name not in frame.columns:
            raise RequestError(f"there is no column {name!r} of text; {choices(frame.columns, name)}")
    if len(set(names)) != len(names) or len(names) > 2:
        raise RequestError(f"text names one column, or two different ones for pairs, got {', '.join(names)}")
    return tuple(names)
