"""Encoding of nodes as numbers for a net: measurements scaled, tags and columns of words one-hot.

    numbers   (node, channel)   columns of 0 and 1 as they are, others by `data.scale`; missing ones 0
              mostly zeros      zeros stay zeros: all others divided by their rms
    tags      one word a node   one column for each that the training nodes know, none for others
    table     a row a node      numbers (0 where missing), flags of missing ones, levels one-hot
    nothing                     the logarithm of the number of neighbours instead

Everything is learned from the nodes of the training part.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import torch
from torch.nn import functional

from evenkeel.data.scale import ColumnScale, apply_scale, fit_scale
from evenkeel.data.schema import Frozen, Schema, encode, fit_schema
from evenkeel.errors import DataError
from evenkeel.shapes import Float, Int, Shaped, Tensor

# A matrix this large of which less than this share is not zero is stored as its places and values.
SPARSE_FROM, SPARSE_SHARE = 2**18, 0.1

NodeForm = Literal["dense", "sparse", "degree", "none"]


@dataclass(frozen=True, kw_only=True)
class NodeValues:
    """Features of nodes as read: numbers (node, channel), dense or sparse (COO); a tag each; a table, a row each."""

    numbers: Tensor | None = None
    tags: np.ndarray | None = None
    table: pl.DataFrame | None = None


class NodeFeatures(Frozen):
    """Encoding learned of the training nodes.

    A node has `given` numbers, with their `scales` (None: unscaled), or with one `size` where most are zeros; `tags` in
    the order of their columns; `table` is the schema of a table of nodes.
    """

    form: NodeForm
    given: int = 0
    scales: tuple[ColumnScale | None, ...] = ()
    size: float = 1.0
    tags: tuple[str, ...] = ()
    table: Schema | None = None

    @property
    def channels(self) -> int:
        """Count of the numbers of each node that a net reads."""
        columns = 0 if self.table is None else 2 * len(self.table.numbers) + sum(self.table.levels)
        return (1 if self.form == "degree" else self.given) + len(self.tags) + columns


def as_numbers(values: Shaped[Tensor, "..."]) -> Tensor:
    """Convert a matrix to float32, sparse (COO) where it is large and mostly zeros.

    Raises:
        DataError: it is not a matrix.
    """
    if values.dim() != 2 or values.shape[1] == 0:
        raise DataError(f"node features must have the shape (node, channel), got {tuple(values.shape)}; try x[:, None]")
    if values.layout != torch.strided:
        return values.to_sparse_coo().coalesce().float()
    values = values.detach().cpu().float()
    large = values.numel() >= SPARSE_FROM
    return values.to_sparse_coo() if large and float((values != 0).float().mean()) < SPARSE_SHARE else values


def fit_nodes(values: NodeValues, rows: Int[Tensor, "row"]) -> NodeFeatures:
    """Learn scales, tags and levels from the nodes in `rows`.

    Example:
        >>> values = NodeValues(tags=np.array(["C", "N", "C", "O"]))
        >>> learned = fit_nodes(values, torch.tensor([0, 1, 2]))
        >>> learned.tags, encode_nodes(learned, values).tolist()
        (('C', 'N'), [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    """
    if values.table is not None:
        return NodeFeatures(form="none", table=fit_schema(values.table, rows.numpy()))
    tags: tuple[str, ...] = ()
    if values.tags is not None:
        counted = Counter(values.tags[rows.numpy()].tolist())
        tags = tuple(sorted(counted, key=lambda tag: (-counted[tag], tag)))
    if values.numbers is None:
        return NodeFeatures(form="none" if tags else "degree", tags=tags)
    if values.numbers.is_sparse:
        stored = values.numbers.index_select(0, rows).coalesce().values()
        size = float(stored.double().square().mean().sqrt()) if len(stored) else 1.0
        sound = np.isfinite(size) and size > 0
        return NodeFeatures(form="sparse", given=values.numbers.shape[1], size=size if sound else 1.0, tags=tags)
    scales = tuple(_scale(column) for column in values.numbers[rows].double().numpy().T)
    return NodeFeatures(form="dense", given=values.numbers.shape[1], scales=scales, tags=tags)


def _scale(column: np.ndarray) -> ColumnScale | None:
    """Learn the scale of a column; None for one of 0 and 1."""
    present = column[np.isfinite(column)]
    return None if np.isin(present, (0.0, 1.0)).all() else fit_scale(present)


def encode_nodes(
    learned: NodeFeatures, values: NodeValues, degree: Int[Tensor, "node"] | None = None
) -> Float[Tensor, "node channel"]:
    """Encode nodes as float32 (node, channel), sparse (COO) if those of training were.

    Raises:
        DataError: numbers of another width, or other kinds of features than in training.
    """
    if learned.form == "degree":
        _require_none(values)
        if degree is None:
            raise TypeError("nodes without features are told apart by their neighbours; pass degree")
        return (1 + degree.float()).log2().unsqueeze(1)
    if learned.table is not None:
        if values.table is None:
            raise DataError("training had a table of the nodes; expected one with the same columns")
        return _of_table(learned.table, values.table)
    pieces = [_of_numbers(learned, values)] if learned.form != "none" else []
    if learned.tags:
        if values.tags is None:
            raise DataError(f"training had a tag at each node, such as {learned.tags[0]!r}; here there are none")
        pieces.append(_of_tags(learned.tags, values.tags))
    return pieces[0] if len(pieces) == 1 else torch.cat([piece.to_dense() for piece in pieces], dim=1)


def _require_none(values: NodeValues) -> None:
    if values.numbers is not None or values.tags is not None:
        raise DataError("training had nodes without features, here they have some; leave them out, or train anew")


def _of_numbers(learned: NodeFeatures, values: NodeValues) -> Tensor:
    numbers = values.numbers
    if numbers is None or numbers.shape[1] != learned.given:
        came = "none" if numbers is None else str(numbers.shape[1])
        raise DataError(f"training had {learned.given} numbers at each node, here there are {came}")
    if learned.form == "sparse":
        sparse = numbers if numbers.is_sparse else numbers.to_sparse_coo()
        sparse = sparse.coalesce()
        scaled = (sparse.values() / learned.size).nan_to_num(0.0, 0.0, 0.0)
        return torch.sparse_coo_tensor(
            sparse.indices(), scaled, sparse.shape, is_coalesced=True, check_invariants=False
        )
    dense = numbers.to_dense().clone()
    for channel, scale in enumerate(learned.scales):
        if scale is not None:
            dense[:, channel] = torch.from_numpy(apply_scale(dense[:, channel].double().numpy(), scale))
    return dense.nan_to_num(0.0, 0.0, 0.0)


def _of_tags(known: tuple[str, ...], tags: np.ndarray) -> Float[Tensor, "node tag"]:
    """Encode tags one-hot, with zeros alone for a tag that does not occur in training."""
    codes = _codes(known, tags)
    if len(codes) and (codes < 0).all():
        raise DataError(
            f"none of the tags, such as {str(tags[0])!r}, was seen in training; there were {list(known[:12])}"
        )
    return functional.one_hot(codes + 1, len(known) + 1)[:, 1:].float()


def _codes(known: tuple[str, ...], tags: np.ndarray) -> Int[Tensor, "node"]:
    places = {tag: code for code, tag in enumerate(known)}
    return torch.tensor([places.get(tag, -1) for tag in tags.tolist()], dtype=torch.int64)


def _of_table(schema: Schema, table: pl.DataFrame) -> Float[Tensor, "node channel"]:
    inputs = encode(schema, table)
    missing = inputs.numbers.isnan()
    levels = [
        functional.one_hot(column.long(), count).float()
        for column, count in zip(inputs.categories.unbind(1), schema.levels, strict=True)
    ]
    return torch.cat([inputs.numbers.masked_fill(missing, 0.0), missing.float(), *levels], dim=1)


def doubts(learned: NodeFeatures, values: NodeValues) -> tuple[str, ...]:
    """Return sentences that count missing numbers and tags that do not occur in training."""
    notes = []
    if values.numbers is not None:
        known = values.numbers.coalesce().values() if values.numbers.is_sparse else values.numbers
        if missing := int((~known.isfinite()).sum()):
            notes.append(f"{missing} number(s) at nodes are missing or infinite; after scaling they count as 0.")
    if values.tags is not None and (unknown := int((_codes(learned.tags, values.tags) < 0).sum())):
        notes.append(f"{unknown} node(s) have a tag that no training graph has; they are told by their edges alone.")
    if learned.form == "degree":
        notes.append("Nodes come without features; the number of their neighbours stands in.")
    return tuple(notes)
