"""The faster library for float32 matrix products, inside the losses that compute them block by block."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import Parameter

from evenkeel import products


def fast_products(left: Tensor, right: Tensor) -> AbstractContextManager[object]:
    """Let float32 products of rows of `left` and `right` (row, unit) run as fast as they can within the block.

    A thread that multiplies matrices meanwhile may be sped up, too; its arithmetic stays float32.
    """
    # A fake tensor, or one that is traced, has nothing to measure.
    if torch.compiler.is_compiling() or type(left) not in (Tensor, Parameter) or left.dtype == torch.float64:
        return nullcontext()
    return products.fast_products(left.numel() * len(right), left.device)
