"""Cosine similarities block by block, straight from embeddings of any length, and the way back to them.

    u = x / |x|;  E_ij = exp(s u_i·v_j),  s = 1 / temperature

Nothing of size N x N exists at once, and nothing of size N x D beside the embeddings and their gradients: rows are
brought to unit length as they are needed. Since |u·v| <= 1, E needs no shift by a maximum: it fits into float32 down to
a temperature of 0.03, and into float64, which is used for the exponentials below that, down to 0.003.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from evenkeel.errors import RequestError
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import widen

CPU_BLOCK = 384
"""Rows and columns of a block on the CPU: 576 KiB of float32, which stays in the cache between the passes over it."""

GPU_BLOCK = 4096
"""Rows and columns of a block on a GPU: 64 MiB of float32, enough to keep it busy."""

SINGLE = 0.03
"""Lowest temperature for exponentials in float32: a sum of a million of them over one is at most e^(2/0.03 + 14)."""

LEAST = 0.003
"""Lowest temperature at all: the same bound in float64."""


class SimilarityScale(NamedTuple):
    """One over the temperature, as a number that may carry a gradient, and the dtype of the exponentials."""

    value: Tensor
    dtype: torch.dtype


class EmbeddingRows(NamedTuple):
    """Embeddings (row, unit) as they came, and one over the length of each (row,), 0 for a row of zeros."""

    rows: Tensor
    inverse: Tensor

    def unit(self, span: slice) -> Tensor:
        """Some rows at unit length, in float32 or float64."""
        return widen(self.rows[span]) * self.inverse[span].unsqueeze(1)


def scale_of(temperature: PlainNumber | Tensor, embedding: Tensor) -> SimilarityScale:
    """The scale of similarities; a temperature that is a tensor may be learned, so it may become low."""
    wide = torch.promote_types(embedding.dtype, torch.float32)
    if isinstance(temperature, Tensor):
        return SimilarityScale(1 / temperature.to(wide).clamp(min=LEAST), torch.float64)
    if temperature < LEAST:
        raise RequestError(f"temperature must be at least {LEAST}, got {temperature:g}; try temperature=0.07")
    return SimilarityScale(
        embedding.new_full((), 1 / temperature, dtype=wide), wide if temperature >= SINGLE else torch.float64
    )


def side(rows: Tensor) -> EmbeddingRows:
    """Embeddings with their inverse lengths."""
    inverse = rows.new_empty(len(rows), dtype=torch.promote_types(rows.dtype, torch.float32))
    for span in spans(rows):
        block = widen(rows[span])
        # The largest entry is taken out first: squares of 1e30 or 1e-30 do not fit into float32.
        size = block.abs().amax(1)
        safe = torch.where(size > 0, size, 1.0)
        length = torch.linalg.vector_norm(block / safe.unsqueeze(1), dim=1)
        inverse[span] = torch.where(size > 0, 1 / length / safe, 0.0)
    return EmbeddingRows(rows, inverse)


def spans(rows: Tensor, *, first: int = 0, size: int | None = None) -> Iterator[slice]:
    """The row ranges of the blocks, from row `first` on."""
    size = size or (CPU_BLOCK if rows.device.type == "cpu" else GPU_BLOCK)
    for start in range(first, len(rows), size):
        yield slice(start, min(start + size, len(rows)))


def exponentials(left: Tensor, right: Tensor, scale: SimilarityScale) -> Tensor:
    """E of two blocks at unit length, (row, key)."""
    return ((left * scale.value) @ right.T).to(scale.dtype).exp_()


def band(block: Tensor, rows: slice, keys: slice, shift: int) -> Tensor:
    """The entries of a block in columns `row + shift` of the whole matrix, as a view; empty where it meets none."""
    offset = rows.start + shift - keys.start
    return block.diagonal(offset) if -block.shape[0] < offset < block.shape[1] else block[:0, 0]


def keep_band_(target: Tensor, block: Tensor, rows: slice, keys: slice, shift: int) -> None:
    """Copy that band to the rows of `target` that it belongs to."""
    values = band(block, rows, keys, shift)
    first = rows.start + max(0, keys.start - rows.start - shift)
    target[first : first + len(values)] = values


def pull_(
    to_query: Tensor, to_key: Tensor, query: EmbeddingRows, key: EmbeddingRows, weight: Tensor, positive: int
) -> None:
    """Subtract what row i and key i + positive do to each other: the row's weight times the other's unit vector."""
    for rows in spans(to_query):
        partners = slice(rows.start + positive, rows.stop + positive)
        each = weight[rows].unsqueeze(1)
        to_query[rows].addcmul_(each, key.unit(partners), value=-1)
        to_key[partners].addcmul_(each, query.unit(rows), value=-1)


def to_embeddings_(gradient: Tensor, embeddings: EmbeddingRows, scale: SimilarityScale) -> Tensor:
    """Turn Σ_j dS_ij v_j of every row into the gradient of its embedding, in place; returns the gradient of the scale.

    dx = (s / |x|) (g - u (u·g)): only what is across the embedding moves its direction.
    """
    to_scale = gradient.new_zeros(())
    for span in spans(gradient):
        unit, part = embeddings.unit(span), gradient[span]
        along = (unit * part).sum(1, keepdim=True)
        to_scale = to_scale + along.sum()
        part.addcmul_(unit, along, value=-1).mul_((scale.value * embeddings.inverse[span]).unsqueeze(1))
    return to_scale
