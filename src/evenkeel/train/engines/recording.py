"""Record a step's loss and gradients as a flat list of tensor operations, replayed without modules or autograd.

A small network spends a third of its time outside the kernels: module calls, the graph of autograd, saved tensors.
What the kernels get is the same in every step, so one step is watched from below autograd (every operation that
reaches a kernel, forwards and backwards, with its arguments), written out as one Python function, and replayed. The
same kernels run in the same order on the same numbers and draw the same random numbers, so the bits are the same too:
a tape may be taken at any step, or not at all.

Recording is one real step, some milliseconds; nothing is compiled. Only what is not fixed by the shapes of the batch
would go wrong: a step that reads a number back or whose shapes depend on values is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from typing_extensions import override

from evenkeel.shapes import Tensor
from evenkeel.train.engines.base import LossAndGradients


class NotFixedError(Exception):
    """A step does something that a list of operations cannot repeat; the message says what."""


class Tape:
    """The recorded operations of one step; call it with a batch of the recorded shapes.

    Args:
        source: what was recorded, as Python.
        names: what the source refers to besides the batch: operations, parameters, buffers, constants.

    Example:
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        >>> tape, first = record(lambda x: (x * weight).sum(), [torch.ones(2)], [weight], [])
        >>> loss, gradients = tape(torch.tensor([3.0, 5.0]))
        >>> loss, gradients[0]
        (tensor(13.), tensor([3., 5.]))
    """

    def __init__(self, source: str, names: dict[str, Any]) -> None:
        self.source, self._names = source, dict(names)
        exec(source, self._names)  # its own text, made of names that it chose itself
        self._replay: Callable[..., LossAndGradients] = self._names["replay"]

    def __call__(self, *batch: Tensor) -> LossAndGradients:
        """The loss of a batch, and its gradient for each parameter: new tensors each time, none shared."""
        # Below autograd: nothing is to be remembered, and not asking is cheaper than asking for nothing.
        with torch._C._AutoDispatchBelowAutograd():
            return self._replay(*batch)


def record(
    loss_of: Callable[..., Tensor], batch: Sequence[Tensor], parameters: Sequence[Tensor], buffers: Iterable[Tensor]
) -> tuple[Tape, LossAndGradients]:
    """Take one step of loss and gradients; return the tape that repeats it, and what the step itself gave.

    Args:
        loss_of: called with the batch; a scalar.
        batch: what differs from step to step.
        parameters: gradients are taken for those that require one; None for those that have none.
        buffers: other tensors that keep their place from step to step.

    Raises:
        NotFixedError: the step does something that a tape cannot repeat.
    """
    roots = {f"batch{index}": tensor for index, tensor in enumerate(batch)}
    roots |= {f"parameter{index}": tensor for index, tensor in enumerate(parameters)}
    roots |= {f"buffer{index}": tensor for index, tensor in enumerate(buffers)}
    recorder = _Recorder(roots)
    with recorder:
        loss = loss_of(*batch)
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        taken = iter(torch.autograd.grad(loss, trained, allow_unused=True))
        gradients = [next(taken) if parameter.requires_grad else None for parameter in parameters]
        with torch.no_grad():
            gradients = _own(gradients, parameters, roots.values())
    return recorder.tape(len(batch), loss, gradients), (loss.detach(), gradients)


def _own(gradients: list[Tensor | None], parameters: Sequence[Tensor], roots: Iterable[Tensor]) -> list[Tensor | None]:
    """Gradients in the layout of their parameters, each in memory of its own: the optimizer writes into them."""
    taken = {_memory(root) for root in roots}
    owned: list[Tensor | None] = []
    for gradient, parameter in zip(gradients, parameters, strict=True):
        if gradient is not None:
            if gradient.stride() != parameter.stride() or _memory(gradient) in taken:
                gradient = torch.empty_like(parameter).copy_(gradient)  # noqa: PLW2901
            taken.add(_memory(gradient))
        owned.append(gradient)
    return owned


def _memory(tensor: Tensor) -> int:
    """What tells the memory of a tensor from that of every other living one."""
    return tensor.untyped_storage()._cdata


class _Recorder(TorchDispatchMode):
    """Writes down every operation below autograd, with a name for each tensor.

    A tensor is known by the place and geometry of its numbers, not as an object: autograd keeps copies of the object.
    All of them are kept alive until the end, so that no place is used twice.
    """

    def __init__(self, roots: dict[str, Tensor]) -> None:
        super().__init__()
        self.names: dict[str, Any] = dict(roots)
        self.known = {_place(tensor): name for name, tensor in roots.items()}
        self.lines: list[tuple[str, set[str], str]] = []  # names it sets, names it reads, the call
        self.alive: list[object] = [roots]
        self.constant: set[int] = set()  # memory of tensors that the step neither made nor was called with
        if len(self.known) < len(roots):
            raise NotFixedError("two inputs are one tensor; which of them an operation reads cannot be seen")

    @override
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self._require_fixed(func, args, kwargs)
        reads: set[str] = set()
        arguments = [self._text(value, reads) for value in args]
        arguments += [f"{name}={self._text(value, reads)}" for name, value in kwargs.items()]
        result = func(*args, **kwargs)
        self.alive.append((args, kwargs, result))
        if isinstance(result, Tensor) and func.is_view and _place(result) == _place(args[0]):
            return result  # the same numbers under another object: detach, a view of the same shape
        self.lines.append((self._targets(func, result), reads, f"{self._operation(func)}({', '.join(arguments)})"))
        return result

    def _require_fixed(self, func: Any, args: Any, kwargs: Any) -> None:
        """Refuse what reads a value back, has a shape that depends on values, or changes a constant."""
        if torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
            raise NotFixedError(f"{func} depends on values")
        for position, argument in enumerate(func._schema.arguments):
            value = args[position] if position < len(args) else kwargs.get(argument.name)
            written = argument.alias_info is not None and argument.alias_info.is_write
            if not written or not isinstance(value, Tensor):
                continue
            if _place(value) not in self.known or _memory(value) in self.constant:
                raise NotFixedError(f"{func} changes a tensor that the step did not make")

    def _targets(self, func: Any, result: Any) -> str:
        """Names for what an operation gives, as the left side of an assignment."""
        several = isinstance(result, (tuple, list))
        names = []
        for part in result if several else (result,):
            if part is not None and not isinstance(part, Tensor):
                raise NotFixedError(f"{func} gives {type(part).__name__}, not a tensor")
            names.append(f"t{len(self.alive)}_{len(names)}")
            if part is not None:
                self.known[_place(part)] = names[-1]
        return ", ".join(names) + ("," if several else "")

    def _operation(self, func: Any) -> str:
        """The name of the kernel's entry, which is reached without the bookkeeping of its wrapper."""
        name = str(func).replace(".", "_")
        self.names[name] = func._op
        return name

    def _text(self, value: Any, reads: set[str]) -> str:
        """Write an argument as Python; `reads` gathers the names it uses."""
        if isinstance(value, Tensor):
            name = self.known.get(_place(value))
            reads.add(name := name or self._constant(value))
            return name
        if isinstance(value, (list, tuple)):
            return f"[{', '.join(self._text(part, reads) for part in value)}]"
        if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
            return repr(value)
        return self._constant(value)

    def _constant(self, value: Any) -> str:
        """A name for what stays as it is in every step."""
        name = f"constant{len(self.names)}"
        self.names[name] = value
        if isinstance(value, Tensor):
            self.known[_place(value)] = name
            self.constant.add(_memory(value))
        return name

    def tape(self, batch: int, loss: Tensor, gradients: list[Tensor | None]) -> Tape:
        """Everything written down so far, as a function from the batch to the loss and the gradients."""
        results: set[str] = set()
        returned = f"{self._text(loss, results)}, {self._text(gradients, results)}"
        last = {name: index for index, (_, reads, _) in enumerate(self.lines) for name in reads}
        body = []
        for index, (targets, reads, call) in enumerate(self.lines):
            body.append(f"{targets} = {call}")
            # What is not needed again gives its memory back at once, for the next operation to find it in the cache.
            made = {name for name in reads if name.startswith("t") and last[name] == index}
            made |= {name for name in targets.replace(",", " ").split() if name not in last}
            if done := sorted(made - results):
                body.append(f"del {', '.join(done)}")
        inputs = [f"batch{index}" for index in range(batch)]
        for name in inputs:
            self.names.pop(name)
        source = "\n    ".join([f"def replay({', '.join(inputs)}):", *body, f"return {returned}"])
        return Tape(source, self.names)


def _place(tensor: Tensor) -> tuple[object, ...]:
    """Where the numbers of a tensor are, and how they are read: equal for two tensors that are one to every kernel."""
    return (_memory(tensor), tensor.storage_offset(), tensor.shape, tensor.stride(), tensor.dtype)
