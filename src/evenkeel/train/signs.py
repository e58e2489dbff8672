"""Two signs that come with a step, from a sample of the weights: how far it moved them, and how surprised Adam was.

    update ratio = rms(w_after - w_before) / rms(w_before)
    surprise     = rms(g²/v),   v: Adam's moving mean of g² before the step, its bias corrected

A ratio near 1e-3 is usual; a surprise above 1 says that v under-estimates what comes, and leads a loss spike by a few
steps (Wortsman et al. 2023, arXiv:2304.13013). Nothing is fetched from the device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from evenkeel.observe.surprise import correction, squared_ratio
from evenkeel.shapes import Float, Tensor

PARAMETERS, ENTRIES = 4, 1024
"""The largest parameters, and about so many of their entries in all, evenly spread."""


@dataclass(frozen=True, kw_only=True)
class Signs:
    """Signs of one step, still on the device; surprise is nan without such a v (another optimizer, the first step)."""

    update_ratio: Float[Tensor, ""]
    surprise: Float[Tensor, ""]

    @classmethod
    def unknown(cls, like: Tensor) -> Signs:
        """Signs of a step that was not measured, on the device of some number."""
        nothing = like.new_full((), math.nan)
        return cls(update_ratio=nothing, surprise=nothing)


class Sample:
    """Some entries of the largest parameters; call `before` and `after` around the update.

    Example:
        >>> weight = nn.Parameter(torch.ones(3))
        >>> sample, optimizer = Sample([weight]), torch.optim.SGD([weight], lr=0.5)
        >>> weight.grad = torch.ones(3)
        >>> sample.before([weight.grad], None, optimizer)
        >>> optimizer.step()
        >>> round(sample.after().update_ratio.item(), 3)
        0.5
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        usable = [number for number, one in enumerate(parameters) if one.numel() and one.is_contiguous()]
        chosen = sorted(usable, key=lambda number: -parameters[number].numel())[:PARAMETERS]
        stride = sum(parameters[number].numel() for number in chosen) // ENTRIES | 1
        self._chosen = [(number, parameters[number], stride) for number in chosen]
        self._weights = self._surprise = torch.empty(0)

    @torch.no_grad()
    def before(self, gradients: Sequence[Tensor | None], scale: Tensor | None, optimizer: Optimizer) -> None:
        """Sample weights and surprise ahead of an update; the gradients are divided by `scale` inside it."""
        self._weights = self._now()
        self._surprise = self._weights.new_full((), math.nan)
        squares, sampled, share = [], [], None
        for number, parameter, stride in self._chosen:
            state, gradient = optimizer.state.get(parameter, {}), gradients[number]
            if "exp_avg_sq" not in state or gradient is None or not gradient.is_contiguous():
                continue
            squares.append(state["exp_avg_sq"].view(-1)[::stride])
            sampled.append(gradient.view(-1)[::stride])
            share = share if share is not None else correction(optimizer.param_groups[0], state["step"])
        if sampled and share is not None:
            self._surprise = _surprise(torch.cat(sampled), torch.cat(squares), share, scale)

    @torch.no_grad()
    def after(self) -> Signs:
        """Compare with the weights behind the update."""
        moved = torch.linalg.vector_norm(self._now().sub_(self._weights))
        return Signs(update_ratio=moved.div_(torch.linalg.vector_norm(self._weights)), surprise=self._surprise)

    def _now(self) -> Tensor:
        parts = [parameter.detach().view(-1)[::stride] for _, parameter, stride in self._chosen]
        return torch.cat(parts) if parts else torch.empty(0)


def _surprise(gradient: Tensor, square: Tensor, share: Tensor | float, scale: Tensor | None) -> Tensor:
    """The rms of g²/v."""
    ratio = squared_ratio(gradient.float(), square.float())
    surprise = torch.linalg.vector_norm(ratio) * (share / math.sqrt(len(ratio)))
    return surprise if scale is None else surprise / scale.square()
