"""The contrastive loss of 2n views among themselves, view i with i + n, without the matrix, using its symmetry.

Only tiles on and above the diagonal are computed; each serves its rows and, transposed, its columns: 4·M²·D operations
with the gradient, M = 2n, against 6 for the full matrix.

    v_i = lse_i - S_ip,  lse_i = log Σ_{j≠i} exp(S_ij),  S_ij = z_i·z_j,  p the partner of i
    dz = W z,  W_ij = exp(S_ij - lse_i) g_i + exp(S_ij - lse_j) g_j - [j = p] (g_i + g_p),  W_ii = 0
"""

from typing import Any

import torch
from torch import Tensor

from evenkeel.losses._first_order import first_order
from evenkeel.losses._precision import exact_products
from evenkeel.losses._tiles import lowest, merge, tiles


def self_nce(views: Tensor) -> Tensor:
    """One value per row of `views` (2n, unit); the gradient cannot be differentiated again."""
    return _SelfNce.apply(views)[0]  # type: ignore[index]


def _block(views: Tensor, first: int, last: int) -> Tensor:
    """Similarities of some rows with themselves and all later ones, those with oneself at -inf."""
    block = views[first:last] @ views[first:].T
    block.diagonal().fill_(-torch.inf)
    return block


class _SelfNce(torch.autograd.Function):
    @staticmethod
    def forward(views: Tensor) -> tuple[Tensor, Tensor]:
        count, half = len(views), len(views) // 2
        peak, total = views.new_full((count,), lowest(views)), views.new_zeros(count)
        partner = views.new_empty(half)
        with exact_products(views):
            for first, last in tiles(count, count, views.device):
                block = _block(views, first, last)
                if first < half:  # column i + half of the matrix; the block begins at column `first`
                    partner[first:last] = block.diagonal(half)[: half - first]
                peak[first:last], total[first:last] = merge(peak[first:last], total[first:last], block, 1)
                if last < count:
                    peak[last:], total[last:] = merge(peak[last:], total[last:], block[:, last - first :], 0)
        return (peak - partner.repeat(2)) + torch.log(total), peak + torch.log(total)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs, output[1])

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> Tensor:
        views, level = ctx.saved_tensors
        count, half = len(views), len(views) // 2
        # What partners do to each other is one number a row; the tiles below are for all the others.
        attraction = (gradient[:half] + gradient[half:]).repeat(2).unsqueeze(1)
        to_views = -attraction * views.roll(half, 0)
        with exact_products(views):
            for first, last in tiles(count, count, views.device):
                block = _block(views, first, last)
                across = (block - level[first:last].unsqueeze(1)).exp_().mul_(gradient[first:last].unsqueeze(1))
                block.sub_(level[first:]).exp_().mul_(gradient[first:]).add_(across)
                to_views[first:last].addmm_(block, views[first:])
                to_views[last:].addmm_(block[:, last - first :].T, views[first:last])
        return to_views
