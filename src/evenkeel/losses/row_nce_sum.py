"""The sum of one-sided contrastive losses, whose gradient is taken in the forward pass.

In a sum every row has the same upstream gradient, so the exponentials of a few rows over all keys give their values and
their share of both gradients at once: 6·N·M·D operations, the number that the full matrix takes too.

The gradients are handed over by the first backward pass, scaled in place, so that they exist once; a second pass
through the same graph computes them anew.
"""

from typing import Any

import torch
from torch import Tensor

from evenkeel.losses.cosine import SimilarityScale, exponentials, pull_, scale_of, side, spans, to_embeddings_
from evenkeel.losses.fast_products import fast_products
from evenkeel.losses.first_order import first_order
from evenkeel.losses.number import PlainNumber
from evenkeel.losses.precision import exact_products
from evenkeel.losses.row_nce import Positives, row_nce

CPU_ROWS = 64
"""Rows whose exponentials over all keys exist at once on the CPU: 1 MiB for 4096 keys; 128 would be a tenth faster."""

GPU_ROWS = 1024
"""The same on a GPU: 256 MiB for 65 536 keys."""


def row_nce_sum(query: Tensor, key: Tensor, temperature: PlainNumber | Tensor, positive: int) -> Tensor:
    """The sum of `row_nce` over `query` (row, unit), where row i belongs to key i + positive."""
    needed = torch.is_grad_enabled() and (query.requires_grad or key.requires_grad)
    if not needed or torch.compiler.is_compiling():  # a compiled graph cannot hand its gradients over
        return row_nce(query, key, temperature, Positives(positive=positive)).sum()
    scale = scale_of(temperature, query)
    return _RowNceSum.apply(query, key, scale.value, scale.dtype, positive)[0]  # type: ignore[index]


class _RowNceSum(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, scale: Tensor, dtype: torch.dtype, positive: int) -> tuple[Tensor, ...]:
        left, right, factor = side(query), side(key), SimilarityScale(scale, dtype)
        to_query, to_key = (torch.zeros_like(x, dtype=scale.dtype) for x in (query, key))
        total, value = torch.empty(len(query), dtype=dtype, device=query.device), torch.zeros_like(scale)
        height = CPU_ROWS if query.device.type == "cpu" else GPU_ROWS
        tile = torch.empty(min(height, len(query)), len(key), dtype=dtype, device=query.device)
        with exact_products(query), fast_products(query, key):
            for rows in spans(query, size=height):
                unit = left.unit(rows)
                block = tile[: len(unit)]
                for keys in spans(key):
                    block[:, keys] = exponentials(unit, right.unit(keys), factor)
                total[rows] = block.sum(1)
                own = block.diagonal(rows.start + positive)
                value = value + torch.log(total[rows] / own).sum().to(value.dtype)
                block = block.div_(total[rows].unsqueeze(1)).to(unit.dtype)
                for keys in spans(key):
                    to_query[rows].addmm_(block[:, keys], right.unit(keys))
                    to_key[keys].addmm_(block[:, keys].T, unit)
        pull_(to_query, to_key, left, right, torch.ones_like(total, dtype=scale.dtype), positive)
        to_scale = to_embeddings_(to_query, left, factor)
        to_embeddings_(to_key, right, factor)
        return value, to_query.to(query.dtype), to_key.to(key.dtype), to_scale

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)  # else torch makes zeros of the size of every output
        ctx.save_for_backward(*inputs[:3])
        ctx.settings, ctx.ready = inputs[3:], output[1:]

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor | None, *_: Any) -> tuple[Tensor | None, ...]:
        if gradient is None:
            return None, None, None, None, None
        gradients, ctx.ready = ctx.ready, None
        if gradients is None:  # handed over before; the same steps once more give the same numbers, to the last bit
            gradients = _RowNceSum.forward(*ctx.saved_tensors, *ctx.settings)[1:]
        return *(x.mul_(gradient) for x in gradients), None, None
