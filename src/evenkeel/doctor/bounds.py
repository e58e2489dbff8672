"""What a loss can come down to, whatever the network: for one constant output, for outputs of some range, for any.

    constant   min over c of L(c, target)               c the same for all examples: what the input must beat
    floor      min over z of L(range(z), target)        z free for each example

Found by L-BFGS on the outputs themselves; no weight takes part. A range is what the output's last operation allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from evenkeel.chain.record.batch import LossFunction
from evenkeel.doctor.working_copy import fresh

RANGES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda z: z.softmax(-1),
    "log-softmax": lambda z: z.log_softmax(-1),
    "sigmoid": torch.sigmoid,
    "log-sigmoid": functional.logsigmoid,
    "tanh": torch.tanh,
    "relu": functional.softplus,  # the same range, with a slope everywhere
    "softplus": functional.softplus,
}
ITERATIONS = 60
FURTHEST = 1e4  # outputs beyond this are numerics, not an answer


def constant_loss(
    outputs: Sequence[Tensor], targets: Sequence[Any], loss: LossFunction, limit: str | None
) -> tuple[float, Tensor] | None:
    """The best loss of one output for all examples, and that output before the range; None where it has no sense."""
    shape = outputs[0].shape[1:]
    if any(output.shape[1:] != shape or output.ndim == 0 for output in outputs):
        return None
    start = _middle(outputs[0], targets[0]) if limit is None else torch.zeros(shape)

    def total(c: Tensor) -> Tensor:
        constants = [_ranged(c, limit).expand(output.shape) for output in outputs]
        return torch.stack([loss(one, fresh(target)) for one, target in zip(constants, targets, strict=True)]).mean()

    return _least(total, start.to(outputs[0]))


def floor(output: Tensor, target: Any, loss: LossFunction, limit: str | None) -> float | None:
    """The least loss of any outputs within a range."""
    start = _middle(output, target).expand(output.shape) if limit is None else torch.zeros(output.shape)
    least = _least(lambda z: loss(_ranged(z, limit), fresh(target)), start.clone().to(output))
    return None if least is None else least[0]


def _ranged(z: Tensor, limit: str | None) -> Tensor:
    return z if limit is None else RANGES[limit](z)


def _middle(output: Tensor, target: Any) -> Tensor:
    """Where to start: the mean of a target of real numbers, else zero."""
    shape = output.shape[1:]
    if isinstance(target, Tensor) and target.is_floating_point() and target.numel() and target.ndim:
        if target.shape == output.shape:
            return target.float().mean(0).clone()
        if target.numel() == output.numel():
            return target.float().mean().expand(shape).clone()
    return torch.zeros(shape)


def _least(total: Callable[[Tensor], Tensor], start: Tensor) -> tuple[float, Tensor] | None:
    """L-BFGS from a start; None where the loss cannot be asked so."""
    z = start.detach().double().float().requires_grad_()
    best: list[tuple[float, Tensor]] = []
    optimizer = torch.optim.LBFGS([z], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        value = total(z)
        (z.grad,) = torch.autograd.grad(value, z)  # of nothing else: the loss may have parameters of its own
        reached = float(value.detach())
        near = bool((z.detach().abs() <= FURTHEST + start.abs().max()).all()) if z.numel() else True
        if math.isfinite(reached) and near and (not best or reached < best[0][0]):
            best[:] = [(reached, z.detach().clone())]
        return value

    try:
        with torch.enable_grad():
            optimizer.step(closure)  # type: ignore[arg-type]
    except Exception:
        return best[0] if best else None  # a loss with demands of its own on the output (a simplex, unit length)
    return best[0] if best else None
