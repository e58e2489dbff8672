"""Cleaning of edges for message passing: each edge once, both ways, none from a node to itself.

auto       an edge that is listed one way goes both ways      directed   each way as it is listed

Edges have the layout "lying", (2, edge), or "standing", (edge, 2): the words are saved with runs. Several graphs have
one layout, which those that are not 2 x 2 decide.
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
EdgeLayout = Literal["lying", "standing"]
"""`lying` is (2, edge), `standing` is (edge, 2)."""


@dataclass(frozen=True, kw_only=True)
class CleanEdges:
    """Edges (2, edge) in the order of their first nodes, and sentences about the changes."""

    edges: Int[Tensor, "2 edge"]
    notes: tuple[str, ...]


def as_edges(values: Any, layout: EdgeLayout = "lying") -> Int[Tensor, "2 edge"]:
    """Convert whole numbers (2, edge) or (edge, 2) to int64 (2, edge); 2 x 2 is read by `layout`.

    Raises:
        DataError: another shape or type.

    Example:
        >>> as_edges([[0, 1], [1, 2], [2, 0]]).tolist()
        [[0, 1, 2], [1, 2, 0]]
    """
    numbers = _whole(values)
    wide = len(numbers) == 2 and (layout == "lying" or numbers.shape != (2, 2))
    return torch.from_numpy(numbers if wide else np.ascontiguousarray(numbers.T))


def layout_of(pieces: Sequence[Any], usual: EdgeLayout = "lying") -> EdgeLayout:
    """Detect the layout of the edges of several graphs; `usual` where every graph fits both.

    Raises:
        DataError: both layouts occur and a third graph fits both; or values that are not edges.

    Example:
        >>> layout_of([[[0, 1], [1, 2]], [[0, 1], [1, 2], [2, 0]]])
        'standing'
    """
    shapes = [_whole(piece).shape for piece in pieces]
    wide = [number for number, shape in enumerate(shapes) if shape[0] == 2 and shape[1] not in (0, 2)]
    tall = [number for number, shape in enumerate(shapes) if shape[0] != 2]
    if wide and tall and (2, 2) in shapes:
        raise DataError(
            f"edges must be of the shape (2, edge) in every graph, or (edge, 2) in every graph; graph {wide[0]} has "
            f"{shapes[wide[0]]} and graph {tall[0]} {shapes[tall[0]]}, and graph {shapes.index((2, 2))} could "
            "be either"
        )
    return "standing" if tall and not wide else "lying" if wide else usual


def _whole(values: Any) -> np.ndarray:
    """Convert edges to int64 in their own layout, floats if they are whole numbers, none at all to (2, 0)."""
    try:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    except ValueError as problem:
        raise DataError(
            "edges must be whole numbers of shape (2, edge), from the nodes above to those below; got lists of "
            "different lengths"
        ) from problem
    if array.size == 0:
        return np.empty((2, 0), np.int64)
    broken = array[~(np.isfinite(array) & (array == np.round(array)))] if array.dtype.kind == "f" else array[:0]
    if array.ndim != 2 or 2 not in array.shape or array.dtype.kind not in "iuf" or broken.size:
        raise DataError(
            f"edges must be whole numbers of shape (2, edge), from the nodes above to those below; got {array.dtype} "
            f"of shape {array.shape}" + (f" with {broken.flat[0]:g} in it" if broken.size else "")
        )
    return array.astype(np.int64)


def check_edges(edges: Int[Tensor, "2 edge"], nodes: int, where: str) -> None:
    """Refuse an edge to a node that does not exist; `where` begins the message.

    Raises:
        DataError: there is such an edge.
    """
    wrong = ((edges < 0) | (edges >= nodes)).any(0)
    if wrong.any():
        first = edges[:, wrong.nonzero()[0, 0]].tolist()
        raise DataError(
            f"{where}: {int(wrong.sum())} edge(s) lead to a node that is not there, such as {first[0]} to {first[1]}; "
            f"there are the nodes 0 to {nodes - 1}"
        )


def join_edges(pieces: Sequence[Tensor], sizes: Sequence[int]) -> Int[Tensor, "2 edge"]:
    """Join the edges (2, edge) of graphs of these sizes, renumbered for the nodes of all, one after the other.

    Raises:
        DataError: an edge to a node that does not exist.

    Example:
        >>> join_edges([torch.tensor([[0], [1]]), torch.tensor([[1], [0]])], [2, 3]).tolist()
        [[0, 3], [1, 2]]
    """
    starts = torch.tensor([0, *sizes]).cumsum(0).tolist()
    for number, (edges, size) in enumerate(zip(pieces, sizes, strict=True)):
        check_edges(edges, size, f"graph {number}")
    shifted = [edges + start for edges, start in zip(pieces, starts, strict=False)]
    return torch.cat(shifted, dim=1) if shifted else torch.empty(2, 0, dtype=torch.int64)


def clean_edges(edges: Int[Tensor, "2 edge"], nodes: int, ways: Ways) -> CleanEdges:
    """Remove loops and duplicates; with `auto` add the opposite of each edge.

    Example:
        >>> cleaned = clean_edges(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 2]]), 3, "auto")
        >>> cleaned.edges.tolist()
        [[0, 1, 1, 2], [1, 0, 2, 1]]
        >>> cleaned.notes[0]
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
    return CleanEdges(edges=torch.stack((keys // max(nodes, 1), keys % max(nodes, 1))), notes=tuple(notes))


def _edges(count: int) -> str:
    return "1 edge leads" if count == 1 else f"{count} edges lead"
