"""Choose the number of threads of a training step: one where its products are small.

Threads that share a product of some microseconds wait for each other longer than they compute, and on a machine that
others use as well they wait for the operating system to run them at all. The choice depends on the sizes alone, never
on a clock, so that a seed gives the same weights again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from evenkeel.data.fields import Field
from evenkeel.shapes import Tensor

# Multiply-adds of the largest product of a step below which a second thread costs more than it brings (LOG.md).
SEVERAL_FROM = 2_000_000


@contextmanager
def threads_worth(multiply_adds: int | None, device: torch.device) -> Iterator[int]:
    """Within the block, torch uses as many threads as products of this size are worth; yields their number.

    The number of before is put back at the end. None: not known, nothing is changed.
    """
    before = torch.get_num_threads()
    if device.type == "cpu" and multiply_adds is not None and multiply_adds < SEVERAL_FROM:
        torch.set_num_threads(1)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def largest_product(network: nn.Module, inputs: Iterable[Field], batch: int) -> int | None:
    """Multiply-adds of the largest product of a step on rows of a table: each weight meets each row once.

    None where that is not known: rows that are more than a list of numbers, or convolutions, meet a weight often.

    Example:
        >>> largest_product(nn.Linear(3, 5), [torch.zeros(100, 3)], 10)
        150
    """
    sizes = [parameter.numel() for parameter in network.parameters() if parameter.dim() > 1]
    if (
        not sizes
        or any(p.dim() > 3 for p in network.parameters())
        or not all(isinstance(field, Tensor) and field.dim() <= 2 for field in inputs)
    ):
        return None
    return batch * max(sizes)
