"""Tape engine: loss and gradients replayed from a recorded step, where that is proved to be the same to the last bit.

The very first step is by autograd: what a network checks once, it checks then. Of each shape of batch the next one is
recorded and the one after done both ways: only where loss, gradients, buffers and the random state agree to the last
bit is the tape used from then on. It is used for networks whose every module is
torch's own or evenkeel's, as nobody can see from outside what other code does besides tensor operations; and in each
step only while no module or parameter has a hook, so that whoever watches sees a step by autograd.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module

from evenkeel.network import Network
from evenkeel.shapes import Tensor
from evenkeel.train.engines.base import EnginePart, LossAndGradients, Shapes
from evenkeel.train.engines.eager import Eager
from evenkeel.train.engines.recording import Tape, record

# Modules of these packages do nothing besides tensor operations that depend on the shapes of the batch alone.
TRANSPARENT = ("torch.nn.modules.", "evenkeel.")
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# Shapes of batches that are worth a tape each; more of them do not come again often enough.
MOST_TAPES = 4


class Taped:
    """Loss and gradients of a network from a tape, and by autograd wherever a tape may not be used.

    What the network is made of, and settings such as its dropout, must stay as they are; weights, buffers, mode and
    `requires_grad` may change at any time.

    Args:
        network: what is trained.
        parameters: those whose gradients are needed, in this order.
    """

    def __init__(self, network: Network, parameters: Sequence[nn.Parameter]) -> None:
        self.network, self.parameters = network, list(parameters)
        self.eager = Eager(network, parameters)
        self.buffers = list(network.buffers())
        self._hooks: list[Any] = [getattr(module, name) for module in network.modules() for name in HOOKS]
        self._hooks += [getattr(torch_module, f"_global{name}") for name in HOOKS]
        self._tapes: dict[object, Tape] = {}
        self._proved: set[object] = set()
        self._started, self._usable = False, True

    def __call__(self, inputs: Mapping[str, Tensor], target: Tensor, weight: Tensor | None = None) -> LossAndGradients:
        """Loss and gradients of a batch."""
        if not self._usable or not self._started or self._watched():
            self._started = True
            return self.eager(inputs, target, weight)
        names = tuple(inputs)
        batch = [*inputs.values(), target] if weight is None else [*inputs.values(), target, weight]
        key = (
            self.network.training,
            names,
            *[parameter.requires_grad for parameter in self.parameters],
            *[(tensor.shape, tensor.stride(), tensor.dtype) for tensor in batch],
        )
        tape = self._tapes.get(key)
        if tape is None:
            return self._record(key, names, batch)
        return tape(*batch) if key in self._proved else self._prove(key, tape, names, batch)

    def _loss(self, names: tuple[str, ...], batch: Sequence[Tensor]) -> Tensor:
        """The loss of tensors in a row: inputs, target and, if there is one, weight."""
        return self.network.loss(dict(zip(names, batch, strict=False)), *batch[len(names) :])

    def _by_autograd(self, names: tuple[str, ...], batch: Sequence[Tensor]) -> LossAndGradients:
        """Loss and gradients of tensors in a row without a tape."""
        return self.eager(dict(zip(names, batch, strict=False)), *batch[len(names) :])

    def _record(self, key: object, names: tuple[str, ...], batch: Sequence[Tensor]) -> LossAndGradients:
        """Take a step and record it; where that cannot be done, by autograd, now and from then on."""
        if len(self._tapes) == MOST_TAPES:
            return self._by_autograd(names, batch)
        before = self._snapshot(batch)
        try:
            tape, result = record(lambda *tensors: self._loss(names, tensors), batch, self.parameters, self.buffers)
        except Exception:  # what is really wrong is raised again, without the recorder in between
            self._usable = False
            self._restore(before)
            return self._by_autograd(names, batch)
        self._tapes[key] = tape
        return result

    def _prove(self, key: object, tape: Tape, names: tuple[str, ...], batch: Sequence[Tensor]) -> LossAndGradients:
        """Take a step by autograd and from the tape, and use the tape from now on if both agree to the last bit."""
        before = self._snapshot(batch)
        try:
            loss, gradients = tape(*batch)
            replayed = [loss, *gradients, *self._snapshot(batch)]
        except RuntimeError:  # sizes that depend on values
            replayed = []
        self._restore(before)
        result = self._by_autograd(names, batch)
        if same_numbers([result[0], *result[1], *self._snapshot(batch)], replayed):
            self._proved.add(key)
        else:
            self._usable = False
        return result

    def _snapshot(self, batch: Sequence[Tensor]) -> list[Tensor]:
        """What a step may change besides giving a loss and gradients: random state, buffers, the batch itself."""
        return [torch.get_rng_state(), *[tensor.clone() for tensor in [*self.buffers, *batch]]]

    def _restore(self, before: Sequence[Tensor]) -> None:
        """Put random state and buffers back."""
        torch.set_rng_state(before[0])
        with torch.no_grad():
            for buffer, value in zip(self.buffers, before[1:], strict=False):
                buffer.copy_(value)

    def _watched(self) -> bool:
        """Whether anybody would notice that a step is not by autograd: hooks, modes, gradients that are there."""
        return bool(
            any(self._hooks)
            or torch._C._len_torch_dispatch_stack()
            or torch._C._len_torch_function_stack()
            or torch._C._autograd._top_saved_tensors_default_hooks(True)  # pyright: ignore[reportAttributeAccessIssue]
            or torch.is_autocast_enabled("cpu")
            or torch.is_anomaly_enabled()
            or any(p.grad is not None or p._backward_hooks or p._post_accumulate_grad_hooks for p in self.parameters)
        )


def transparent(network: Network) -> bool:
    """Whether every module is torch's or evenkeel's, as it was written, and so is the loss."""
    return network.head.loss_name is not None and all(
        type(module).__module__.startswith(TRANSPARENT) and "forward" not in vars(module)
        for module in network.modules()
    )


def same_numbers(left: Sequence[Tensor | None], right: Sequence[Tensor | None]) -> bool:
    """Whether two rows of tensors hold the same numbers; NaN is the same as NaN."""
    return len(left) == len(right) and all(
        one is other
        if one is None or other is None
        else one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
        for one, other in zip(left, right, strict=True)
    )


def _fits(network: Network, parameters: Sequence[nn.Parameter], shapes: Shapes) -> bool:
    """A tape repeats what follows from the shapes of a batch alone; on a GPU the host is no bottleneck of this kind."""
    on_host = all(tensor.is_cpu for tensor in [*parameters, *network.buffers()])
    return shapes == "fixed" and on_host and transparent(network)


TAPE = EnginePart(
    name="tape",
    summary="a recorded step replayed without modules and autograd, for small networks on the CPU",
    source="bench/train_speed.py",
    call=Taped,
    fits=_fits,
    rank=50,
)
