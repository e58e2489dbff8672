"""The checkup: measure before the first step, train a copy for a while, watched, and say what is wrong.

copies -> what can be known before the first step -> some steps of the user's own optimizer under a watch -> findings
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from evenkeel.chain.record.batch import LossFunction, map_tensors, split_batch
from evenkeel.doctor.powers import PowersOfTwo
from evenkeel.doctor.result import Checkup
from evenkeel.doctor.start import measure_start
from evenkeel.doctor.working_copy import WorkingCopy, order, working_copy
from evenkeel.errors import RequestError
from evenkeel.observe.watch import Watch
from evenkeel.setup import make_setup
from evenkeel.symptoms import findings
from evenkeel.symptoms.history import LossPoint

LOST = 5
"""Steps in a row with a loss that is not finite, after which nothing more is to be learned."""
VALIDATIONS = 4


def checkup(
    model: nn.Module,
    loss: LossFunction | None,
    batches: Iterable[Any],
    *,
    optimizer: Optimizer | None = None,
    validation: Iterable[Any] | None = None,
    steps: int = 100,
    seed: int = 0,
) -> Checkup:
    """Examine a training set-up: what is wrong with it, where, and why, by evidence.

    Args:
        model: any module; copies of it are trained, it stays as it is.
        loss: `loss(output, target) -> scalar`, or None where the model's output carries `.loss`.
        batches: `(inputs, target)` pairs; of a longer iterable the first 512 are kept.
        optimizer: the one that will train the model; Adam at 1e-3 on all parameters if not given.
        validation: batches that are only measured on.
        steps: how long the copy is trained at most.
        seed: varies the order of the batches and every random draw.

    Returns:
        A `Checkup`: print it, or look at `.healthy`, `.findings`, `.chain`, `.to_json()`.

    Raises:
        RequestError: what came is no module, loss or optimizer, or cannot be copied.
        DataError: there is no batch, or a batch is not `(inputs, target)`.

    Example:
        >>> model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3), nn.Softmax(dim=1))
        >>> generator = torch.Generator().manual_seed(0)
        >>> x = torch.randn(256, 8, generator=generator)
        >>> batches = [(x[i : i + 32], x[i : i + 32, :3].argmax(1)) for i in range(0, 256, 32)]
        >>> result = checkup(model, nn.functional.cross_entropy, batches)
        >>> result.healthy, result.findings[0].symptom, result.findings[0].cause
        (False, 'output-mismatch', 'output-activation')
    """
    if not isinstance(steps, int) or steps < 1:
        raise RequestError(f"steps must be a whole number, 1 or more, got {steps!r}")
    trained = working_copy(make_setup(model, loss, batches, optimizer=optimizer, validation=validation))
    devices = sorted({p.device.index or 0 for p in trained.model.parameters() if p.is_cuda})
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        torch.manual_seed(seed)
        numbers = list(itertools.islice(order(len(trained.batches), seed), steps))
        start = measure_start(trained, numbers, seed)
        torch.manual_seed(seed)
        watch = _train(trained, numbers)
        watch.record.start = start
        _zeroed(trained, watch)
        history = watch.record.history(ended=True)
    return Checkup(
        findings=findings(history),
        history=history,
        steps=history.steps,
        notes=tuple(watch.notes),
        parameters=sum(parameter.numel() for parameter in trained.model.parameters()),
        model=type(trained.model).__name__,
    )


def _train(trained: WorkingCopy, numbers: list[int]) -> Watch:
    """Train the copy, watched; end early where the loss is lost."""
    watch = Watch(trained.model, [trained.optimizer], PowersOfTwo(len(numbers)))
    every = max(1, len(numbers) // VALIDATIONS)
    lost = 0
    with watch:
        for step, number in enumerate(numbers, start=1):
            trained.optimizer.zero_grad()
            value = trained.loss_of(trained.batches[number])
            value.backward()
            trained.optimizer.step()
            lost = 0 if math.isfinite(float(value.detach())) else lost + 1
            if trained.validation and (step == 1 or step % every == 0):
                watch.record.validation.append(LossPoint(step=step, loss=trained.value_of(trained.validation)))
            if lost >= LOST:
                break
    return watch


def _zeroed(trained: WorkingCopy, watch: Watch) -> None:
    """The trained copy's loss with its inputs zeroed, beside that of the inputs as they are."""
    few = trained.batches[:4]
    try:
        pairs = [split_batch(batch, trained.loss) for batch in few]
        zeros = [(map_tensors(inputs, torch.zeros_like), target) for inputs, target in pairs]
        watch.record.seen_loss = trained.value_of(few)
        watch.record.zeroed_loss = trained.value_of(zeros) if trained.loss is not None else None
    except Exception as problem:  # a model that cannot take zeros (a graph without edges, a table of indices)
        watch.notes = [*watch.notes, f"zeroed inputs could not be tried: {type(problem).__name__}"]
