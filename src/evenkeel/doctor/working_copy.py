"""A copy of a set-up that may be trained: nothing that is done to it reaches the user's own objects."""

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
from evenkeel.setup import Setup, copying, plain_model


@dataclass(frozen=True, kw_only=True)
class WorkingCopy:
    """A model, loss and optimizer of its own on the batches of a set-up; the optimizer holds the model's parameters."""

    model: nn.Module
    loss: LossFunction | None
    optimizer: Optimizer
    batches: tuple[Any, ...]
    validation: tuple[Any, ...] = ()

    def copied(self) -> WorkingCopy:
        """A copy that shares nothing that changes."""
        model, optimizer, loss = copy_together(self.model, self.optimizer, self.loss)
        return WorkingCopy(
            model=model, loss=loss, optimizer=optimizer, batches=self.batches, validation=self.validation
        )

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


def working_copy(setup: Setup) -> WorkingCopy:
    """Copy a set-up, in training mode and without gradients.

    Raises:
        RequestError: the model, its optimizer or its loss cannot be copied.
    """
    model, optimizer, loss = copy_together(setup.model, setup.make_optimizer(setup.model), setup.loss)
    model.train()
    for parameter in model.parameters():
        parameter.grad = None
    return WorkingCopy(
        model=model, loss=loss, optimizer=optimizer, batches=tuple(setup.batches), validation=tuple(setup.validation)
    )


def copy_together(
    model: nn.Module, optimizer: Optimizer, loss: LossFunction | None = None
) -> tuple[nn.Module, Optimizer, LossFunction | None]:
    """Copies of all, so that the optimizer's copy holds the parameters of the model's copy, and so does the loss's.

    A loss may be a module with weights, or a method of one, such as `network.head.loss`; any other is taken as it is.
    """
    source = plain_model(model)
    known: dict[int, Any] = {}
    with copying(model):
        copied, stepping = copy.deepcopy((source, optimizer), known)
        of_module = isinstance(loss, nn.Module) or isinstance(getattr(loss, "__self__", None), nn.Module)
        judging = copy.deepcopy(loss, known) if of_module else loss
    return copied, stepping, judging


def fresh(value: Any) -> Any:
    """Tensors that a step may write to without changing the caller's batch."""
    return map_tensors(value, lambda tensor: usable(tensor).detach().clone())


def order(count: int, seed: int) -> Iterator[int]:
    """Batch numbers without end, each epoch in an order of its own, a function of (seed, epoch)."""
    for epoch in itertools.count():
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        yield from torch.randperm(count, generator=generator).tolist()
