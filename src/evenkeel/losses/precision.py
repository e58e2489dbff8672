"""Losses compute in float32 at least: half-precision outputs are widened first, and autocast is kept out."""

import torch
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)


def widen(tensor: Tensor) -> Tensor:
    """The tensor in float32 if it is of half precision, itself otherwise."""
    return tensor.float() if tensor.dtype in HALF else tensor


def exact_products(tensor: Tensor) -> torch.autocast:
    """A context in which matrix products are done in the dtype of their operands, even under autocast."""
    return torch.autocast(tensor.device.type, enabled=False)
