"""The `.ts` files of the UCR and UEA archives: sequences of numbers, one a line, under a header that describes them.

    @dimensions 2                     channels of each sequence (of a univariate file one)
    @classLabel true up down          its classes; `false` where there is none; `@targetLabel true`: a number instead
    @data
    1.5,2.5,?:0,1,0:up                channels between colons, steps between commas, `?` for a missing value

Format: https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenkeel.errors import DataError

SUFFIX = ".ts"
GAPS = ("?", "nan", "")  # how a missing value is written, in lower case
Answer = Literal["class", "target"]
ANSWERS: dict[str, Answer] = {"classlabel": "class", "targetlabel": "target"}  # the header's words for the last field


@dataclass(frozen=True, kw_only=True)
class TsFile:
    """Contents of a file: each sequence as (step, channel), NaN where a value is missing, and its answer as text.

    `answer` is what the header calls the answer, `class` or `target`, and None where there is none.
    """

    sequences: tuple[NDArray[np.float64], ...]
    answers: tuple[str, ...]
    answer: Answer | None


@dataclass(frozen=True, kw_only=True)
class TsHeader:
    """Contents of the lines before the data; None where they say nothing."""

    channels: int | None
    steps: int | None
    answer: Answer | None
    classes: tuple[str, ...]


def is_ts_path(data: object) -> bool:
    """Whether this names such a file.

    Example:
        >>> is_ts_path("GunPoint_TRAIN.ts"), is_ts_path("prices.csv")
        (True, False)
    """
    return isinstance(data, (str, Path)) and str(data).lower().endswith(SUFFIX)


def read_ts(path: str | Path) -> TsFile:
    """Read a file and check it against its own header.

    Raises:
        DataError: no such file, no data in it, time stamps, or a line that does not fit; the message names the line.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(f"no such file: {path}; expected a {SUFFIX} file of sequences")
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror}") from problem
    numbered = {number: line.strip() for number, line in enumerate(lines, start=1)}
    numbered = {number: line for number, line in numbered.items() if line and not line.startswith("#")}
    start = next((number for number, line in numbered.items() if line.lower() == "@data"), None)
    if start is None:
        raise DataError(f"{path} has no line @data; expected a {SUFFIX} file: a header, @data, then a line a sequence")
    header = _header(path, [line for number, line in numbered.items() if number < start])
    rows = {number: line for number, line in numbered.items() if number > start}
    if not rows:
        raise DataError(f"{path} holds no sequences after @data")
    return _body(path, header, rows)


def _header(path: Path, lines: Sequence[str]) -> TsHeader:
    """Parse the header."""
    words = {line.split()[0].lstrip("@").lower(): line.split()[1:] for line in lines if line.startswith("@")}

    def is_true(name: str) -> bool:
        return words.get(name, ["false"])[:1] in (["true"], ["True"], ["TRUE"])

    if is_true("timestamps"):
        raise DataError(f"{path} has time stamps beside its values, which are not read; save it with @timeStamps false")
    answers: list[Answer] = [kind for name, kind in ANSWERS.items() if is_true(name)]
    answer = answers[0] if answers else None
    return TsHeader(
        channels=1 if is_true("univariate") else _whole(path, words, "dimensions"),
        steps=_whole(path, words, "serieslength") if is_true("equallength") else None,
        answer=answer,
        classes=tuple(words["classlabel"][1:]) if answer == "class" else (),
    )


def _whole(path: Path, words: dict[str, list[str]], name: str) -> int | None:
    """A whole number of the header, if it is there."""
    if not words.get(name):
        return None
    try:
        return int(words[name][0])
    except ValueError as problem:
        raise DataError(f"{path}: @{name} is {words[name][0]!r}; expected a whole number") from problem


def _body(path: Path, header: TsHeader, rows: dict[int, str]) -> TsFile:
    """Parse the lines of data."""
    sequences, answers = [], []
    channels = header.channels
    for number, line in rows.items():
        fields = line.split(":")
        if header.answer is not None:
            answers.append(fields.pop().strip())
            _check_answer(path, number, answers[-1], header)
        channels = channels or len(fields)
        if len(fields) != channels:
            raise DataError(f"{path}, line {number}: {len(fields)} channels where {channels} are expected")
        sequences.append(_sequence(path, number, fields, header.steps))
    return TsFile(sequences=tuple(sequences), answers=tuple(answers), answer=header.answer)


def _check_answer(path: Path, number: int, answer: str, header: TsHeader) -> None:
    """Refuse an answer that is none of the classes of the header, where it names any."""
    if header.classes and answer not in header.classes:
        raise DataError(
            f"{path}, line {number}: class {answer!r} is none of those of the header, {', '.join(header.classes[:10])}"
        )


def _sequence(path: Path, number: int, fields: Sequence[str], steps: int | None) -> NDArray[np.float64]:
    """Parse one line as (step, channel)."""
    columns = []
    for field in fields:
        cells = [cell.strip() for cell in field.split(",")]
        try:
            columns.append(np.array([np.nan if cell.lower() in GAPS else float(cell) for cell in cells]))
        except ValueError as problem:
            raise DataError(f"{path}, line {number}: {problem}; expected numbers between commas, or ?") from problem
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1 or (steps is not None and lengths[0] != steps):
        expected = "as many in each channel" if len(lengths) > 1 else f"{steps}, as the header says"
        raise DataError(f"{path}, line {number}: {' and '.join(map(str, lengths))} steps where {expected} are expected")
    return np.stack(columns, axis=1)
