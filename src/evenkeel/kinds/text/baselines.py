"""Plain models beside the network: bags of words for texts, the cosine of tf-idf for pairs, counts for streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Field
from evenkeel.heads import HeadPart
from evenkeel.kinds.base import Baseline
from evenkeel.kinds.baselines import baseline, linear_model
from evenkeel.kinds.text.pieces import Pieces
from evenkeel.kinds.text.schema import OF_OTHER, TextSchema
from evenkeel.shapes import Int, Tensor

MOST_PAIRS = 4_000_000  # of neighbouring tokens that are counted; beyond it only single ones are
ADDED = 0.1  # to each count of neighbours, so that none is impossible; spread like the single tokens


def bag_matrix(data: Dataset[TextSchema], rows: Tensor) -> Any:
    """Presence of each piece, rows of length one (row, piece), sparse; of pairs the cosine of both, (row, kind)."""
    from scipy.sparse import csr_matrix

    schema = data.schema
    if len(schema.text) > 1:
        return _cosines(data, rows)
    numbers, counts = _pieces(data, rows, "")
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((values, numbers, starts), shape=(len(rows), _size(schema)))


def _size(schema: TextSchema) -> int:
    return schema.tokens.size if schema.bag is None else schema.bag.size


def _pieces(data: Dataset[TextSchema], rows: Tensor, before: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the pieces of each row, once each, and their number by row; tokens where the order was kept."""
    if data.schema.bag is not None:
        pieces = data.inputs[f"{before}pieces"].index_select(0, rows)
        return pieces.numpy(), data.inputs[f"{before}counts"].index_select(0, rows).numpy()
    tokens = data.inputs[f"{before}tokens"].index_select(0, rows).long()
    lengths = data.inputs[f"{before}lengths"].index_select(0, rows)
    real = torch.arange(tokens.shape[1]) < lengths.unsqueeze(1)
    size = _size(data.schema)
    distinct = np.unique((torch.arange(len(rows)).unsqueeze(1) * size + tokens)[real].numpy())
    return distinct % size, np.bincount(distinct // size, minlength=len(rows))


def _cosines(data: Dataset[TextSchema], rows: Tensor) -> np.ndarray:
    """Cosines of tf-idf of each kind of pieces, rarity being that of the training rows; and their squares."""
    schema, train = data.schema, torch.from_numpy(data.split.train)
    if schema.bag is None:
        return np.zeros((len(rows), 1))
    pieces = Pieces(schema.bag, 1, 0.0)
    sides = [(data.inputs[f"{b}pieces"], data.inputs[f"{b}counts"]) for b in ("", OF_OTHER)]
    pieces.start(torch.cat([numbers.index_select(0, train) for numbers, _ in sides]), 2 * len(train))
    with torch.no_grad():
        left, right = (pieces.weigh(*(field.index_select(0, rows) for field in side)) for side in sides)
        cosines = pieces.cosines(left, right, len(rows)).double().numpy()
    return np.concatenate([cosines, cosines**2], axis=1)


def _bayes(part: HeadPart, data: Dataset[TextSchema], seed: int) -> Any:
    """Naive Bayes, for classes of single texts."""
    return None if part.plain is None or len(data.schema.text) > 1 else part.plain.naive_bayes()


def counts_matrix(data: Dataset[TextSchema], rows: Tensor) -> Any:
    """Presence of each piece as 0 or 1."""
    matrix = bag_matrix(data, rows)
    matrix.data[:] = 1
    return matrix


def token_counts(
    part: HeadPart, data: Dataset[TextSchema], known: Tensor, rows: Tensor, seed: int
) -> np.ndarray | None:
    """Log-probability of each next token by how often it comes (row, step)."""
    if data.target_schema.kind != "tokens":
        return None
    single = _singles(data, known)
    return single.log()[data.target.index_select(0, rows).long()].numpy()


def neighbour_counts(
    part: HeadPart, data: Dataset[TextSchema], known: Tensor, rows: Tensor, seed: int
) -> np.ndarray | None:
    """Log-probability of each next token by how often it follows the token before; None for large vocabularies."""
    size = data.schema.tokens.size
    if data.target_schema.kind != "tokens" or size * size > MOST_PAIRS:
        return None
    before, after = _neighbours(data.inputs["tokens"], data.target, known)
    pairs = torch.bincount(before * size + after, minlength=size * size).view(size, size).double()
    smooth = pairs + ADDED * size * _singles(data, known)
    table = (smooth / smooth.sum(1, keepdim=True)).log()
    return table[data.inputs["tokens"].index_select(0, rows).long(), data.target.index_select(0, rows).long()].numpy()


def _singles(data: Dataset[TextSchema], known: Tensor) -> Tensor:
    """Share of each token; a token that never comes counts as half a one."""
    counts = torch.bincount(data.target.index_select(0, known).flatten().long(), minlength=data.schema.tokens.size)
    share = counts.double().clamp(min=0.5)
    return share / share.sum()


def _neighbours(tokens: Field, target: Field, rows: Tensor) -> tuple[Int[Tensor, "place"], Int[Tensor, "place"]]:
    return tokens.index_select(0, rows).flatten().long(), target.index_select(0, rows).flatten().long()


BASELINES: dict[str, Baseline[TextSchema]] = {
    "naive Bayes": baseline(_bayes, counts_matrix),
    "linear": baseline(linear_model, bag_matrix),
    "token counts": token_counts,
    "neighbour counts": neighbour_counts,
}
