"""Readers of graphs in memory as torch_geometric stores them, by their attributes alone.

Data with an answer for each node                     level node, with train_mask, val_mask, test_mask if it has them
list, Batch or data set of Data, one answer each      level graph
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch

from evenkeel.errors import DataError, choices
from evenkeel.kinds.graph.edges import EdgeLayout, as_edges, join_edges, layout_of
from evenkeel.kinds.graph.nodes import NodeValues, as_numbers
from evenkeel.kinds.graph.schema import GraphSet
from evenkeel.kinds.graph.split import check_apart
from evenkeel.shapes import Tensor

NAME_ATTRIBUTE = "name"  # the attribute of a graph that identifies it

MASKS = {"train": "train_mask", "validation": "val_mask", "test": "test_mask"}


def is_data(value: Any) -> bool:
    """Whether a value has nodes and edges as torch_geometric's `Data` has."""
    return hasattr(value, "edge_index") and hasattr(value, "num_nodes")


def is_datas(value: Any) -> bool:
    """Whether a value is several `Data`: a list, a `Batch`, or a data set of torch_geometric."""
    if _is_batch(value):
        return True
    if not _is_library_set(value) and (not isinstance(value, Sequence) or isinstance(value, str)):
        return False
    return len(value) > 0 and is_data(value[0])


def _is_batch(value: Any) -> bool:
    return is_data(value) and callable(getattr(value, "to_data_list", None))


def _is_library_set(value: Any) -> bool:
    """Whether a value is a data set of torch_geometric, which is not a `Sequence`."""
    return all(callable(getattr(value, name, None)) for name in ("len", "get", "indices", "__getitem__"))


def datas_of(value: Any) -> list[Any]:
    """List the graphs of a list, of a `Batch`, or of a data set.

    Raises:
        DataError: a `Batch` that does not know its graphs.
    """
    if not _is_batch(value):
        return [value[place] for place in range(len(value))]
    try:
        return list(value.to_data_list())
    except RuntimeError as problem:
        raise DataError(
            "this Batch does not know which nodes belong to which graph; make it with Batch.from_data_list, or give "
            "the list of Data"
        ) from problem


def answers_frame(values: Any, name: str) -> pl.DataFrame:
    """Convert answers (row,) or (row, label) to columns: `name`, or `name_0`, `name_1`, ...

    Example:
        >>> answers_frame([[0, 1], [1, 1]], "y").columns
        ['y_0', 'y_1']
    """
    try:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    except ValueError as problem:  # lists of different lengths
        raise DataError(
            "answers must have the shape (row,) or (row, label), got a different number of them for different rows"
        ) from problem
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise DataError(f"answers must have the shape (row,) or (row, label), got {array.shape}")
    if array.ndim == 1:
        return pl.DataFrame({name: pl.Series(array.tolist(), strict=False)})
    return pl.DataFrame({f"{name}_{i}": pl.Series(column.tolist()) for i, column in enumerate(array.T)})


def read_data(data: Any, answer: str | None, layout: EdgeLayout = "lying") -> GraphSet:
    """Read the one graph of a `Data`; `answer` names the attribute with an answer for each node."""
    resolved = layout_of([_edges_of(data)], layout)
    edges = as_edges(data.edge_index, resolved)
    count = int(data.num_nodes or 0)
    frame = None if answer is None else answers_frame(_answer_of(data, answer), answer)
    if frame is not None and frame.height != count:
        raise DataError(
            f"one Data with {count} nodes has {frame.height} answer(s) in {answer!r}; expected one for each node, or a "
            "list of Data with one each"
        )
    return GraphSet(
        level="node",
        sizes=(count,),
        edges=edges,
        values=_values([data], [count]),
        answers=frame,
        targets=() if frame is None else tuple(frame.columns),
        source=f"a {type(data).__name__} of {count} nodes",
        parts=_masks(data, count),
        notes=_left_out([data]),
        layout=resolved,
    )


def _edges_of(data: Any) -> Any:
    if data.edge_index is None:
        raise DataError(
            "the Data has no edge_index; expected edges of shape (2, edge), and where there are none "
            "torch.empty(2, 0, dtype=torch.int64)"
        )
    return data.edge_index


def _answer_of(data: Any, answer: str) -> Any:
    answers = getattr(data, answer, None)
    if answers is None:
        known = [name for name in ("y", *getattr(data, "keys", list)()) if getattr(data, name, None) is not None]
        raise DataError(f"the Data has nothing in {answer!r} to predict; {choices(known, answer)}")
    return answers


def _masks(data: Any, count: int) -> Mapping[str, np.ndarray] | None:
    """Read the row numbers of the parts that the masks mark."""
    marks = {part: getattr(data, name, None) for part, name in MASKS.items()}
    parts = {part: torch.as_tensor(mask).cpu() for part, mask in marks.items() if mask is not None}
    for part, mask in parts.items():
        if mask.shape != (count,) or mask.dtype != torch.bool:
            raise DataError(
                f"{MASKS[part]} must be one Boolean for each of {count} nodes, got {mask.dtype} of shape "
                f"{tuple(mask.shape)}; of several splits choose one: data.{MASKS[part]} = data.{MASKS[part]}[:, 0]"
            )
    rows = {part: mask.nonzero().flatten().numpy() for part, mask in parts.items()}
    check_apart(rows, MASKS)
    return rows if "train" in rows else None


def _left_out(datas: Sequence[Any]) -> tuple[str, ...]:
    described = any(getattr(data, "edge_attr", None) is not None for data in datas)
    return ("What is known of the edges (edge_attr) is left out; nets here read nodes and who hears whom.",) * described


def _values(datas: Sequence[Any], counts: Sequence[int]) -> NodeValues:
    """Read the features of all nodes, graph after graph."""
    features = [getattr(data, "x", None) for data in datas]
    if all(x is None for x in features):
        return NodeValues()
    pieces = [as_numbers(torch.as_tensor(x)) for x in features if x is not None]
    return NodeValues(numbers=stack_numbers(pieces, counts))


def stack_numbers(pieces: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """Join the numbers of the nodes of several graphs, one after the other.

    Raises:
        DataError: some have none, or a row too many, or graphs have different numbers at a node.
    """
    if len(pieces) != len(counts) or any(len(x) != count for x, count in zip(pieces, counts, strict=True)):
        raise DataError("some graphs have features for every node and others do not; give each node its numbers")
    widths = sorted({piece.shape[1] for piece in pieces})
    if len(widths) > 1:
        raise DataError(f"nodes must have equally many numbers in every graph, got {widths[0]} and {widths[-1]}")
    return pieces[0] if len(pieces) == 1 else torch.cat([piece.to_dense() for piece in pieces])


def read_datas(datas: Sequence[Any], answer: str | None, layout: EdgeLayout = "lying") -> GraphSet:
    """Read graphs with one answer each, or several labels.

    Raises:
        DataError: answers of nodes, or not equally many of each graph, or graphs of different forms.
    """
    counts = [int(data.num_nodes or 0) for data in datas]
    frame = None if answer is None else _answers_of(datas, counts, answer)
    resolved = layout_of([_edges_of(data) for data in datas], layout)
    return GraphSet(
        level="graph",
        sizes=tuple(counts),
        edges=join_edges([as_edges(data.edge_index, resolved) for data in datas], counts),
        values=_values(datas, counts) if all(counts) else NodeValues(),
        answers=frame,
        targets=() if frame is None else tuple(frame.columns),
        source=f"{len(datas)} graphs in memory",
        notes=_left_out(datas),
        layout=resolved,
        keys=_names_of(datas),
    )


def _names_of(datas: Sequence[Any]) -> Mapping[str, Sequence[str]]:
    """Read the `name` of each graph, if all have one."""
    names = [getattr(data, NAME_ATTRIBUTE, None) for data in datas]
    known = [name for name in names if isinstance(name, str)]
    return {NAME_ATTRIBUTE: known} if known and len(known) == len(names) else {}


def _answers_of(datas: Sequence[Any], counts: Sequence[int], answer: str) -> pl.DataFrame:
    """Read a row of answers for each graph; as many answers as nodes in every graph are refused."""
    answers = [np.asarray(torch.as_tensor(_answer_of(data, answer)).cpu()) for data in datas]
    rows = [len(each) if each.ndim else 1 for each in answers]
    if len(datas) > 1 and rows == list(counts) and max(counts) > 1:
        raise DataError(
            f"each of the {len(datas)} graphs has as many answers in {answer!r} as nodes; answers for nodes need one "
            "graph: join them, batch = Batch.from_data_list(graphs), Data(x=batch.x, edge_index=batch.edge_index, "
            f"{answer}=batch.{answer}, train_mask=...); labels of a whole graph have the shape (1, label)"
        )
    rows_of_answers = [each.reshape(-1) for each in answers]
    if len(sizes := sorted({len(row) for row in rows_of_answers})) > 1 or sizes == [0]:
        raise DataError(f"each graph must have equally many answers in {answer!r}, got {sizes[0]} to {sizes[-1]}")
    return answers_frame(np.stack(rows_of_answers), answer)
