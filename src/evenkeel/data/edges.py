"""Edges as they are read to edges that a net hears along: each once, both ways, none from a node to itself.

auto       an edge that is given one way goes both ways       directed   each way as it is given
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from evenkeel.errors import DataError
from evenkeel.shapes import Int, Tensor

Ways = Literal["auto", "directed"]


@dataclass(frozen=True, kw_only=True)
class Clean:
    """Edges (2, edge) in the order of their first nodes, and sentences about what was changed."""

    edges: Int[Tensor, "2 edge"]
    notes: tuple[str, ...]


def as_edges(values: Any) -> Int[Tensor, "2 edge"]:
    """Whole numbers (2, edge), or (edge, 2), as int64 (2, edge); what is 2 x 2 is read the first way.

    Raises:
        DataError: another shape or type.

    Example:
        >>> as_edges([[0, 1], [1, 2], [2, 0]]).tolist()
        [[0, 1, 2], [1, 2, 0]]
    """
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.size == 0:
        return torch.empty(2, 0, dtype=torch.int64)
    if array.ndim != 2 or 2 not in array.shape or array.dtype.kind not in "iu":
        raise DataError(
            f"edges must be whole numbers of shape (2, edge), from the nodes above to those below; got {array.dtype} "
            f"of shape {array.shape}"
        )
    found = torch.from_numpy(array.astype(np.int64))
    return found if len(found) == 2 else found.T.contiguous()


def check_edges(edges: Int[Tensor, "2 edge"], nodes: int, where: str) -> None:
    """Refuse an edge to a node that is not there; `where` begins the message.

    Raises:
        DataError: there is one.
    """
    wrong = ((edges < 0) | (edges >= nodes)).any(0)
    if wrong.any():
        first = edges[:, wrong.nonzero()[0, 0]].tolist()
        raise DataError(
            f"{where}: {int(wrong.sum())} edge(s) lead to a node that is not there, such as {first[0]} to {first[1]}; "
            f"there are the nodes 0 to {nodes - 1}"
        )


def join_edges(pieces: Sequence[Tensor], sizes: Sequence[int]) -> Int[Tensor, "2 edge"]:
    """Edges, (2, edge) each, of graphs of those sizes, numbered through the nodes of all, one after the other.

    Raises:
        DataError: an edge to a node that is not there.

    Example:
        >>> join_edges([torch.tensor([[0], [1]]), torch.tensor([[1], [0]])], [2, 3]).tolist()
        [[0, 3], [1, 2]]
    """
    starts = torch.tensor([0, *sizes]).cumsum(0).tolist()
    for number, (edges, size) in enumerate(zip(pieces, sizes, strict=True)):
        check_edges(edges, size, f"graph {number}")
    shifted = [edges + start for edges, start in zip(pieces, starts, strict=False)]
    return torch.cat(shifted, dim=1) if shifted else torch.empty(2, 0, dtype=torch.int64)


def clean_edges(edges: Int[Tensor, "2 edge"], nodes: int, ways: Ways) -> Clean:
    """Without edges to oneself and without doubles; with `auto` both ways.

    Example:
        >>> found = clean_edges(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 2]]), 3, "auto")
        >>> found.edges.tolist()
        [[0, 1, 1, 2], [1, 0, 2, 1]]
        >>> found.notes[0]
        '1 edge leads from a node to itself and is left out.'
    """
    notes = []
    proper = edges[:, edges[0] != edges[1]]
    loops = edges.shape[1] - proper.shape[1]
    if loops:
        notes.append(f"{_edges(loops)} from a node to itself and {'is' if loops == 1 else 'are'} left out.")
    keys = torch.unique(proper[0] * nodes + proper[1])
    if (twice := proper.shape[1] - len(keys)) > 0:
        notes.append(f"{twice} edge(s) stand there more than once; each counts once.")
    if ways == "auto":
        source, target = keys // max(nodes, 1), keys % max(nodes, 1)
        both = torch.unique(torch.cat((keys, target * nodes + source)))
        if (added := len(both) - len(keys)) > 0:
            notes.append(f"{added} edge(s) given one way go both ways (edges='directed' keeps them as they are).")
        keys = both
    return Clean(edges=torch.stack((keys // max(nodes, 1), keys % max(nodes, 1))), notes=tuple(notes))


def _edges(count: int) -> str:
    return "1 edge leads" if count == 1 else f"{count} edges lead"
