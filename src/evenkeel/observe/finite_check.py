"""Notice the first value that is not finite while the weights are still those that made it, and ask who did.

Each step costs two numbers: the loss, and the sum over the gradient of one small parameter near the input, which a
gradient that is not finite comes to from wherever it was made. Only on the CPU, where reading a number waits for
nothing; of other devices the fetched losses tell, some steps late.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor

from evenkeel.chain.record.call import Call
from evenkeel.observe.culprit import Culprit, find_backward_culprit, find_culprit
from evenkeel.observe.subject import Subject
from evenkeel.symptoms.history import NonFinite

EARLY = 4
"""So many of the first trainable parameters may serve; the smallest does."""


class FiniteCheck:
    """Checks losses and gradients of a model, once it is known."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    @cached_property
    def _parameter(self) -> Tensor | None:
        """The parameter whose gradient is summed up."""
        optimizers, own = self._subject.optimizers, self._subject.model.parameters()
        held = {id(parameter) for one in optimizers for group in one.param_groups for parameter in group["params"]}
        early = [p for p in own if id(p) in held and p.requires_grad and not hasattr(p, "full_tensor")]
        return min(early[:EARLY], key=lambda one: one.numel(), default=None)

    def check_loss(self, loss: Tensor, call: Call | None, step: int) -> NonFinite | None:
        """After the backward pass, before the step: what made the loss not finite; None where it is finite."""
        if loss.device.type != "cpu" or math.isfinite(float(loss.detach())):
            return None
        return self.locate(loss, call, step)

    def locate(self, loss: Tensor | None, call: Call | None, step: int) -> NonFinite:
        """What made a loss that is known not to be finite."""
        culprit = None if call is None else find_culprit(self._subject.model, call, loss)
        return _non_finite(culprit, step, Culprit(where="the loss", operation="unknown", direction="forward"))

    def check_gradient(
        self, loss: Tensor | None, call: Call | None, gradients: Mapping[int, Tensor | None], step: int
    ) -> NonFinite | None:
        """Before the step, with a loss that was finite: what made the gradient not finite; None where it is."""
        gradient = None if self._parameter is None else self._parameter.grad
        if gradient is None or gradient.device.type != "cpu" or gradient.layout != torch.strided:
            return None
        if math.isfinite(float(gradient.sum())) or bool(torch.isfinite(gradient).all()):
            return None
        culprit = None if call is None else find_backward_culprit(self._subject.model, call, gradients, loss)
        return _non_finite(culprit, step, Culprit(where="the model", operation="unknown", direction="backward"))


def _non_finite(culprit: Culprit | None, step: int, otherwise: Culprit) -> NonFinite:
    known = culprit or otherwise
    return NonFinite(
        step=step,
        where=known.where,
        operation=known.operation,
        direction=known.direction,
        replayed=culprit is not None,
    )
