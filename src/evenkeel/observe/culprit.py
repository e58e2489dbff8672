"""Which operation made the first value that is not finite; all others only passed it on.

The forward pass is replayed on the same inputs with the same random state and operations are looked at one by one: the
culprit is the first whose inputs are finite and whose output is not. Where the loss is finite and gradients are not,
the backward pass is replayed along the dL/dy that was seen. The model is left as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from evenkeel.chain.record.batch import map_tensors, tensors_in
from evenkeel.chain.record.call import Call, along, bound
from evenkeel.chain.record.capture import capture
from evenkeel.chain.record.operations import describe
from evenkeel.chain.record.recorder import CallStack
from evenkeel.chain.record.state import eager, undisturbed

Direction = Literal["forward", "backward", "data", "weights"]
UNDEFINED = (
    "log",
    "exp",
    "div",
    "sqrt",
    "rsqrt",
    "pow",
    "reciprocal",
    "log1p",
    "log10",
    "log2",
    "norm",
    "acos",
    "asin",
)
"""Operations of a loss that make such values out of ordinary ones."""
FINE, MASKED, LOST = 0, 1, 2
ABSORBING = frozenset([
    "_softmax", "softmax", "exp", "sigmoid", "tanh", "where", "clamp", "clamp_min", "relu", "nan_to_num",
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention", "_scaled_dot_product_attention_math",
])  # fmt: skip
"""Operations that make something finite of -inf."""
MOST_NODES = 20_000
"""Nodes of a graph that are looked at."""


@dataclass(frozen=True, kw_only=True)
class Culprit:
    """Where a value that is not finite came from."""

    where: str
    operation: str
    direction: Direction


def find_culprit(model: nn.Module, call: Call, loss: Tensor | None = None) -> Culprit | None:
    """The producer in a forward pass; None where all is finite.

    Args:
        model: replayed without gradients, and left as it was.
        call: the pass, as it was made.
        loss: the loss itself, whose own operations are asked where the model's are finite.
    """
    if not all(_finite(tensor) or _mask(tensor) for tensor in tensors_in(call.arguments)):
        return Culprit(where="the batch", operation="input", direction="data")
    model = getattr(model, "_orig_mod", model)
    broken = [name for name, parameter in model.named_parameters() if not _finite(parameter.detach())]
    if broken:
        return Culprit(where=broken[0], operation="update", direction="weights")
    broken = [name for name, buffer in model.named_buffers() if not _finite(buffer) and not _mask(buffer)]
    if broken:
        return Culprit(where=broken[0], operation="running average", direction="weights")
    culprit = _replayed(model, call)
    if culprit is None and loss is not None and not math.isfinite(float(loss.detach())):
        return Culprit(where="the loss", operation=_loss_operation(loss), direction="forward")
    return culprit


def find_backward_culprit(
    model: nn.Module, call: Call, gradients: Mapping[int, Tensor | None], loss: Tensor | None = None
) -> Culprit | None:
    """The producer in the backward pass of a loss that is finite.

    Args:
        model: replayed, and left as it was.
        call: the forward pass, as it was made.
        gradients: dL/dy as seen, by the place of the tensor among the output's.
        loss: whose own operations are asked where dL/dy is not finite already.
    """
    seen = [gradient for gradient in gradients.values() if gradient is not None]
    if not all(map(_finite, seen)):
        operation = "unknown" if loss is None else _loss_operation(loss)
        return Culprit(where="the loss", operation=operation, direction="backward")
    subject = getattr(model, "_orig_mod", model)
    if not seen:
        return None
    with undisturbed(subject) as overwritten, eager(), call.again(), torch.enable_grad():
        batch = bound(subject, map_tensors(call.arguments, lambda tensor: tensor.detach().clone())), None
        captured = capture(subject, along(gradients), batch, overwritten)
        operations, suspects = captured.node_operations(), []
        for node in _nodes(captured.loss.grad_fn):
            node.register_hook(_suspect(node, suspects))
        wanted = [*captured.leaves, *(one for one in subject.parameters() if one.requires_grad)]
        torch.autograd.grad(captured.loss, wanted, allow_unused=True)
    if not suspects:
        return None
    operation = operations.get(suspects[0])
    if operation is None:
        return Culprit(where="the model", operation=_plain(suspects[0]), direction="backward")
    where = operation.call.path if operation.call else "the model"
    return Culprit(where=where, operation=operation.name, direction="backward")


def _suspect(node: Any, suspects: list[Any]) -> Any:
    def hook(below: Iterable[Tensor | None], above: Iterable[Tensor | None]) -> None:
        if not suspects and all(_finite(one) for one in above if one is not None):
            suspects.extend([node] * any(not _finite(one) for one in below if one is not None))

    return hook


def _replayed(model: nn.Module, call: Call) -> Culprit | None:
    positional, named = map_tensors(call.arguments, lambda tensor: tensor.detach().clone())
    with undisturbed(model), eager(), call.again(), torch.no_grad():
        finder = _Finder(model)
        with finder.calls, finder:
            model(*positional, **named)
    return finder.culprit


class _Finder(TorchDispatchMode):
    """Looks at each operation until one makes what is not finite out of what is."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.calls = CallStack(model)
        self.culprit: Culprit | None = None
        self._level = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation, and check it while none is found that nothing makes good."""
        kwargs = kwargs or {}
        name = describe(func).name
        before = _worst(tensors_in((args, kwargs)))
        out = func(*args, **kwargs)
        if self._level == LOST or name.startswith("_local") or _made_on_purpose(name, args, kwargs):
            return out
        after = _worst(tensors_in(out))
        if self.culprit is not None and before == MASKED and after == FINE and name in ABSORBING:
            self.culprit, self._level = None, FINE
        elif after > before:
            call = self.calls.current
            where = call.path if call else "the model"
            self.culprit = self.culprit or Culprit(where=where, operation=name, direction="forward")
            self._level = after
        return out


def _worst(tensors: Iterable[Tensor]) -> int:
    """How bad the worst value is: -inf is how attention is told what not to look at, and may be no fault."""
    worst = FINE
    for tensor in tensors:
        if not _finite(tensor):
            minus = not tensor.is_complex() and not bool(((tensor == math.inf) | tensor.isnan()).any())
            worst = max(worst, MASKED if minus else LOST)
    return worst


def _made_on_purpose(name: str, args: Any, kwargs: Mapping[str, Any]) -> bool:
    """Whether an operation was told to write what is not finite, or leaves memory as it found it."""
    numbers = [value for value in (*_flat(args), *kwargs.values()) if isinstance(value, float)]
    return name.startswith(("empty", "new_empty")) or not all(map(math.isfinite, numbers))


def _flat(values: Iterable[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, (tuple, list)) else (value,))]


def _loss_operation(loss: Tensor) -> str:
    """The operation nearest to the output that is known for such values, else the loss's last."""
    names = [_plain(node) for node in _nodes(loss.grad_fn)]
    return next((name for name in names if name in UNDEFINED), names[0] if names else "unknown")


def _nodes(top: Any) -> list[Any]:
    """The first nodes of a graph, from the top."""
    seen, nodes = {top}, [top] if top is not None else []
    for node in nodes:
        for below, _ in node.next_functions:
            if below is not None and below not in seen and len(nodes) < MOST_NODES:
                seen.add(below)
                nodes.append(below)
    return nodes


def _plain(node: Any) -> str:
    return node.name().partition("Backward")[0].lower()


def _mask(buffer: Tensor) -> bool:
    """Whether a buffer is one of zeros and -inf, as attention is masked with."""
    return bool(((buffer == 0) | (buffer == -math.inf)).all())


def _finite(tensor: Tensor) -> bool:
    if not (tensor.is_floating_point() or tensor.is_complex()) or not tensor.numel():
        return True
    return bool(torch.isfinite(tensor).all())
