"""Embeddings of all ranks in one tensor, with their gradient, so that W ranks learn what one process would.

Each rank's loss is the mean over its own rows against everybody's keys; the average over ranks, which is what
distributed data parallel training takes of gradients, is then the gradient of the whole batch. For that the backward
pass of the gathering must add up what all ranks ask of one rank's embeddings, and must not average it.
Every rank must bring the same number of rows (`drop_last=True`).
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor

from evenkeel.losses.first_order import first_order

Across = Literal["ranks", "none"]
"""Whose embeddings serve as negatives: those of all ranks of the default process group, or this rank's alone."""


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The place of this process: its rank out of `count`."""

    rank: int
    count: int


def ranks(across: Across) -> Ranks:
    """The ranks that take part: one where nothing is distributed or the caller wants this rank alone."""
    if across == "none" or not dist.is_available() or not dist.is_initialized():
        return Ranks(rank=0, count=1)
    return Ranks(rank=dist.get_rank(), count=dist.get_world_size())


def gather(tensor: Tensor, place: Ranks) -> Tensor:
    """The tensor of every rank, one after the other on axis 0; gradients flow back to the rank they belong to."""
    if place.count == 1:
        return tensor.view_as(tensor)  # not itself: a compiled graph refuses one tensor as two arguments
    return _Gather.apply(tensor, place)  # type: ignore[no-any-return]


def mean_over_ranks(number: Tensor, place: Ranks) -> Tensor:
    """The average of a number over the ranks, without a gradient: the divisor of a mean over everybody's rows."""
    if place.count == 1:
        return number
    total = number.detach().clone()
    dist.all_reduce(total)
    return total / place.count


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(tensor: Tensor, place: Ranks) -> Tensor:
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(place.count)]
        dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Ranks], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.rank = inputs[1].rank

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        rows = len(ctx.saved_tensors[0])
        return total[ctx.rank * rows : (ctx.rank + 1) * rows], None
