"""Graphs that lie in memory: `Data` of torch_geometric (read by its attributes alone), and pairs of arrays.

Data with an answer for each node      level node, with train_mask, val_mask and test_mask where it has them
list of Data, with one answer each     level graph
(graphs, y), or graphs alone           level graph; each is (nodes, edges): nodes (node, channel), or a tag each
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch

from evenkeel.data.edges import as_edges, join_edges
from evenkeel.data.graphs import GraphSet
from evenkeel.data.node_features import NodeValues, as_numbers
from evenkeel.errors import DataError, choices
from evenkeel.shapes import Tensor

MASKS = {"train": "train_mask", "validation": "val_mask", "test": "test_mask"}


def is_data(value: Any) -> bool:
    """Whether it has nodes and edges as torch_geometric's `Data` has."""
    return hasattr(value, "edge_index") and hasattr(value, "num_nodes")


def is_datas(value: Any) -> bool:
    """Whether it is a row of such: a list, or a data set of torch_geometric."""
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0 and is_data(value[0])


def is_pairs(value: Any) -> bool:
    """Whether it is a list of pairs whose second part can be edges."""
    return isinstance(value, list) and len(value) > 0 and all(map(_is_pair, value[:8]))


def _is_pair(value: Any) -> bool:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return False
    if not all(isinstance(part, (np.ndarray, Tensor)) for part in value):
        return False
    nodes, edges = value
    whole = not torch.is_floating_point(edges) if isinstance(edges, Tensor) else edges.dtype.kind in "iu"
    return nodes.ndim in (1, 2) and edges.ndim == 2 and 2 in edges.shape and (whole or 0 in edges.shape)


def answers_frame(values: Any, name: str) -> pl.DataFrame:
    """Answers (row,) or (row, label) as columns: `name`, or `name_0`, `name_1`, ...

    Example:
        >>> answers_frame([[0, 1], [1, 1]], "y").columns
        ['y_0', 'y_1']
    """
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise DataError(f"answers must have the shape (row,) or (row, label), got {array.shape}")
    if array.ndim == 1:
        return pl.DataFrame({name: pl.Series(array.tolist(), strict=False)})
    return pl.DataFrame({f"{name}_{i}": pl.Series(column.tolist()) for i, column in enumerate(array.T)})


def read_data(data: Any, answer: str | None) -> GraphSet:
    """The one graph of a `Data`; `answer` names the attribute with an answer for each node."""
    edges = as_edges(data.edge_index)
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
    )


def _answer_of(data: Any, answer: str) -> Any:
    found = getattr(data, answer, None)
    if found is None:
        known = [name for name in ("y", *getattr(data, "keys", list)()) if getattr(data, name, None) is not None]
        raise DataError(f"the Data has nothing in {answer!r} to predict; {choices(known, answer)}")
    return found


def _masks(data: Any, count: int) -> Mapping[str, np.ndarray] | None:
    """Row numbers of the parts that it marks."""
    found = {part: getattr(data, name, None) for part, name in MASKS.items()}
    parts = {part: torch.as_tensor(mask).cpu() for part, mask in found.items() if mask is not None}
    for part, mask in parts.items():
        if mask.shape != (count,) or mask.dtype != torch.bool:
            raise DataError(
                f"{MASKS[part]} must be one Boolean for each of {count} nodes, got {mask.dtype} of shape "
                f"{tuple(mask.shape)}; of several splits choose one: data.{MASKS[part]} = data.{MASKS[part]}[:, 0]"
            )
    return {part: mask.nonzero().flatten().numpy() for part, mask in parts.items()} if "train" in parts else None


def _left_out(datas: Sequence[Any]) -> tuple[str, ...]:
    given = any(getattr(data, "edge_attr", None) is not None for data in datas)
    return ("What is known of the edges (edge_attr) is left out; nets here read nodes and who hears whom.",) * given


def _values(datas: Sequence[Any], counts: Sequence[int]) -> NodeValues:
    """The features of all nodes side by side."""
    given = [getattr(data, "x", None) for data in datas]
    if all(x is None for x in given):
        return NodeValues()
    pieces = [as_numbers(torch.as_tensor(x)) for x in given if x is not None]
    return NodeValues(numbers=stack_numbers(pieces, counts))


def stack_numbers(pieces: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """Numbers of the nodes of several graphs, one after the other.

    Raises:
        DataError: some have none, or a row too many, or graphs have different numbers at a node.
    """
    if len(pieces) != len(counts) or any(len(x) != count for x, count in zip(pieces, counts, strict=True)):
        raise DataError("some graphs have features for every node and others do not; give each node its numbers")
    widths = sorted({piece.shape[1] for piece in pieces})
    if len(widths) > 1:
        raise DataError(f"nodes must have equally many numbers in every graph, got {widths[0]} and {widths[-1]}")
    return pieces[0] if len(pieces) == 1 else torch.cat([piece.to_dense() for piece in pieces])


def read_datas(datas: Sequence[Any], answer: str | None) -> GraphSet:
    """Graphs with one answer each, or several labels."""
    counts = [int(data.num_nodes or 0) for data in datas]
    frame = None
    if answer is not None:
        found = [np.asarray(torch.as_tensor(_answer_of(data, answer)).cpu()).reshape(-1) for data in datas]
        if len(sizes := sorted({len(row) for row in found})) > 1 or sizes == [0]:
            raise DataError(f"each graph must have equally many answers in {answer!r}, got {sizes[0]} to {sizes[-1]}")
        frame = answers_frame(np.stack(found), answer)
    return GraphSet(
        level="graph",
        sizes=tuple(counts),
        edges=join_edges([as_edges(data.edge_index) for data in datas], counts),
        values=_values(datas, counts) if all(counts) else NodeValues(),
        answers=frame,
        targets=() if frame is None else tuple(frame.columns),
        source=f"{len(datas)} graphs in memory",
        notes=_left_out(datas),
    )


def read_pairs(graphs: Sequence[Any], y: Any, answer: str | None) -> GraphSet:
    """Graphs as (nodes, edges), with their answers beside them or none."""
    for number, graph in enumerate(graphs):
        if not _is_pair(graph):
            raise DataError(f"graph {number} must be a pair (nodes, edges) of arrays, got {type(graph).__name__}")
    nodes = [torch.as_tensor(graph[0]).detach().cpu() for graph in graphs]
    counts = [len(each) for each in nodes]
    frame = None if answer is None or y is None else answers_frame(y, answer)
    if frame is not None and frame.height != len(graphs):
        raise DataError(f"there are {len(graphs)} graphs and {frame.height} answers; they must be equally many")
    return GraphSet(
        level="graph",
        sizes=tuple(counts),
        edges=join_edges([as_edges(graph[1]) for graph in graphs], counts),
        values=_of_pairs(nodes, counts) if all(counts) else NodeValues(),
        answers=frame,
        targets=() if frame is None else tuple(frame.columns),
        source=f"{len(graphs)} graphs in memory",
    )


def _of_pairs(nodes: Sequence[Tensor], counts: Sequence[int]) -> NodeValues:
    """Whole numbers (node,) are tags."""
    if any(each.dim() == 1 for each in nodes):
        if not all(each.dim() == 1 and not each.is_floating_point() for each in nodes):
            raise DataError("nodes must be whole numbers (node,), a tag each, in every graph, or (node, channel)")
        return NodeValues(tags=np.concatenate([each.numpy() for each in nodes]).astype(str))
    return NodeValues(numbers=stack_numbers([as_numbers(each) for each in nodes], counts))
