"""One recorded forward pass: the loss with its graph, the operations behind its nodes, the marks of both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evenkeel.chain.record.batch import (
    LossFunction,
    batch_length,
    call_loss,
    call_model,
    input_leaves,
    map_tensors,
    predicted,
    split_batch,
    tensors_in,
    usable,
)
from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.chain.record.recorder import CallStack, Recorder
from evenkeel.chain.record.values import Operation


@dataclass(kw_only=True)
class Capture:
    """What a forward pass left: the leaves of the inputs, `entries` (the graph nodes of what the model got)."""

    model: nn.Module
    loss: Tensor
    leaves: list[Tensor]
    entries: list[Any]
    outputs: list[Tensor]
    operations: list[Operation]
    calls: CallStack
    uses: Mapping[str, int]
    """How many operations each parameter enters."""
    batch: int | None
    known_loss: float | None

    def node_operations(self) -> dict[Any, Operation]:
        """The operation behind each autograd node that is still in use."""
        behind: dict[Any, Operation] = {}
        for operation in self.operations:
            for value in operation.outputs:
                node = value.node
                if node is not None and node not in behind:
                    behind[node] = operation.as_custom(node) if operation.hidden else operation
        return behind


def capture(model: nn.Module, loss: LossFunction | None, batch: Any, overwritten: Overwritten) -> Capture:
    """Run the model and the loss once, recorded; tensors from before that they write to go to `overwritten` first.

    A model that cannot take inputs with a gradient (it leaves torch on its way) is run again with plain ones; then
    every tensor of unknown origin counts as data.
    """
    state = torch.random.get_rng_state()
    try:
        return _capture(model, loss, batch, overwritten, gradient=True)
    except RuntimeError as problem:
        if "requires grad" not in str(problem):
            raise
    torch.random.set_rng_state(state)
    return _capture(model, loss, batch, overwritten, gradient=False)


def _capture(
    model: nn.Module, loss: LossFunction | None, batch: Any, overwritten: Overwritten, *, gradient: bool
) -> Capture:
    inputs, target = split_batch(batch, loss)
    target = map_tensors(target, usable)
    leaves: list[Tensor] = []
    entries: list[Any] = []
    marked_inputs = input_leaves(inputs, leaves, entries) if gradient else _copied(inputs)
    examples = batch_length(inputs, model)
    recorder = Recorder(model, tensors_in(marked_inputs), examples, overwritten, foreign=not gradient)
    recorder.own(set(tensors_in(marked_inputs)) - set(tensors_in(inputs)))
    known = None
    with recorder.calls, recorder:
        output = call_model(model, marked_inputs)
        recorder.phase = "output"
        marks: list[Tensor] = []
        marked = output if loss is None else map_tensors(output, lambda tensor: _mark(tensor, marks))
        recorder.phase = "loss"
        value = call_loss(loss, marked, target)
        if loss is not None:
            recorder.rest()
            known = _loss_of_zeros(loss, output, target)
    if loss is None and isinstance(predicted(output), Tensor):
        marks = [predicted(output)]
    return Capture(
        model=model,
        loss=value,
        leaves=leaves,
        entries=entries,
        outputs=[mark for mark in marks if mark.grad_fn is not None],
        operations=recorder.operations,
        calls=recorder.calls,
        uses=recorder.uses,
        batch=examples,
        known_loss=known,
    )


def _copied(inputs: Any) -> Any:
    return map_tensors(inputs, lambda tensor: tensor.detach().clone())


def _mark(tensor: Tensor, marks: list[Tensor]) -> Tensor:
    """An alias of an output tensor: its node receives exactly dL/dy, apart from any other use of the same value."""
    if tensor.grad_fn is None or not tensor.is_floating_point():
        return tensor
    marks.append(tensor.view_as(tensor))
    return marks[-1]


def _loss_of_zeros(loss: LossFunction, output: Any, target: Any) -> float | None:
    """The loss of a head that says nothing (all outputs zero): ln C for cross-entropy, ln 2 for binary, ..."""
    try:
        with torch.no_grad():
            value = loss(map_tensors(output, torch.zeros_like), _copied(target))
        known = float(value.detach())
    except Exception:
        return None  # a loss with its own demands on the output (a simplex, a positive rate) has no such value
    return known if torch.isfinite(torch.tensor(known)) else None
