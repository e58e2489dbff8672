"""What is trained, as far as it is known: handed over at once, or learned from the first events of a loop."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.optim import Optimizer

from evenkeel.errors import TrainingError


class Subject:
    """A model and its optimizers; those that are handed over are fixed, others come as events name them.

    Example:
        >>> import torch
        >>> subject, model = Subject(), nn.Linear(2, 1)
        >>> subject.known
        False
        >>> subject.learn_model(model)
        >>> subject.model is model
        True
        >>> subject.learn_optimizer(torch.optim.SGD(model.parameters(), lr=0.1))
        True
        >>> subject.learn_optimizer(torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1))
        False
    """

    def __init__(self, model: nn.Module | None = None, optimizers: Sequence[Optimizer] = ()) -> None:
        self._model, self.optimizers = model, list(optimizers)
        self._fixed = bool(self.optimizers)

    @property
    def known(self) -> bool:
        """Whether the model is known."""
        return self._model is not None

    @property
    def model(self) -> nn.Module:
        """The model.

        Raises:
            TrainingError: no event has named it yet.
        """
        if self._model is None:
            raise TrainingError("no model is known yet: it is learned from the first forward pass with gradients on")
        return self._model

    @property
    def first(self) -> Optimizer | None:
        """The optimizer whose steps are counted."""
        return self.optimizers[0] if self.optimizers else None

    def learn_model(self, model: nn.Module) -> None:
        """Take the model of a forward pass where none is known."""
        if self._model is None:
            self._model = model

    def learn_optimizer(self, optimizer: Optimizer) -> bool:
        """Take an optimizer that is about to step, where none was handed over. Returns whether it is new."""
        if self._fixed or self._model is None or any(one is optimizer for one in self.optimizers):
            return False
        if not holds(optimizer, self._model):
            return False
        self.optimizers.append(optimizer)
        return True


def holds(optimizer: Optimizer, model: nn.Module) -> bool:
    """Whether an optimizer holds a parameter of a model."""
    own = {id(parameter) for parameter in model.parameters()}
    return any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"])
