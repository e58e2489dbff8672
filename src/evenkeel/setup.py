"""A training set-up as one value: model, loss, how to make the optimizer, batches, validation, metric.

Whoever examines or repairs a training takes one of these and nothing else. The value itself is never trained: its
model, batches and optimizer belong to whoever gave them, and are copied before anything is done to them.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from evenkeel.chain.record.batch import LossFunction, split_batch
from evenkeel.errors import DataError, RequestError

MOST_BATCHES = 512
"""Batches that are kept of an iterable; a longer one is used up to here."""
RATE = 1e-3
"""Learning rate of the Adam that stands in where no optimizer is given."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """All that a training consists of.

    `batches` and `validation` are `(inputs, target)` pairs, `loss` is None where the model's output carries `.loss`,
    and `metric` scores a model on data that it was not trained on.
    """

    model: nn.Module
    loss: LossFunction | None
    make_optimizer: Callable[[nn.Module], Optimizer]
    """Makes the optimizer of a model of this architecture, as it is before the first step."""
    batches: Sequence[Any]
    validation: Sequence[Any] = ()
    metric: Callable[[nn.Module], float] | None = None


def make_setup(
    model: nn.Module,
    loss: LossFunction | None,
    batches: Iterable[Any],
    *,
    optimizer: Optimizer | None = None,
    validation: Iterable[Any] | None = None,
    metric: Callable[[nn.Module], float] | None = None,
) -> Setup:
    """Check what a user has and make one value of it; batches are kept up to a number.

    Raises:
        RequestError: no module, no callable loss, no optimizer.
        DataError: no batch, or one that is not `(inputs, target)`.

    Example:
        >>> model = nn.Linear(3, 1)
        >>> setup = make_setup(model, nn.functional.mse_loss, [(torch.zeros(8, 3), torch.zeros(8, 1))])
        >>> type(setup.make_optimizer(model)).__name__, len(setup.batches)
        ('Adam', 1)
    """
    if not isinstance(model, nn.Module):
        raise RequestError(f"expected a torch.nn.Module as the model, got {type(model).__name__}")
    if loss is not None and not callable(loss):
        raise RequestError(f"expected loss(output, target) or None, got {type(loss).__name__}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise RequestError(
            f"expected a torch optimizer or None, got {type(optimizer).__name__}; pass the object itself"
        )
    kept = _kept(batches)
    if not kept:
        raise DataError("there is no batch; expected an iterable of (inputs, target), such as a DataLoader or a list")
    split_batch(kept[0], loss)
    return Setup(
        model=model,
        loss=loss,
        make_optimizer=adam if optimizer is None else same_optimizer(optimizer, model),
        batches=kept,
        validation=() if validation is None else _kept(validation),
        metric=metric,
    )


def adam(model: nn.Module) -> Optimizer:
    """Adam on all trainable parameters; on all there are where none is trainable."""
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad] or [*model.parameters()], lr=RATE)


def same_optimizer(optimizer: Optimizer, model: nn.Module) -> Callable[[nn.Module], Optimizer]:
    """Make copies of an optimizer of `model`, with its state, for other models of the same parameters.

    Parameters that are not the model's (weights of a loss) stay the ones they are.
    """

    def make(other: nn.Module) -> Optimizer:
        held = {id(parameter): parameter for group in optimizer.param_groups for parameter in group["params"]}
        moved = {id(one): new for one, new in zip(model.parameters(), other.parameters(), strict=True)}
        with copying(model):
            return copy.deepcopy(optimizer, held | moved)

    return make


def plain_model(model: nn.Module) -> nn.Module:
    """The model that a compiled one was made of: it is examined as that."""
    return getattr(model, "_orig_mod", model)


@contextmanager
def copying(model: nn.Module) -> Iterator[None]:
    """Say which model it is that cannot be copied."""
    try:
        yield
    except (RuntimeError, TypeError, ValueError) as problem:
        raise RequestError(
            f"this {type(plain_model(model)).__name__} cannot be copied ({str(problem).splitlines()[0]}); keep what "
            "cannot be copied (graphs, open files, locks) out of the module"
        ) from problem


def _kept(batches: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(itertools.islice(iter(batches), MOST_BATCHES))
    except TypeError as problem:
        raise DataError(f"expected an iterable of batches, got {type(batches).__name__}") from problem
