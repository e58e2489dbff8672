"""Measure the chain of a training step that somebody else makes: on its own graph, or by replaying it.

On the graph: operations are recorded while the model runs, hooks on nodes read the user's own backward pass.
By replay (compiled models): inputs, random state and dL/dy are kept, and the model is run once more, eagerly.
Either way the step itself computes what it would have computed. Tensors are let go when the chain is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import wraps
from typing import Any

from torch import Tensor, nn
from torch._C._autograd import _top_saved_tensors_default_hooks
from typing_extensions import override

from evenkeel.chain.chain import Chain
from evenkeel.chain.graph.places import depends
from evenkeel.chain.look.echo import Echo, Form, form_of
from evenkeel.chain.measurement import Measurement
from evenkeel.chain.record.batch import examples_called, map_tensors, tensors_in
from evenkeel.chain.record.call import Arguments, Call, along, bound, called, forget_hooks
from evenkeel.chain.record.capture import Capture
from evenkeel.chain.record.gradients import PassGradients, keeper
from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.chain.record.recorder import Recorder
from evenkeel.chain.trace import trace
from evenkeel.errors import TrainingError
from evenkeel.shapes import Float

MOST_PASSES = 16
"""Forward passes recorded while none is differentiated; then those before are let go, with what they hold."""


class _Kept(Overwritten):
    """In a live step nothing is put back: it is the user's own."""

    @override
    def keep(self, tensors: Iterable[Tensor]) -> None:
        """Keep nothing."""


class _Careful(Recorder):
    """In somebody else's forward pass nothing of ours may raise: what goes wrong ends the recording, not the pass."""

    problem: Exception | None = None
    unpacking = False
    """Whether somebody packs what is saved for the backward pass: to look at it might compute it anew."""

    @override
    def _learn(self, tensors: list[Tensor], keys: list[int]) -> None:
        self.unpacking = self.unpacking or _top_saved_tensors_default_hooks(True) is not None
        super()._learn(tensors, keys)


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def careful(self: _Careful, *arguments: Any, **named: Any) -> Any:
        if self.problem is None:
            try:
                return method(self, *arguments, **named)
            except Exception as problem:
                self.problem = problem
        return None

    return careful


for _name in ("_learn", "_overwrite", "_before", "_describe", "_after"):
    setattr(_Careful, _name, _guarded(getattr(_Careful, _name)))


class LiveLook:
    """One step's chain on its own graph: `enter` and `leave` around each forward, `attach`, backward, `chain`.

    Example:
        >>> import torch
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
        self._recorder: _Careful | None = None
        self._running = ExitStack()
        self._reading = ExitStack()
        self._outputs: list[Tensor] = []
        self._batch: int | None = None
        self._passes = 0
        self._measurement: Measurement | None = None
        self._given = PassGradients()
        self._form: Form = ()
        self.echo: Echo | None = None
        """How to look at later steps of the same shape, where that is possible: after `chain`."""

    def enter(self, arguments: Arguments) -> None:
        """Before a forward pass with these arguments, positional and named: start to record."""
        self._passes += 1
        self._form = form_of(arguments)
        if self._passes % MOST_PASSES == 0:
            self._recorder, self._outputs = None, []
        if self._recorder is None:
            self._batch = examples_called(arguments, self._model)
            self._recorder = _Careful(self._model, tensors_in(arguments), self._batch, _Kept())
        else:
            self._recorder.feed(tensors_in(arguments))
        self._running.enter_context(self._recorder.calls)
        self._running.enter_context(self._recorder)

    def leave(self, output: Any) -> None:
        """After a forward pass, also one that raised: stop to record."""
        self._running.close()
        forget_hooks()
        self._outputs += [tensor for tensor in tensors_in(output) if tensor.grad_fn is not None]

    def reaches(self, loss: Float[Tensor, "*one"]) -> bool:
        """Whether the loss depends on an output that was recorded."""
        return depends(loss, self._outputs)

    def attach(self, loss: Float[Tensor, "*one"]) -> None:
        """Before the backward pass: look at the tensors, and put hooks on the nodes.

        Raises:
            TrainingError: the loss does not depend on what was recorded, or recording failed.
        """
        recorder = self._recorder
        if recorder is None:
            raise TrainingError("no forward pass was recorded: call enter and leave around it")
        if recorder.problem is not None:
            raise TrainingError(f"the forward pass could not be recorded: {recorder.problem}") from recorder.problem
        captured = Capture(
            model=self._model,
            loss=loss,
            leaves=[],
            entries=[],
            outputs=self._outputs,
            operations=recorder.operations,
            calls=recorder.calls,
            uses=recorder.uses,
            batch=self._batch,
            known_loss=None,
        )
        simple = self._passes == 1 and not recorder.unpacking
        self._measurement = Measurement(captured, "again" if simple else "once")
        self._recorder, self._outputs = None, []
        self._reading.enter_context(self._given.of(self._measurement.parameters))
        self._reading.enter_context(self._measurement.reading())
        self.echo = Echo(self._measurement, self._form) if simple else None

    def ask(self, unit: Tensor | float = 1.0) -> None:
        """After the backward pass: ask the device for what was measured, without waiting."""
        if self._measurement is None:
            raise TrainingError("no backward pass was seen: call attach before it")
        self._reading.close()
        self._measurement.ask(self._given.gradients)
        self._given = PassGradients()

    @property
    def ready(self) -> bool:
        """Whether `chain` would not wait for the device."""
        return self._measurement is not None and self._measurement.ready

    def chain(self, unit: float = 1.0) -> Chain:
        """What was asked for; `unit` is what the loss was multiplied with."""
        if self._measurement is None or not self._measurement.asked:
            self.ask()
        measurement, self._measurement = self._measurement, None
        return measurement.finish(unit=unit)  # type: ignore[union-attr]

    def drop(self) -> None:
        """Take everything back, whatever state this is in."""
        self._running.close()
        self._reading.close()
        forget_hooks()


class ReplayLook:
    """One step's chain by running it again; takes the same calls as `LiveLook`."""

    def __init__(self, model: nn.Module) -> None:
        self._model = getattr(model, "_orig_mod", model)
        self._call: Call | None = None
        self._inputs: Any = None
        self._gradients: dict[int, Tensor | None] = {}
        self._handles: list[Any] = []
        self._loss: Tensor | None = None
        self._found: Chain | None = None
        self._entered = 0

    def enter(self, arguments: Arguments) -> None:
        """Before a forward pass: keep its inputs and the random state."""
        self._entered += 1
        if self._entered == 1:
            self._call = called(arguments)
            self._inputs = map_tensors(bound(self._model, arguments), lambda one: one.detach().clone())

    def leave(self, output: Any) -> None:
        """After a forward pass: hooks where dL/dy will pass."""
        if self._entered > 1:
            return
        for index, tensor in enumerate(each for each in tensors_in(output) if each.requires_grad):
            self._handles.append(tensor.register_hook(keeper(self._gradients, index)))

    def reaches(self, loss: Float[Tensor, "*one"]) -> bool:
        """Whether it may depend on an output that was seen: `seen` tells after the backward pass."""
        return self._call is not None

    @property
    def seen(self) -> bool:
        """Whether a gradient came to an output of the first forward pass."""
        return bool(self._gradients)

    def attach(self, loss: Float[Tensor, "*one"]) -> None:
        """Before the backward pass: keep the loss."""
        self._loss = loss.detach()

    def ask(self, unit: Tensor | float = 1.0) -> None:
        """After the backward pass, before a step changes the weights: replay the first forward pass along dL/dy.

        Raises:
            TrainingError: the loss does not depend on the output of that pass.
        """
        if self._call is None or self._loss is None or not self._gradients:
            raise TrainingError("the loss does not depend on the output of the first forward pass")
        scaled = {index: None if one is None else one / unit for index, one in self._gradients.items()}
        with self._call.again():
            self._found = trace(self._model, along(scaled), (self._inputs, None))

    @property
    def ready(self) -> bool:
        """A replay waits for the device in any case."""
        return True

    def chain(self, unit: float = 1.0) -> Chain:
        """The chain of that pass; `unit` is what the loss was multiplied with."""
        if self._found is None or self._loss is None:
            self.ask(unit)
        return dataclasses.replace(self._found, loss=float(self._loss) / unit, known_loss=None)  # type: ignore[arg-type]

    def drop(self) -> None:
        """Take the hooks on outputs back."""
        for handle in self._handles:
            handle.remove()
