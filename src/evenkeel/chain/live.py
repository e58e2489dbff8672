"""Measure the chain of a training step that somebody else makes: on its own graph, or by replaying it.

On the graph: operations are recorded while the model runs, hooks on nodes read the user's own backward pass.
By replay (compiled models): inputs, random state and dL/dy are kept, and the model is run once more, eagerly.
Either way the step itself computes what it would have computed. Tensors are let go when the chain is written.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from evenkeel.chain.batch import batch_length, map_tensors, tensors_in
from evenkeel.chain.capture import Capture
from evenkeel.chain.link import Chain
from evenkeel.chain.measurement import Measurement
from evenkeel.chain.overwritten import Overwritten
from evenkeel.chain.record import Recorder
from evenkeel.chain.trace import trace
from evenkeel.shapes import Float


class _Kept(Overwritten):
    """In a live step nothing is put back: it is the user's own."""

    @override
    def keep(self, tensors: Iterable[Tensor]) -> None:
        """Keep nothing."""


class LiveLook:
    """One step's chain on its own graph: `enter` and `leave` around each forward, `attach`, backward, `chain`.

    Example:
        >>> model, x = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)), torch.randn(16, 4)
        >>> look = LiveLook(model)
        >>> look.enter(((x,), {}))
        >>> output = model(x)
        >>> look.leave(output)
        >>> loss = output.square().mean()
        >>> look.attach(loss)
        >>> loss.backward()
        >>> [link.name for link in look.chain().links]
        ['0', '2']
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._recorder: Recorder | None = None
        self._running = ExitStack()
        self._reading = ExitStack()
        self._outputs: list[Tensor] = []
        self._batch: int | None = None
        self._measurement: Measurement | None = None
        self._gradients: dict[str, Tensor | None] = {}

    def enter(self, arguments: tuple[tuple[Any, ...], Mapping[str, Any]]) -> None:
        """Before a forward pass with these arguments, positional and named: start to record."""
        if self._recorder is None:
            self._batch = batch_length(arguments)
            self._recorder = Recorder(self._model, tensors_in(arguments), self._batch, _Kept())
        else:
            self._recorder.feed(tensors_in(arguments))
        self._running.enter_context(self._recorder.calls)
        self._running.enter_context(self._recorder)

    def leave(self, output: Any) -> None:
        """After a forward pass, also one that raised: stop to record."""
        self._running.close()
        self._outputs += [tensor for tensor in tensors_in(output) if tensor.grad_fn is not None]

    def attach(self, loss: Float[Tensor, "*one"]) -> None:
        """Before the backward pass: look at the tensors, and put hooks on the nodes.

        Raises:
            TrainingError: the loss does not depend on what was recorded.
        """
        assert self._recorder is not None
        captured = Capture(
            loss=loss,
            leaves=[],
            entries=[],
            outputs=self._outputs,
            operations=self._recorder.operations,
            calls=self._recorder.calls,
            uses=self._recorder.uses,
            batch=self._batch,
            known_loss=None,
        )
        self._measurement = Measurement(self._model, captured)
        self._recorder, self._outputs = None, []
        for name, parameter in self._measurement.parameters.items():
            handle = parameter.register_hook(_keeper(self._gradients, name))
            self._reading.callback(handle.remove)
        self._reading.enter_context(self._measurement.meter.reading())

    def chain(self, unit: float = 1.0) -> Chain:
        """After the backward pass: the chain; `unit` is what the loss was multiplied with."""
        assert self._measurement is not None
        self._reading.close()
        return self._measurement.chain(self._gradients, unit=unit)

    def drop(self) -> None:
        """Take everything back, whatever state this is in."""
        self._running.close()
        self._reading.close()


class ReplayLook:
    """One step's chain by running it again; takes the same calls as `LiveLook`."""

    def __init__(self, model: nn.Module) -> None:
        self._model = getattr(model, "_orig_mod", model)
        self._inputs: Any = None
        self._states: list[Tensor] = []
        self._gradients: dict[int, Tensor | None] = {}
        self._loss = math.nan
        self._entered = 0

    def enter(self, arguments: tuple[tuple[Any, ...], Mapping[str, Any]]) -> None:
        """Before a forward pass: keep its inputs and the random state."""
        self._entered += 1
        if self._entered == 1:
            self._states = _random_states()
            self._inputs = map_tensors(_bound(self._model, arguments), lambda one: one.detach().clone())

    def leave(self, output: Any) -> None:
        """After a forward pass: hooks where dL/dy will pass."""
        if self._entered > 1:
            return
        for index, tensor in enumerate(each for each in tensors_in(output) if each.requires_grad):
            tensor.register_hook(_keeper(self._gradients, index))

    def attach(self, loss: Float[Tensor, "*one"]) -> None:
        """Before the backward pass: keep the loss."""
        self._loss = float(loss.detach())

    def chain(self, unit: float = 1.0) -> Chain:
        """After the backward pass: the chain of the first forward pass, replayed along the dL/dy that was seen."""

        def along(output: Any, target: None) -> Tensor:
            tensors = [tensor for tensor in tensors_in(output) if tensor.requires_grad]
            seen = [(tensor, self._gradients.get(index)) for index, tensor in enumerate(tensors)]
            return torch.stack([(tensor * given / unit).sum() for tensor, given in seen if given is not None]).sum()

        before = _random_states()
        _set_random_states(self._states)
        try:
            found = trace(self._model, along, (self._inputs, None))
        finally:
            _set_random_states(before)
        return dataclasses.replace(found, loss=self._loss / unit, known_loss=None)

    def drop(self) -> None:
        """Nothing hangs on the model."""


def _keeper(into: dict[Any, Tensor | None], key: Any) -> Callable[[Tensor], None]:
    def hook(gradient: Tensor) -> None:
        into[key] = gradient.detach()

    return hook


def _bound(model: nn.Module, arguments: tuple[tuple[Any, ...], Mapping[str, Any]]) -> Any:
    """The arguments of a call as `trace` takes them: a tuple, or by name where some came so."""
    positional, named = arguments
    if not named:
        return tuple(positional)
    return dict(inspect.signature(model.forward).bind(*positional, **named).arguments)


def _random_states() -> list[Tensor]:
    """The states of the CPU's generator and of every GPU's."""
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    return [torch.get_rng_state(), *gpus]


def _set_random_states(states: list[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
