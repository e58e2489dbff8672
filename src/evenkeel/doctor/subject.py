"""The set-up under examination, as copies: nothing that is done to them reaches the user's own objects."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from evenkeel.chain.record.batch import LossFunction, call_loss, call_model, map_tensors, split_batch, usable
from evenkeel.errors import DataError, RequestError

MOST_BATCHES = 512
"""Batches that are kept of an iterable; a longer one is used up to here."""
RATE = 1e-3
"""Learning rate of the Adam that stands in where no optimizer is given."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Model, loss, optimizer and batches as one value. `optimizer` holds parameters of `model` and of nothing else."""

    model: nn.Module
    loss: LossFunction | None
    optimizer: Optimizer
    batches: tuple[Any, ...]
    validation: tuple[Any, ...] = ()

    def copied(self) -> Subject:
        """A subject that shares nothing that changes."""
        model, optimizer, loss = copy_together(self.model, self.optimizer, self.loss)
        return Subject(model=model, loss=loss, optimizer=optimizer, batches=self.batches, validation=self.validation)

    def loss_of(self, batch: Any) -> Tensor:
        """The loss of a batch with a graph behind it."""
        return self.output_and_loss(batch)[1]

    def output_and_loss(self, batch: Any) -> tuple[Any, Tensor]:
        """What the model gives for a batch, and the loss of that."""
        inputs, target = split_batch(batch, self.loss)
        output = call_model(self.model, fresh(inputs))
        return output, call_loss(self.loss, output, fresh(target))

    def value_of(self, batches: Iterable[Any]) -> float:
        """Mean loss over batches in evaluation mode, without gradients; NaN of none."""
        values, training = [], self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                for batch in batches:
                    inputs, target = split_batch(batch, self.loss)
                    output = call_model(self.model, fresh(inputs))
                    value = self.loss(output, fresh(target)) if self.loss is not None else output.loss
                    values.append(float(value))
        finally:
            self.model.train(training)
        return sum(values) / len(values) if values else float("nan")


def subject(
    model: nn.Module,
    loss: LossFunction | None,
    batches: Iterable[Any],
    optimizer: Optimizer | None,
    validation: Iterable[Any] | None,
) -> Subject:
    """Copies of what the user has, in training mode; batches kept up to a number, and checked to be some.

    Raises:
        RequestError: no module, no callable loss, or a model that cannot be copied.
        DataError: no batch, or one that is not `(inputs, target)`.
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
    own = torch.optim.Adam([p for p in model.parameters() if p.requires_grad] or [*model.parameters()], lr=RATE)
    copied, stepping, judging = copy_together(model, optimizer or own, loss)
    copied.train()
    for parameter in copied.parameters():
        parameter.grad = None
    held = () if validation is None else _kept(validation)
    return Subject(model=copied, loss=judging, optimizer=stepping, batches=kept, validation=held)


def copy_together(
    model: nn.Module, optimizer: Optimizer, loss: LossFunction | None = None
) -> tuple[nn.Module, Optimizer, LossFunction | None]:
    """Copies of all, so that the optimizer's copy holds the parameters of the model's copy, and so does the loss's.

    A loss may be a module with weights, or a method of one, such as `network.head.loss`; any other is taken as it is.
    """
    source = getattr(model, "_orig_mod", model)  # a compiled model is examined as the plain one it was made of
    known: dict[int, Any] = {}
    try:
        copied, stepping = copy.deepcopy((source, optimizer), known)
        of_module = isinstance(loss, nn.Module) or isinstance(getattr(loss, "__self__", None), nn.Module)
        judging = copy.deepcopy(loss, known) if of_module else loss
    except (RuntimeError, TypeError, ValueError) as problem:
        raise RequestError(
            f"this {type(source).__name__} cannot be copied ({str(problem).splitlines()[0]}); keep what cannot be "
            "copied (graphs, open files, locks) out of the module"
        ) from problem
    return copied, stepping, judging


def fresh(value: Any) -> Any:
    """Tensors that a step may write to without changing the caller's batch."""
    return map_tensors(value, lambda tensor: usable(tensor).detach().clone())


def order(count: int, seed: int) -> Iterator[int]:
    """Batch numbers without end, each epoch in an order of its own, a function of (seed, epoch)."""
    for epoch in itertools.count():
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        yield from torch.randperm(count, generator=generator).tolist()


def _kept(batches: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(itertools.islice(iter(batches), MOST_BATCHES))
    except TypeError as problem:
        raise DataError(f"expected an iterable of batches, got {type(batches).__name__}") from problem
