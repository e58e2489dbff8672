"""log Σ_{j≠i} exp(z_i·z_j) for every row of one set of embeddings, without the matrix, using that it is symmetric.

Only tiles on and above the diagonal are computed; each serves its rows and, transposed, its columns: 4·M²·D operations
with the gradient, against 6 for the full matrix.

    dz = W z,   W_ij = exp(S_ij) (g_i exp(-lse_i) + g_j exp(-lse_j)),  W_ii = 0
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from evenkeel.losses._precision import exact_products
from evenkeel.losses._tiles import lowest, merge, tiles


def self_lse(embedding: Tensor) -> Tensor:
    """One value per row of `embedding` (view, unit), -inf for a single one; its gradient cannot be differentiated."""
    return _SelfLse.apply(embedding)  # type: ignore[no-any-return]


def _block(embedding: Tensor, first: int, last: int) -> Tensor:
    """Similarities of some rows with themselves and all later ones, those with oneself at -inf."""
    block = embedding[first:last] @ embedding[first:].T
    block.diagonal().fill_(-torch.inf)
    return block


class _SelfLse(torch.autograd.Function):
    @staticmethod
    def forward(embedding: Tensor) -> Tensor:
        count = len(embedding)
        peak, total = embedding.new_full((count,), lowest(embedding)), embedding.new_zeros(count)
        with exact_products(embedding):
            for first, last in tiles(count, count, embedding.device):
                block = _block(embedding, first, last)
                peak[first:last], total[first:last] = merge(peak[first:last], total[first:last], block, 1)
                if last < count:
                    peak[last:], total[last:] = merge(peak[last:], total[last:], block[:, last - first :], 0)
        return peak + torch.log(total)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        embedding, found = ctx.saved_tensors
        level = torch.where(found.isinf(), 0.0, found)
        to_embedding = torch.zeros_like(embedding)
        count = len(embedding)
        with exact_products(embedding):
            for first, last in tiles(count, count, embedding.device):
                block = _block(embedding, first, last)
                across = (block - level[first:last].unsqueeze(1)).exp_().mul_(gradient[first:last].unsqueeze(1))
                block.sub_(level[first:]).exp_().mul_(gradient[first:]).add_(across)
                to_embedding[first:last].addmm_(block, embedding[first:])
                to_embedding[last:].addmm_(block[:, last - first :].T, embedding[first:last])
        return to_embedding
