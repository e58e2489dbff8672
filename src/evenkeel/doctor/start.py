"""What can be measured before the first step, on copies: losses that any network should start near and can come down
to, scales of data and target, whether one batch can be fitted.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from evenkeel.chain.record.batch import split_batch, tensors_in
from evenkeel.doctor.bounds import constant_loss, floor
from evenkeel.doctor.reference import reachable_loss
from evenkeel.doctor.working_copy import WorkingCopy
from evenkeel.errors import RequestError
from evenkeel.heads.match import check_model, last_operation
from evenkeel.symptoms.history import Start

FEW = 8
"""Batches that first losses and constant outputs are measured on."""
FITTING = 60
"""Steps on one batch alone."""


def measure_start(trained: WorkingCopy, order: Sequence[int], seed: int) -> Start:
    """Everything of `Start`; the copy itself stays as it is. What cannot be measured is None.

    Args:
        trained: copies already.
        order: which batch will train at each step; the reference trains in the same order.
        seed: of the reference's weights.
    """
    few = trained.batches[:FEW]
    pairs = [split_batch(batch, trained.loss) for batch in few]
    trial = trained.copied()
    results = [trial.output_and_loss(batch) for batch in few]
    outputs = [output for output, _ in results if isinstance(output, Tensor)]
    losses = [float(value.detach()) for _, value in results]
    bounds = _bounds(trained, outputs, [target for _, target in pairs], order, seed) if len(outputs) == len(few) else {}
    single, fitted = _fitted(trained)
    inputs = [each for each, _ in pairs]
    mean, spread = _target_scale([target for _, target in pairs])
    return Start(
        loss=sum(losses) / len(losses),
        known_loss=_zeros(trained, outputs, [target for _, target in pairs]),
        complaint=_complaint(trained),
        input_scales=_by_feature(inputs, lambda rows: rows.square().mean(0).sqrt()),
        input_spreads=_by_feature(inputs, lambda rows: rows.std(0)),
        target_mean=mean,
        target_spread=spread,
        single_loss=single,
        fitted_loss=fitted,
        batch_ratio=_batch_ratio(trial, few[0]),
        padded=_padded(pairs[0][1]),
        **bounds,
    )


def _bounds(
    trained: WorkingCopy, outputs: list[Tensor], targets: list[Any], order: Sequence[int], seed: int
) -> dict[str, Any]:
    """What the loss can come down to, by constants, by free outputs, by a small network."""
    assert trained.loss is not None or not outputs
    if trained.loss is None:
        return {}
    limit = last_operation(outputs[0])
    numbers: dict[str, Any] = {"output_operation": limit}
    detached = [output.detach().float() for output in outputs]
    constant = constant_loss(detached, targets, trained.loss, limit)
    if limit is not None:
        numbers |= _floors(detached[0], targets[0], trained, limit)
    if constant is None:
        return numbers
    numbers["constant_loss"] = constant[0]
    pairs = [split_batch(batch, trained.loss) for batch in trained.batches]
    free = limit if numbers.get("output_floor") is None or not _misfit(numbers) else None
    # Inputs may be no rows, and a loss may take only what the model gives: then there is no reference.
    with contextlib.suppress(RuntimeError, ValueError, IndexError, TypeError):
        numbers["reachable_loss"] = reachable_loss(
            [inputs for inputs, _ in pairs],
            detached,
            [target for _, target in pairs],
            trained.loss,
            constant=constant[1] if free == limit else torch.zeros_like(constant[1]),
            limit=free,
            order=order,
            seed=seed,
        )
    return numbers


def _misfit(numbers: dict[str, Any]) -> bool:
    low, free = numbers.get("output_floor"), numbers.get("free_floor")
    return low is not None and free is not None and low - free > 0.02 * max(abs(low), 1e-6)


def _floors(output: Tensor, target: Any, trained: WorkingCopy, limit: str) -> dict[str, Any]:
    """Least losses within the output's range and without one; a loss that has no least without is not asked."""
    assert trained.loss is not None
    inside, free = floor(output, target, trained.loss, limit), floor(output, target, trained.loss, None)
    if inside is None or free is None or free < min(0.0, inside) - 1e-3 * max(1.0, abs(inside)):
        return {"output_floor": inside}
    return {"output_floor": inside, "free_floor": free}


def _zeros(trained: WorkingCopy, outputs: list[Tensor], targets: list[Any]) -> float | None:
    """The loss of an output of zeros, where that is what a network that knows nothing gives."""
    if trained.loss is None or not outputs or last_operation(outputs[0]) is not None:
        return None
    try:
        with torch.no_grad():
            values = [float(trained.loss(torch.zeros_like(o), t)) for o, t in zip(outputs, targets, strict=False)]
    except Exception:
        return None  # a loss with demands of its own on the output
    mean = sum(values) / len(values)
    return mean if math.isfinite(mean) else None


def _complaint(trained: WorkingCopy) -> str:
    if trained.loss is None:
        return ""
    try:
        check_model(trained.model, trained.loss)
    except RequestError as problem:
        return str(problem)
    return ""


def _fitted(trained: WorkingCopy) -> tuple[float | None, float | None]:
    """The loss of one batch before and after a copy is trained on it alone."""
    trial, losses = trained.copied(), []
    for _ in range(FITTING):
        trial.optimizer.zero_grad()
        value = trial.loss_of(trained.batches[0])
        losses.append(float(value.detach()))
        if not math.isfinite(losses[-1]):
            break
        value.backward()
        trial.optimizer.step()
    return losses[0], min((loss for loss in losses if math.isfinite(loss)), default=None)


def _by_feature(inputs: list[Any], summary: Any) -> tuple[float, ...]:
    """A summary of each feature (the last axis of a table, the channels of images) of the first tensor of numbers."""
    tensors = [next((t for t in tensors_in(each) if t.is_floating_point() and t.ndim > 1), None) for each in inputs]
    known = [tensor.detach().float() for tensor in tensors if tensor is not None]
    if not known or len(known) < len(inputs):
        return ()
    axis = 1 if known[0].ndim >= 4 else -1
    rows = torch.cat([tensor.movedim(axis, -1).reshape(-1, tensor.shape[axis]) for tensor in known])
    return tuple(summary(rows).tolist()) if len(rows) > 1 else ()


def _target_scale(targets: list[Any]) -> tuple[float | None, float | None]:
    floats = [t.detach().float().flatten() for t in targets if isinstance(t, Tensor) and t.is_floating_point()]
    if not floats:
        return None, None
    rows = torch.cat(floats)
    return (float(rows.mean()), float(rows.std())) if len(rows) > 1 else (None, None)


def _batch_ratio(trial: WorkingCopy, batch: Any) -> float | None:
    """Loss of a batch over that of its first half."""
    inputs, target = split_batch(batch, trial.loss)
    if (
        not isinstance(inputs, Tensor)
        or not isinstance(target, Tensor)
        or len(inputs) != len(target)
        or len(inputs) < 4
    ):
        return None
    half = len(inputs) // 2
    try:
        whole, part = trial.value_of([batch]), trial.value_of([(inputs[:half], target[:half])])
    except Exception:
        return None  # a loss or model made for one batch size
    return whole / part if part else None


def _padded(target: Any) -> float | None:
    """Share of positions in the run of one repeated value that ends each row of a table of whole numbers."""
    if not isinstance(target, Tensor) or target.ndim != 2 or target.is_floating_point() or target.shape[1] < 4:
        return None
    last = target[:, -1:]
    tail = (target == last).flip(1).long().cumprod(1).sum(1)
    common = last.flatten().mode().values
    tail = torch.where(last.flatten() == common, tail, torch.zeros_like(tail))
    return float((tail * (tail > 1)).sum() / target.numel())
