"""Delimited text as a frame: separator, header, decimal comma and encoding are detected from the file itself.

Separators: comma, semicolon, tab, `|`, or runs of blanks. Text that is not UTF-8 is read as Windows-1252, the usual
other encoding. What cannot be read ends in a message that names the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from evenkeel.data.columns import GROUPED_NUMBER
from evenkeel.errors import DataError

SEPARATORS = ",;\t|"
BLANKS = " "  # runs of blanks separate; such lines are rewritten with tabs before they are read
# Bytes read to detect the layout: the first size that holds a few lines (a header of many genes takes a megabyte).
HEAD_BYTES = (1 << 16, 1 << 20, 1 << 24)
FEW_LINES = 4
HEAD_ROWS = 50
# Rows from which column types are guessed; a later surprise makes the file be read again as text.
ROWS_TO_INFER = 10_000
# The values a year has in a header; such a number does not mean that the header is missing.
YEARS = range(1800, 2200)
DECIMAL_COMMA, DECIMAL_POINT = r"[+-]?\d+,\d+", r"[+-]?\d+\.\d+"


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """Layout of a text file: what separates fields, whether a header comes first, its columns, the decimal sign."""

    separator: str
    header: Literal["present", "absent"]
    names: tuple[str, ...]
    decimal: Literal[".", ","]


def read_delimited(path: Path) -> pl.DataFrame:
    """Read the table in a text file, gzipped or not; columns without a name are called `column_0`, `column_1`, ...

    Raises:
        DataError: the file is empty or not text, a line has too many fields, or two columns have one name.
    """
    head = _head(path)
    layout = _detect_layout(path, head)
    frame = _parse_somehow(path, layout, ordinary=layout.separator != BLANKS and not _lone_returns(head))
    # Set here, with and without header: polars has numbered columns from 0 in some versions and from 1 in others.
    frame.columns = list(layout.names)
    return frame


def _bytes(path: Path, most: int = -1) -> bytes:
    """Read at most so many bytes, decompressed if they are gzipped, whatever the file's name says."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        return file.read(most)


def _head(path: Path) -> str:
    """Read the first lines as text.

    Raises:
        DataError: bytes that do not occur in text.
    """
    head, size = b"", 0
    for size in HEAD_BYTES:
        head = _bytes(path, size)
        if len(head) < size or head.count(b"\n") >= FEW_LINES:
            break
    if len(head) == size:
        head = head[: head.rfind(b"\n") + 1] or head  # the last line is cut off
    if head.startswith(b"PK\x03\x04"):
        raise DataError(f"{path} is a zip archive or a spreadsheet; unpack it, or save the sheet as CSV")
    if b"\0" in head:
        raise DataError(f"{path} is not plain text (UTF-16, or no text at all); save it as CSV with the encoding UTF-8")
    text = _decode(path, head)
    if not text.strip():
        raise DataError(f"{path} is empty; expected a table with a header line and rows")
    return text


def _lone_returns(text: str) -> bool:
    """Whether lines end in a carriage return alone, as on old Macs."""
    return "\r" in text and "\n" not in text


def _detect_layout(path: Path, head: str) -> TextLayout:
    """Detect separator, header and decimal sign from the first lines."""
    lines = [line for line in head.splitlines() if line.strip()]
    rows = {separator: _rows(lines, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda candidate: _fitness(rows[candidate]))
    if len(rows[separator][0]) > 1:
        cells = rows[separator]
    else:
        cells = [line.split() for line in lines[:HEAD_ROWS]]
        separator = BLANKS if _is_table_of_blanks(cells) else ","
        cells = cells if separator == BLANKS else rows[","]
    titled = has_header(cells)
    return TextLayout(
        separator=separator,
        header="present" if titled else "absent",
        names=_names(path, cells[0] if titled else [""] * len(cells[0])),
        decimal="," if _has_decimal_comma(cells, separator) else ".",
    )


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    """Cut lines into up to 50 rows of trimmed cells."""
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=separator)
    return [[cell.strip() for cell in row] for row, _ in zip(reader, range(HEAD_ROWS), strict=False) if row]


def _fitness(rows: list[list[str]]) -> tuple[bool, int]:
    """Score a separator: best if it cuts every line into equally many fields, more than one; else by their number."""
    widths = {len(row) for row in rows}
    return len(widths) == 1 and widths != {1}, len(rows[0])


def _is_table_of_blanks(rows: list[list[str]]) -> bool:
    """Whether this is a table, not prose: equally many words in every line, and a number in the last."""
    widths = {len(row) for row in rows}
    return len(widths) == 1 and widths != {1} and any(map(_is_number, rows[-1]))


def _has_decimal_comma(rows: list[list[str]], separator: str) -> bool:
    """Whether `3,5` is a number: the comma does not separate, no points do the same, not all commas group thousands."""
    cells = [cell for row in rows[1:] for cell in row]
    commas = [cell for cell in cells if re.fullmatch(DECIMAL_COMMA, cell)]
    points = any(re.fullmatch(DECIMAL_POINT, cell) for cell in cells)
    return separator != "," and not points and any(not re.fullmatch(GROUPED_NUMBER, cell) for cell in commas)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row is a header: not so if it has a number above numbers, unless they count or are years."""
    first, below = rows[0], rows[1:]
    numbers = [index for index, cell in enumerate(first) if _is_number(cell)]
    if not numbers or not below:
        return True
    values = [float(first[index]) for index in numbers]
    counts = len(values) > 2 and values == [values[0] + step for step in range(len(values))]
    if (counts and values[0] in (0, 1)) or all(value in YEARS for value in values):
        return True
    return not any(all(_is_number(row[index]) for row in below if index < len(row)) for index in numbers)


def _names(path: Path, cells: list[str]) -> tuple[str, ...]:
    """Return the header's names, empty ones numbered.

    Raises:
        DataError: a name that occurs twice is ambiguous.
    """
    names = tuple(cell or f"column_{number}" for number, cell in enumerate(cells))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}: the header names {twice[0]!r} more than once; give every column a name of its own")
    return names


def _parse_somehow(path: Path, layout: TextLayout, *, ordinary: bool) -> pl.DataFrame:
    """Parse the file as it is if that works, else cleaned text with inferred types, else all values as text."""
    if ordinary:
        with suppress(pl.exceptions.ComputeError):
            frame = _parse(path, layout, infer_schema_length=ROWS_TO_INFER)
            if frame.width == 1 or not _has_empty_rows(frame):
                return frame
    text = _decode(path, _bytes(path)).replace("\r\n", "\n").replace("\r", "\n")
    content = _content(text, layout)
    # A value far down the file may not fit the inferred type: then all is read as text, and `tidy` decides.
    with suppress(pl.exceptions.ComputeError):
        return _parse(content, layout, infer_schema_length=ROWS_TO_INFER)
    try:
        return _parse(content, layout, infer_schema=False)
    except pl.exceptions.ComputeError as problem:
        raise DataError(f"{path} could not be read as a table: {_what_is_wrong(text, layout, problem)}") from problem


def _parse(source: Path | bytes, layout: TextLayout, **types: Any) -> pl.DataFrame:
    """Parse with polars, by the layout."""
    return pl.read_csv(
        source,
        separator="\t" if layout.separator == BLANKS else layout.separator,
        has_header=layout.header == "present",
        decimal_comma=layout.decimal == ",",
        **types,
    )


def _has_empty_rows(frame: pl.DataFrame) -> bool:
    """Whether there are rows without any value, which polars also makes of blank lines."""
    return bool(frame.select(pl.all_horizontal(pl.all().is_null()).any()).item())


def _decode(path: Path, content: bytes) -> str:
    """Decode bytes as UTF-8, or else as Windows-1252."""
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as problem:
        raise DataError(
            f"{path} is neither UTF-8 nor Windows-1252 text (byte {problem.start}); save it with the encoding UTF-8"
        ) from problem


def _content(text: str, layout: TextLayout) -> bytes:
    """Clean the text for polars: drop blank lines, put tabs for runs of blanks."""
    lines = [line for line in text.split("\n") if line.strip()]
    if layout.separator == BLANKS:
        lines = ["\t".join(line.split()) for line in lines]
    return "\n".join([*lines, ""]).encode()


def _what_is_wrong(text: str, layout: TextLayout, problem: Exception) -> str:
    """Describe the fault: a line with more fields than the first one, or a quotation mark that is never closed."""
    if text.count('"') % 2:
        return "a quotation mark is opened and never closed"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.separator)
    width = 0
    try:
        for row in reader:
            width = width or len(row)
            if len(row) > width:
                return (
                    f"line {reader.line_num} has {len(row)} fields, the first line has {width}. "
                    f"Put values that contain {layout.separator!r} in double quotes, or remove lines that are no rows"
                )
    except csv.Error as malformed:
        return str(malformed)
    return str(problem).splitlines()[0]
