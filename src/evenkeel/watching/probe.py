"""One look: the chain of one step, and what the optimizers did with its gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from evenkeel.chain import Chain
from evenkeel.chain.live import LiveLook, ReplayLook
from evenkeel.chain.statistics import norms_of, numbers
from evenkeel.symptoms._history import Look
from evenkeel.watching.weights import StepLook, gradient_norm

MODES = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


class Probe:
    """Fed by the events of one step; `measured` once its first backward pass is over."""

    def __init__(self, model: nn.Module, optimizers: Sequence[Optimizer]) -> None:
        self._model, self._optimizers = model, optimizers
        self._live: LiveLook | ReplayLook | None = ReplayLook(model) if _compiled(model) else LiveLook(model)
        self._chain: Chain | None = None
        self._carried = 0.0
        self._unit = 1.0
        self._attached = False
        self._steps: list[StepLook] = []
        self._evaluating = tuple(
            name for name, module in model.named_modules() if isinstance(module, MODES) and not module.training
        )
        self.measured = False

    def enter(self, arguments: tuple[tuple[Any, ...], Mapping[str, Any]]) -> None:
        """Before a forward pass."""
        if self._live is not None:
            self._live.enter(arguments)

    def leave(self, output: Any) -> None:
        """After it."""
        if self._live is not None:
            self._live.leave(output)

    def attach(self, loss: Tensor, unit: float) -> None:
        """Before the backward pass; gradients that lie there already are from before."""
        held = [p for one in self._optimizers for group in one.param_groups for p in group["params"]]
        lying = [p.grad for p in held if p.grad is not None and p.grad.numel()]
        self._carried = math.hypot(*norms_of(lying)) if lying else 0.0
        self._unit = unit
        if self._live is not None:
            self._live.attach(loss)
            self._attached = True

    def measure(self) -> None:
        """After it: the chain."""
        self.measured = True
        if self._live is not None and self._attached:
            self._chain = self._live.chain(self._unit)

    def step_begins(self, optimizer: Optimizer) -> None:
        """Before an optimizer's step."""
        self._steps.append(StepLook(self._model.named_parameters(), optimizer))

    def step_ends(self) -> None:
        """After it."""
        self._steps[-1].finish()

    def look(self, step: int, loss: float | None) -> Look:
        """Everything as one record: the numbers of all weights are fetched here, together."""
        tensors = [step_look.tensors() for step_look in self._steps]
        fetched = iter(numbers([tensor for part in tensors for tensor in part]))
        rows = tuple(
            row
            for step_look, part in zip(self._steps, tensors, strict=True)
            for row in step_look.read([next(fetched) for _ in part])
        )
        norm = gradient_norm(rows)
        return Look(
            step=step,
            loss=loss,
            rate=max((each.rate for each in self._steps), default=0.0),
            gradient_norm=norm,
            carried=self._carried / self._unit / norm if norm else None,
            chain=self._chain,
            parameters=rows,
            evaluating=self._evaluating,
        )

    def drop(self) -> None:
        """Take everything back."""
        if self._live is not None:
            self._live.drop()
            self._live = None


def _compiled(model: nn.Module) -> bool:
    """Whether any part of the model is compiled: hooks and modes never see the inside of such a part."""
    return any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        for module in model.modules()
    )
