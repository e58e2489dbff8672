"""Parquet tables larger than memory: read part by part, and encoded once into a file that is mapped into memory.

Kinds, scales and levels of the columns are learned from some of the training rows; target and split columns are read
whole. What training then touches are pages of a file without a name, which ends with the process: the system keeps of
them what fits. The file lies where `tempfile` puts it (TMPDIR names another place).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenkeel.data.schema import Schema, encode
from evenkeel.errors import DataError
from evenkeel.shapes import Tensor

ROWS_AT_ONCE = 100_000
ROWS_TO_LEARN_FROM = 200_000  # a quantile of this many rows is off by a tenth of a per cent of the rows
SHARE = 0.25  # of free memory: a table stands there as a frame and as tensors, and training needs the rest
SUFFIXES = (".parquet", ".pq")
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class LargeTable:
    """A Parquet file that is never read whole: its columns and number of rows."""

    path: Path
    columns: tuple[str, ...]
    height: int

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Read some columns of all rows."""
        return pl.scan_parquet(self.path).select(columns).collect()

    def parts(self, columns: Sequence[str]) -> Iterator[tuple[int, pl.DataFrame]]:
        """Read part after part: the number of its first row, and its rows."""
        scanned = pl.scan_parquet(self.path).select(columns)
        for start in range(0, self.height, ROWS_AT_ONCE):
            yield start, scanned.slice(start, ROWS_AT_ONCE).collect()

    def gather(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pl.DataFrame:
        """Read some columns of some rows, which ascend."""
        return pl.concat(part[_inside(rows, start, part.height)] for start, part in self.parts(columns))


def large_table(source: Any, memory: float | None = None) -> LargeTable | None:
    """Open a file as a table read in parts, where it is Parquet and would take more than `memory` GiB.

    Without `memory` the limit is a quarter of what is free.

    Raises:
        DataError: the file cannot be read as Parquet.
    """
    if not isinstance(source, (str, Path)) or not str(source).lower().endswith(SUFFIXES) or not Path(source).is_file():
        return None
    try:
        scanned = pl.scan_parquet(source)
        height = int(scanned.select(pl.len()).collect().item())
        first = scanned.head(1000).collect()
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise DataError(f"{source} could not be read as a table: {str(problem).splitlines()[0]}") from problem
    size = first.estimated_size() / max(first.height, 1) * height
    if size <= (SHARE * free_memory() if memory is None else memory * GIB):
        return None
    return LargeTable(path=Path(source), columns=tuple(first.columns), height=height)


def free_memory() -> int:
    """Bytes available without swapping; no limit where the system does not report them."""
    report = Path("/proc/meminfo")
    lines = report.read_text().splitlines() if report.is_file() else []
    free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)
    if free is None and hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return free or 2**62


def rows_to_learn_from(train: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Draw some of the training rows, ascending."""
    generator = np.random.default_rng([seed, 6])
    return np.sort(generator.permutation(train)[:ROWS_TO_LEARN_FROM])


def encode_in_parts(schema: Schema, table: LargeTable, rows: NDArray[np.int64] | None = None) -> dict[str, Tensor]:
    """Encode numbers and categories of some rows (all without `rows`), ascending, as tensors mapped from a file."""
    count = table.height if rows is None else len(rows)
    numbers = _mapped((count, len(schema.numbers)), np.float32)
    categories = _mapped((count, len(schema.categories)), np.int32)
    done = 0
    for start, part in table.parts(schema.used):
        encoded = encode(schema, part if rows is None else part[_inside(rows, start, part.height)])
        end = done + len(encoded.numbers)
        numbers[done:end], categories[done:end] = encoded.numbers, encoded.categories
        done = end
    return {"numbers": numbers, "categories": categories}


def _inside(rows: NDArray[np.int64], start: int, height: int) -> NDArray[np.int64]:
    """Rows that fall into a part, counted from its start."""
    first, last = np.searchsorted(rows, (start, start + height))
    return rows[first:last] - start


def _mapped(shape: tuple[int, int], kind: type[np.float32 | np.int32]) -> Tensor:
    """Make a tensor on the pages of an anonymous temporary file, which ends with the process."""
    if 0 in shape:
        return torch.from_numpy(np.zeros(shape, dtype=kind))
    with tempfile.TemporaryFile() as kept:  # the mapping holds the file open
        return torch.from_numpy(np.memmap(kept, dtype=kind, mode="w+", shape=shape))
