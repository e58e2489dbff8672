"""Which operation made the first value that is not finite; all others only passed it on.

The forward pass is replayed on the same inputs with the same random state and operations are looked at one by one: the
culprit is the first whose inputs are finite and whose output is not. The model is left as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from evenkeel.chain.batch import map_tensors, tensors_in
from evenkeel.chain.operations import describe
from evenkeel.chain.record import CallStack
from evenkeel.chain.state import eager, undisturbed

Direction = Literal["forward", "backward", "data", "weights"]


@dataclass(frozen=True, kw_only=True)
class Culprit:
    """Where a value that is not finite came from."""

    where: str
    operation: str
    direction: Direction


def find_culprit(
    model: nn.Module,
    arguments: tuple[tuple[Any, ...], Mapping[str, Any]],
    states: list[Tensor],
    loss: Tensor | None = None,
) -> Culprit | None:
    """The producer in a forward pass with these arguments and random states; None where all is finite.

    Args:
        model: replayed without gradients, and left as it was.
        arguments: positional and named.
        states: of the random generators before the pass: the CPU's, then each GPU's.
        loss: the loss itself, whose own operations are asked where the model's are finite.
    """
    if not all(map(_finite, tensors_in(arguments))):
        return Culprit(where="the batch", operation="input", direction="data")
    broken = [name for name, parameter in model.named_parameters() if not _finite(parameter.detach())]
    if broken:
        return Culprit(where=broken[0], operation="update", direction="weights")
    broken = [name for name, buffer in model.named_buffers() if not _finite(buffer)]
    if broken:
        return Culprit(where=broken[0], operation="running average", direction="weights")
    found = _replayed(model, arguments, states)
    if found is None and loss is not None and not math.isfinite(float(loss.detach())):
        return Culprit(where="the loss", operation=_loss_operation(loss), direction="forward")
    return found


def _replayed(
    model: nn.Module, arguments: tuple[tuple[Any, ...], Mapping[str, Any]], states: list[Tensor]
) -> Culprit | None:
    positional, named = map_tensors(arguments, lambda tensor: tensor.detach().clone())
    with undisturbed(model), eager(), torch.no_grad():
        torch.set_rng_state(states[0])
        if states[1:]:
            torch.cuda.set_rng_state_all(states[1:])
        finder = _Finder(model)
        with finder.calls, finder:
            model(*positional, **named)
    return finder.found


class _Finder(TorchDispatchMode):
    """Looks at each operation until one makes what is not finite out of what is."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.calls = CallStack(model)
        self.found: Culprit | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation, and check it while none is found."""
        kwargs = kwargs or {}
        name = describe(func).name
        # A mask of -inf is how attention is told what not to look at: made on purpose, it is no fault.
        clean = self.found is None and all(map(_finite, tensors_in((args, kwargs)))) and not name.startswith("_local")
        out = func(*args, **kwargs)
        if clean and not _made_on_purpose(name, args, kwargs) and not all(map(_finite, tensors_in(out))):
            call = self.calls.current
            self.found = Culprit(where=call.path if call else "the model", operation=name, direction="forward")
        return out


def _made_on_purpose(name: str, args: Any, kwargs: Mapping[str, Any]) -> bool:
    """Whether an operation was told to write what is not finite, or leaves memory as it found it."""
    numbers = [value for value in (*_flat(args), *kwargs.values()) if isinstance(value, float)]
    return name.startswith(("empty", "new_empty")) or not all(map(math.isfinite, numbers))


def _flat(values: Iterable[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, (tuple, list)) else (value,))]


def _loss_operation(loss: Tensor) -> str:
    """The operation nearest to the output that is known for such values, else the loss's last."""
    last, seen, stack, found = "", set(), [loss.grad_fn], ""
    while stack:
        node = stack.pop()
        if node is None or node in seen or len(seen) > 1000:
            continue
        seen.add(node)
        name = node.name().partition("Backward")[0]
        last = last or name
        if name in ("Log", "Exp", "Div", "Sqrt", "Rsqrt", "Pow", "Reciprocal", "Log1P", "Log10", "Log2"):
            found = found or name
        stack += [below for below, _ in node.next_functions]
    return (found or last or "unknown").lower()


def _finite(tensor: Tensor) -> bool:
    if not (tensor.is_floating_point() or tensor.is_complex()) or not tensor.numel():
        return True
    return bool(torch.isfinite(tensor).all())
