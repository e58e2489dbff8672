"""Readers of graphs in files: `.npz` of one graph, text of many, and two tables of one graph, nodes and edges.

x.npz        edge_index (2, edge); x (node, channel), or x_row, x_col, x_val; y; idx_train, idx_val, idx_test or masks
x.txt        number of graphs; of each `nodes answer`, then of each node `tag neighbours first second ... numbers`
folder       edges.csv (source, target; or from, to; or src, dst), nodes.csv (id, features ..., target); Parquet, TSV
mapping      {"edges": table, "nodes": table}
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from evenkeel.data.columns import tidy
from evenkeel.data.table import SUFFIXES, read_table
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.graph.edges import as_edges, join_edges
from evenkeel.kinds.graph.nodes import NodeValues, as_numbers
from evenkeel.kinds.graph.objects import answers_frame
from evenkeel.kinds.graph.schema import USUAL, Answer, GraphSet
from evenkeel.kinds.graph.split import check_apart
from evenkeel.shapes import Tensor

PARTS = {
    "train": ("idx_train", "train_mask"),
    "validation": ("idx_val", "idx_validation", "val_mask"),
    "test": ("idx_test", "test_mask"),
}
TABLES = ("edges", "nodes")
ENDS, NAME = (("source", "target"), ("from", "to"), ("src", "dst")), "id"


def is_npz(path: Path) -> bool:
    """Whether a file is an archive of arrays with edges among them."""
    if path.suffix != ".npz" or not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "edge_index.npy" in archive.namelist()


def is_listing(path: Path) -> bool:
    """Whether the first lines of a file count graphs, then nodes, then neighbours."""
    if path.suffix != ".txt" or not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            first, second, third = ([int(word) for word in line.split()] for line in islice(file, 3))
    except ValueError:  # words, fewer lines, or no text
        return False
    return len(first) == 1 and len(second) == 2 and len(third) >= 2 and len(third) == third[1] + 2


def tables_in(folder: Path) -> dict[str, Path]:
    """Find the tables of nodes and edges in a folder, by name."""
    candidates = {name: [folder / f"{name}{suffix}" for suffix in SUFFIXES] for name in TABLES}
    return {
        name: there[0] for name, paths in candidates.items() if (there := [path for path in paths if path.is_file()])
    }


def read_npz(path: Path, answer: str | None) -> GraphSet:
    """Read one graph with an answer for each node.

    Raises:
        DataError: an array is missing or of another shape.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise DataError(f"{path} could not be read as arrays: {problem}") from problem
    if answer is not None and answer not in arrays:
        raise DataError(f"{path} holds no array {answer!r} to predict; {choices(arrays, answer)}")
    frame = None if answer is None else answers_frame(arrays[answer], answer)
    edges = as_edges(arrays["edge_index"])
    numbers = _numbers_of(path, arrays, frame)
    sizes = [part.shape[0] for part in (numbers, frame) if part is not None]
    if len(set(sizes)) > 1:
        raise DataError(f"{path} holds {sizes[0]} nodes and {sizes[1]} answers; expected as many")
    count = sizes[0] if sizes else int(edges.max()) + 1 if edges.numel() else 0
    return GraphSet(
        level="node",
        sizes=(count,),
        edges=edges,
        values=NodeValues(numbers=numbers),
        answers=frame,
        targets=() if frame is None else tuple(frame.columns),
        source=str(path),
        parts=_parts_of(arrays),
    )


def _numbers_of(path: Path, arrays: Mapping[str, np.ndarray], frame: pl.DataFrame | None) -> Tensor | None:
    """Read a matrix, or the places and values of one."""
    if "x" in arrays:
        return as_numbers(torch.from_numpy(arrays["x"]))
    named = [name for name in ("x_row", "x_col", "x_val") if name in arrays]
    if not named:
        return None
    if len(named) < 3 or len({arrays[name].shape for name in named}) > 1:
        raise DataError(f"{path}: x_row, x_col and x_val must be there, all of one length; got {', '.join(named)}")
    place = torch.from_numpy(np.stack([arrays["x_row"], arrays["x_col"]]).astype(np.int64))
    if place.numel() and int(place.min()) < 0:
        raise DataError(f"{path}: x_row and x_col count from 0, got {int(place.min())}")
    least = (place.amax(1) + 1).tolist() if place.numel() else [0, 0]
    rows = int(arrays["num_nodes"]) if "num_nodes" in arrays else max(least[0], 0 if frame is None else frame.height)
    columns = int(arrays["num_features"]) if "num_features" in arrays else least[1]
    if rows < least[0] or columns < least[1]:
        raise DataError(f"{path}: x has places up to row {least[0] - 1}, column {least[1] - 1} of {rows} x {columns}")
    values = torch.from_numpy(arrays["x_val"]).float()
    return torch.sparse_coo_tensor(place, values, (rows, columns), check_invariants=False).coalesce()


def _parts_of(arrays: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray] | None:
    """Read the row numbers of each part, stored as numbers or as a Boolean for each row."""
    stored = {part: name for part, names in PARTS.items() for name in names if name in arrays}
    rows = {part: arrays[name] for part, name in stored.items()}
    parts = {part: np.flatnonzero(each) if each.dtype == np.bool_ else each for part, each in rows.items()}
    check_apart(parts, stored)
    return parts if "train" in parts else None


def read_listing(path: Path, answer: str | None) -> GraphSet:
    """Read graphs with a tag at each node, and numbers where the lines go on after the neighbours.

    Raises:
        DataError: a line that is not of the format; the message names it.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    reader = _Lines(path, lines)
    (count,) = reader.numbers(1)
    labels, sizes, tags, edges, numbers = [], [], [], [], []
    for _ in range(int(count)):
        size, label = reader.words(2)
        nodes = [reader.node() for _ in range(reader.whole(size))]
        labels.append(label)
        sizes.append(len(nodes))
        tags += [node[0] for node in nodes]
        numbers += [node[2] for node in nodes]
        pairs = [(int(end), start) for start, node in enumerate(nodes) for end in node[1]]
        edges.append(torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T)
    if len(widths := sorted({len(row) for row in numbers})) > 1:
        raise DataError(f"{path}: nodes must have equally many numbers, got {widths[0]} to {widths[-1]}")
    frame = None if answer is None else pl.DataFrame({answer: tidy(pl.Series(labels))})
    return GraphSet(
        level="graph",
        sizes=tuple(sizes),
        edges=join_edges(edges, sizes),
        values=NodeValues(
            tags=np.array(tags), numbers=as_numbers(torch.tensor(numbers)) if widths and widths[0] else None
        ),
        answers=frame,
        targets=() if answer is None else (answer,),
        source=str(path),
    )


class _Lines:
    """Reader of one line after the other; its errors name the line."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self.path, self.lines, self.at = path, lines, 0

    def words(self, count: int) -> list[str]:
        """Read the words of the next line, at least `count`."""
        self.at += 1
        cut = self.lines[self.at - 1].split() if self.at <= len(self.lines) else []
        if len(cut) < count:
            raise self.wrong(f"expected {count} numbers or more, got {len(cut)}")
        return cut

    def whole(self, word: str) -> int:
        """Parse a whole number of 0 or more."""
        if not word.isdecimal():
            raise self.wrong(f"expected a whole number, got {word!r}")
        return int(word)

    def numbers(self, count: int) -> list[int]:
        """Read the next line as `count` whole numbers."""
        return [self.whole(word) for word in self.words(count)[:count]]

    def node(self) -> tuple[str, list[int], list[float]]:
        """Read tag, neighbours and numbers of a node."""
        tag, degree, *rest = self.words(2)
        count = self.whole(degree)
        if len(rest) < count:
            raise self.wrong(f"expected {count} neighbours, got {len(rest)}")
        try:
            return tag, [self.whole(word) for word in rest[:count]], [float(word) for word in rest[count:]]
        except ValueError as problem:
            raise self.wrong(str(problem)) from problem

    def wrong(self, what: str) -> DataError:
        """Build the error of the current line."""
        return DataError(f"{self.path}, line {self.at}: {what}")


def read_tables(tables: Mapping[str, Any], answer: Answer | None, source: str) -> GraphSet:
    """Read one graph from two tables: its nodes and its edges.

    Raises:
        DataError: a table or column is missing, an id occurs twice, an edge leads to an id that is not there.
        RequestError: no target is named.
    """
    absent = [name for name in TABLES if name not in tables]
    if absent:
        raise DataError(f"{source}: a graph needs a table of edges and one of nodes; {absent[0]} is missing")
    edges, nodes = (read_table(tables[name]) for name in TABLES)
    from_to = _ends_of(edges.columns, source)
    if NAME not in nodes.columns:
        raise DataError(f"{source}: the table of nodes needs a column {NAME!r}; {choices(nodes.columns, NAME)}")
    if answer == USUAL and USUAL not in nodes.columns:
        known = [name for name in nodes.columns if name != NAME]
        raise RequestError(f"which column of the nodes is to be predicted? Give target=...; there are: {known[:20]}")
    names = _ids(nodes[NAME])
    if len(places := {name: row for row, name in enumerate(names)}) < len(names):
        twice = next(name for row, name in enumerate(names) if places[name] != row)
        raise DataError(f"{source}: {len(names) - len(places)} id(s) of nodes stand there twice, such as {twice!r}")
    ends = [_ids(edges[end]) for end in from_to]
    unknown = [name for end in ends for name in end if name not in places]
    if unknown:
        raise DataError(f"{source}: {len(unknown)} end(s) of edges are no id of a node, such as {unknown[0]!r}")
    features = nodes.drop(NAME)
    return GraphSet(
        level="node",
        sizes=(nodes.height,),
        edges=torch.tensor([[places[name] for name in end] for end in ends], dtype=torch.int64).reshape(2, -1),
        values=NodeValues(table=features) if features.width else NodeValues(),
        answers=None if answer is None else features,
        targets=() if answer is None else (answer,) if isinstance(answer, str) else answer,
        source=source,
        keys={NAME: names},
    )


def _ends_of(columns: Sequence[str], source: str) -> tuple[str, str]:
    """Find the two columns with the ends of the edges."""
    for ends in ENDS:
        if set(ends) <= set(columns):
            return ends
    nearest = max(ENDS, key=lambda ends: len(set(ends) & set(columns)))
    name = next(end for end in nearest if end not in columns)
    raise DataError(
        f"{source}: the table of edges needs a column {name!r}; {choices(columns, name)}; its two ends are called "
        + ", or ".join(" and ".join(ends) for ends in ENDS)
    )


def _ids(series: pl.Series) -> list[str]:
    """Convert names to text; a whole number is the same whether it was read as 7 or as 7.0."""
    values = tidy(series)
    if values.dtype.is_float() and bool((values.drop_nulls() == values.drop_nulls().round()).all()):
        values = values.cast(pl.Int64)
    return ["" if value is None else str(value) for value in values.to_list()]
