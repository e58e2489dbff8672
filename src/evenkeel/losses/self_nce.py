"""The contrastive loss of 2n views among themselves, view i with i + n, without the matrix, using its symmetry.

Only blocks on and above the diagonal are computed; each serves its rows and, transposed, its columns: 4·M²·D operations
with the gradient, M = 2n, against 6 for the full matrix.

    v_i = ln(Σ_{j≠i} E_ij / E_ip),  E_ij = exp(s u_i·u_j), u at unit length, p the partner of i
    du_i = Σ_{j≠i} E_ij (g_i / row_i + g_j / row_j) u_j - (g_i + g_p) u_p
"""

from typing import Any

import torch
from torch import Tensor

from evenkeel.losses.cosine import (
    EmbeddingRows,
    SimilarityScale,
    exponentials,
    keep_band_,
    pull_,
    scale_of,
    side,
    spans,
    to_embeddings_,
)
from evenkeel.losses.fast_products import fast_products
from evenkeel.losses.first_order import first_order
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import exact_products


def self_nce(views: Tensor, temperature: PlainNumber | Tensor) -> Tensor:
    """One value per row of `views` (2n, unit); the gradient cannot be differentiated again."""
    scale = scale_of(temperature, views)
    return _SelfNce.apply(views, scale.value, scale.dtype)[0]  # type: ignore[index]


class _SelfNce(torch.autograd.Function):
    @staticmethod
    def forward(views: Tensor, scale: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        both, factor = side(views), SimilarityScale(scale, dtype)
        total, partner = (torch.zeros(len(views), dtype=dtype, device=views.device) for _ in range(2))
        half = len(views) // 2
        with exact_products(views), fast_products(views, views):
            for rows in spans(views):
                unit = both.unit(rows)
                for keys in spans(views, first=rows.start):
                    block = exponentials(unit, both.unit(keys), factor)
                    keep_band_(partner, block, rows, keys, half)
                    if keys == rows:
                        block.diagonal().zero_()
                    else:
                        total[keys] += block.sum(0)
                    total[rows] += block.sum(1)
        partner[half:] = partner[:half]
        # The ratio of exponentials first, its logarithm after: both are large, what they leave is small.
        return torch.log(total / partner).to(scale.dtype), total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs[:2], output[1])
        ctx.dtype = inputs[2]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        views, scale, total = ctx.saved_tensors
        both, factor, half = side(views), SimilarityScale(scale, ctx.dtype), len(views) // 2
        to_views = torch.zeros_like(views, dtype=scale.dtype)
        weight = gradient / total
        with exact_products(views), fast_products(views, views):
            for rows in spans(views):
                unit = both.unit(rows)
                for keys in spans(views, first=rows.start):
                    other = both.unit(keys)
                    block = exponentials(unit, other, factor)
                    block = block.mul_(weight[rows].unsqueeze(1) + weight[keys]).to(scale.dtype)
                    if keys == rows:
                        block.diagonal().zero_()
                    else:
                        to_views[keys].addmm_(block.T, unit)
                    to_views[rows].addmm_(block, other)
        left, right = EmbeddingRows(views[:half], both.inverse[:half]), EmbeddingRows(views[half:], both.inverse[half:])
        pull_(to_views[:half], to_views[half:], left, right, gradient[:half] + gradient[half:], 0)
        # Each product of two views counts for both of them, so the scale would get it twice.
        to_scale = 0.5 * to_embeddings_(to_views, both, factor)
        return to_views.to(views.dtype), to_scale, None
