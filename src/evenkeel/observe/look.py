"""One look: the chain of one step, and what the optimizers did with its gradients."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from evenkeel.chain.look.echo import Echo
from evenkeel.chain.record.fetch import Fetch
from evenkeel.chain.record.statistics import norm_of
from evenkeel.observe.chain_look import ChainMethod, by_hooks, by_repeating, by_replay
from evenkeel.observe.weights import Rows, StepLook, gradient_norm, unheld
from evenkeel.symptoms.history import Observation

MODES = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


class _Requested(NamedTuple):
    """What the device was asked for: weights held and not, stale gradients, the factor of the loss."""

    held: list[Rows]
    outside: list[Rows]
    stale: Fetch
    unit: Fetch

    @property
    def ready(self) -> bool:
        return all(one.ready for one in (*self.held, *self.outside, self.stale, self.unit))


class Probe:
    """Fed by the events of one step; `measured` once the first backward pass that is about the model is over.

    A brief one leaves the chain out; an `echo` of an earlier look saves most of the time of a full one. Of the
    `weights` the step's changes are looked at, or the size of the gradient alone.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        depth: Literal["full", "brief"] = "full",
        echo: Echo | None = None,
        weights: Literal["changes", "gradients"] = "changes",
    ) -> None:
        self._model, self._optimizers, self.depth = model, optimizers, depth
        self._method = None if depth == "brief" else _whole(model) if echo is None else by_repeating(echo)
        self.echo: Echo | None = None
        """What this look leaves for later ones."""
        self._weights: Literal["changes", "gradients"] = weights
        self._requested: _Requested | None = None
        self._stale: list[Tensor] = []
        self._unit: Tensor | None = None
        self._attached = False
        self._steps: list[StepLook] = []
        self._evaluating = tuple(
            name for name, module in model.named_modules() if isinstance(module, MODES) and not module.training
        )
        self.measured = False

    def enter(self, arguments: tuple[tuple[Any, ...], Mapping[str, Any]]) -> None:
        """Begin a forward pass."""
        if self._attached:
            return
        if self._method is not None and not self._method.fits(arguments):
            self._method = _whole(self._model)
        if self._method is not None:
            self._method.look.enter(arguments)

    def leave(self, output: Any) -> None:
        """End a forward pass."""
        if self._method is not None and not self._attached:
            self._method.look.leave(output)

    def attach(self, loss: Tensor, unit: Tensor | None) -> None:
        """Begin a backward pass; gradients that exist already are stale, left by earlier steps."""
        if self._attached or (self._method is not None and not self._method.look.reaches(loss)):
            return
        held = [p for one in self._optimizers for group in one.param_groups for p in group["params"]]
        stale = [p.grad for p in held if p.grad is not None and p.grad.numel()]
        self._stale = list(map(_norm, stale))
        self._unit = unit
        if self._method is not None:
            self._method.look.attach(loss)
        self._attached = True

    def measure(self) -> None:
        """Measure the chain, after a backward pass."""
        if not self._attached or self.measured:
            return
        if self._method is not None and not self._method.reached():
            self._attached = False  # another model's loss
            return
        self.measured = True
        if self._method is not None:
            self._method.look.ask(1.0 if self._unit is None else self._unit)
            self.echo = self._method.echo()

    @property
    def repeated(self) -> bool:
        """Whether it repeats an earlier look."""
        return self._method is not None and self._method.repeats

    @property
    def guessed_wrong(self) -> bool:
        """Whether the step turned out to be another than the one that the echo is of."""
        return self._method is not None and self._method.other_step()

    def stepped(self, optimizer: Optimizer) -> bool:
        """Whether this optimizer's step has been looked at."""
        return any(one.optimizer is optimizer for one in self._steps)

    def step_begins(self, optimizer: Optimizer) -> None:
        """Before an optimizer's step; of several the first is looked at."""
        if not self.stepped(optimizer):
            self._steps.append(StepLook(self._model.named_parameters(), optimizer, self._weights))

    def step_ends(self, optimizer: Optimizer, *, closure: bool = False) -> None:
        """Measure what a step changed; `closure`: gradients came only during the step."""
        for one in self._steps:
            if one.optimizer is optimizer and not one.finished:
                one.finish(closure=closure)

    def ask(self) -> None:
        """All optimizers have stepped: ask the device for everything, without waiting."""
        outside = [unheld(self._model.named_parameters(), self._optimizers)] if self._weights == "changes" else []
        self._requested = _Requested(
            [one.ask() for one in self._steps],
            outside,
            Fetch(self._stale),
            Fetch([] if self._unit is None else [self._unit]),
        )

    @property
    def ready(self) -> bool:
        """Whether `look` would not wait for it."""
        chain = self._method is None or not self.measured or self._method.look.ready
        return chain and (self._requested is None or self._requested.ready)

    def look(self, step: int, loss: float | None) -> Observation:
        """Everything as one record."""
        if self._requested is None:
            self.ask()
        rows, outside, stale, unit = self._requested or _Requested([], [], Fetch([]), Fetch([]))
        factor = next(iter(unit.numbers()), 1.0)
        found = tuple(row for one in rows for row in one.read())
        norm, carried = gradient_norm(found), math.hypot(*stale.numbers())
        return Observation(
            step=step,
            loss=loss,
            rate=max((each.rate for each in self._steps), default=0.0),
            gradient_norm=norm,
            carried=carried / factor / norm if norm and self._attached else None,
            chain=self._method.look.chain(factor) if self._method is not None and self.measured else None,
            parameters=found + tuple(row for one in outside for row in one.read()) if outside else (),
            evaluating=self._evaluating,
        )

    def drop(self) -> None:
        """Remove every hook."""
        if self._method is not None:
            self._method.look.drop()
            self._method = None


def sharded(model: nn.Module) -> bool:
    """Whether parameters are split over processes: their values come and go during a step."""
    return any(hasattr(parameter, "full_tensor") for parameter in model.parameters())


def _whole(model: nn.Module) -> ChainMethod | None:
    """Measure without an earlier look; the chain of a model that is split over processes is not."""
    if sharded(model):
        return None
    return by_replay(model) if _compiled(model) else by_hooks(model)


def _compiled(model: nn.Module) -> bool:
    """Whether a part of the model may be compiled: hooks and modes never see the inside of such a part.

    A function that is compiled may be called from anywhere, so that where any was made, models are replayed.
    """
    compiler = sys.modules.get("torch._dynamo.eval_frame")
    backends = getattr(compiler, "cached_backends", {})
    return any(one is not None for one in backends.values()) or any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        for module in model.modules()
    )


def _norm(gradient: Tensor) -> Tensor:
    norm = norm_of(gradient) if not hasattr(gradient, "full_tensor") else torch.linalg.vector_norm(gradient)
    return norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # type: ignore[attr-defined]
