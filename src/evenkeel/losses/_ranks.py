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
from torch.autograd.function import once_differentiable

Across = Literal["ranks", "none"]
"""Whose embeddings serve as negatives: those of all ranks of the default process group, or this rank's alone."""


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process's place: its rank out of `count`."""

    rank: int
    count: int


def ranks(across: Across) -> Ranks:
    """The ranks that take part: one where nothing is distributed or the caller wants this rank alone."""
    if across == "none" or not dist.is_available() or not dist.is_initialized():
        return Ranks(rank=0, count=1)
    return Ranks(rank=dist.get_rank(), count=dist.get_world_size())


def gather(tensor: Tensor, place: Ranks) -> Tensor:
    """The tensor of every rank, one after the other on axis 0; gradients flow back to the rank they belong to."""
    return tensor if place.count == 1 else _Gather.apply(tensor, place)  # type: ignore[no-any-return]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(tensor: Tensor, place: Ranks) -> Tensor:
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(place.count)]
        dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Ranks], output: Tensor) -> None:
        ctx.rows, ctx.rank = len(inputs[0]), inputs[1].rank

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total[ctx.rank * ctx.rows : (ctx.rank + 1) * ctx.rows], None
