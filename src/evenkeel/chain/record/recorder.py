"""Write down the forward pass: which operation made which node of the graph, from which data and which weights.

A dispatch mode sees every operation, functional or in place, of any module. It follows two marks on storages: *data*
(computed from the inputs) and *weights* (a parameter, or computed from parameters alone), so that integer inputs,
weights that enter through matmul or einsum, and casts under autocast are all understood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from evenkeel.chain.record.call import forget_hooks
from evenkeel.chain.record.operations import SAVES_RESULT, Described, Kind, describe
from evenkeel.chain.record.overwritten import Overwritten
from evenkeel.chain.record.values import ModuleCall, Operation, Value, Weight

_HELD_KINDS = frozenset(["linear", "convolution", "norm", "recurrent", "embedding", "pool"])
"""Kinds whose input is looked at later: the local term, the spread that a norm divides by, the shape of a pool's."""
_BEFORE_ACTIVATION = frozenset(["linear", "convolution", "norm", "view", "elementwise"])
_UNSAVED = frozenset(["linear"])
"""Outputs that autograd does not keep by itself: once used, holding them would only cost memory."""
_KEEPS_INPUT = frozenset(["view", "norm", "linear", "convolution", "attention", "factory"])
"""Users of a value that do keep it (or a view of it) for their own backward pass."""


class Recorder(TorchDispatchMode):
    """Record operations while active; `calls` gives each the module that it happened in."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled meanwhile (see `eager`): the guard against it would cost more than the recording."""
        return False

    def __init__(
        self,
        model: nn.Module,
        inputs: Iterable[Tensor],
        batch: int | None,
        overwritten: Overwritten,
        *,
        foreign: bool = False,
    ) -> None:
        super().__init__()
        self._overwritten = overwritten
        self._model = model
        self._foreign = foreign
        """Whether tensors that no operation made count as data."""
        self.operations: list[Operation] = []
        self.phase = "model"
        self.calls = CallStack(model)
        self.uses: Counter[str] = Counter()
        """How many operations each parameter enters, views of it apart."""
        self._batch = batch
        self._data = {_key(tensor) for tensor in inputs}
        self._weights: dict[int, str] = {}
        self._masks: dict[int, float] = {}
        self._alive: dict[int, list[Value]] = {}
        self._made: set[int] = set()
        self._buffers = {_key(buffer) for buffer in model.buffers() if not is_lazy(buffer)} if foreign else set()
        self._learn_parameters()

    def own(self, tensors: Iterable[Tensor]) -> None:
        """Tensors that were made for this pass: nobody else sees what is written to them."""
        self._made.update(_key(tensor) for tensor in tensors)

    def feed(self, inputs: Iterable[Tensor]) -> None:
        """Further inputs: the model is called once more before the backward pass."""
        self._data.update(_key(tensor) for tensor in inputs)

    def rest(self) -> None:
        """Write down nothing more; tensors from before are still kept when they are written to."""
        self._data, self._foreign = set(), False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and write it down."""
        kwargs = kwargs or {}
        described = describe(func)
        if described.name == "detach":
            return func(*args, **kwargs)  # no node of the graph, and the same storage: all marks stay
        tensors = _tensors((*args, *kwargs.values()))
        keys = [_key(tensor) for tensor in tensors]
        self._learn(tensors, keys)
        from_data = described.kind != "factory" and not self._data.isdisjoint(keys)
        if described.alias and not from_data:
            return func(*args, **kwargs)
        if described.writes:
            self._overwrite(described, args, kwargs)
        self._before(described, keys if from_data else [])
        operation = self._describe(func, described, args, tensors, keys) if from_data else None
        out = func(*args, **kwargs)
        self._after(described, out, keys, operation, args)
        return out

    def _learn_parameters(self) -> None:
        for name, parameter in self._model.named_parameters():
            if not is_lazy(parameter):
                self._weights.setdefault(_key(parameter), name)

    def _learn(self, tensors: list[Tensor], keys: list[int]) -> None:
        """Find out about tensors that nobody has seen: layers built on the way, data from outside torch."""
        for tensor, key in zip(tensors, keys, strict=True):
            if key in self._data or key in self._weights:
                continue
            if tensor.requires_grad and tensor.is_leaf:
                self._learn_parameters()
                self._weights.setdefault(key, "parameter")
            elif self._foreign and key not in self._made and key not in self._buffers and tensor.ndim > 0:
                self._data.add(key)

    def _overwrite(self, described: Described, args: Any, kwargs: dict[str, Any]) -> None:
        """Summarise what is about to be overwritten; keep it where it is not of this pass."""
        written = [kwargs.get(name) if at >= len(args) else args[at] for at, name in described.writes]
        for tensor in _tensors(written):
            key = _key(tensor)
            if key not in self._made:
                self._overwritten.keep([tensor])
            self._freeze(key, light=described.name in SAVES_RESULT)

    def _before(self, described: Described, keys: list[int]) -> None:
        """Summarise what only we would keep alive."""
        for key in keys if described.kind not in _KEEPS_INPUT or described.name == "clone" else ():
            alive = self._alive.get(key)
            if alive and (alive[-1].kind in _UNSAVED or described.name in SAVES_RESULT or described.name == "clone"):
                shifted = described.kind == "elementwise" and any(other in self._weights for other in keys)
                self._freeze(key, light=shifted or described.kind != "elementwise")

    def _freeze(self, key: int, *, light: bool) -> None:
        """Summarise and let go; `light` leaves similarity out where the value is no link's end (a pre-activation)."""
        for value in self._alive.pop(key, ()):
            value.freeze(None if light and value.kind in _BEFORE_ACTIVATION else self._batch)

    def _describe(
        self, func: Any, described: Described, args: Any, tensors: list[Tensor], keys: list[int]
    ) -> Operation:
        plain = tuple(self._plain(value) for value in args)
        operation = Operation(
            name=described.name,
            kind=described.kind,
            function=func,
            arguments=plain,
            call=self.calls.current,
            phase=self.phase,
            hidden=not torch.is_grad_enabled(),
        )
        for position, (tensor, key) in enumerate(zip(tensors, keys, strict=True)):
            name = self._weight_name(key)
            if name is not None:
                operation.weights.append(Weight(name=name, tensor=tensor.detach(), position=position))
            elif described.kind in _HELD_KINDS and key in self._data and not operation.inputs:
                operation.inputs.append(self._hold(tensor, key, described.kind, weak=described.kind == "pool"))
            elif key in self._masks:
                operation.kind, operation.keep = "dropout", self._masks[key]
            elif described.kind == "norm":
                operation.buffers.append(tensor.detach())
        return operation

    def _plain(self, value: Any) -> Any:
        """An argument as it is, a lone number out of its tensor, and nothing of any other tensor."""
        if not isinstance(value, Tensor):
            return value
        lone = value.ndim == 0 and value.device.type == "cpu" and not value.requires_grad
        return value.item() if lone and _key(value) not in self._data else None

    def _weight_name(self, key: int) -> str | None:
        return None if key in self._data else self._weights.get(key)

    def _hold(self, tensor: Tensor, key: int, kind: Kind, *, weak: bool = False) -> Value:
        alive = self._alive.setdefault(key, [])
        weak = weak or not torch.is_grad_enabled()
        if not weak and alive and alive[-1].tensor is tensor:
            return alive[-1]  # what one operation made and the next one takes
        alive.append(Value(tensor, weak=weak, kind=kind))
        return alive[-1]

    def _after(self, described: Described, out: Any, keys: list[int], operation: Operation | None, args: Any) -> None:
        names = [self._weights[key] for key in keys if key in self._weights]
        if names and described.kind != "view":
            self.uses.update(names)
        for tensor in _tensors((out,)):
            key = _key(tensor)
            if key not in keys:
                self._forget(key)
                self._made.add(key)
            if operation is not None:
                self._data.add(key)
                operation.outputs.append(self._hold(tensor, key, described.kind))
            elif names and described.kind != "factory" and key not in self._data:
                self._weights.setdefault(key, names[0])
            if described.name == "bernoulli":
                chance = args[1] if len(args) > 1 else 0.5  # the operator's default is left out
                if isinstance(chance, float):
                    self._masks[key] = chance
        if operation is not None:
            self.operations.append(operation)

    def _forget(self, key: int) -> None:
        """A storage's address is used again after it is freed: its old marks mean nothing."""
        self._data.discard(key)
        self._weights.pop(key, None)
        self._masks.pop(key, None)
        self._alive.pop(key, None)


class CallStack:
    """Which module is running: kept by hooks on all modules at once, which leave the model itself untouched."""

    def __init__(self, model: nn.Module) -> None:
        self._paths = {id(module): path or type(model).__name__ for path, module in model.named_modules()}
        self._counts: dict[int, int] = {}
        self._stack: list[ModuleCall] = []
        self._handles: list[Any] = []
        self.recurrent: list[RecurrentCall] = []

    @property
    def current(self) -> ModuleCall | None:
        """The innermost module call in progress."""
        return self._stack[-1] if self._stack else None

    def __enter__(self) -> CallStack:
        """Start to follow calls."""
        self._handles = [
            module_hooks.register_module_forward_pre_hook(self._enter),
            module_hooks.register_module_forward_hook(self._leave, with_kwargs=True),
        ]
        return self

    def __exit__(self, *problem: object) -> None:
        """Stop to follow calls."""
        for handle in self._handles:
            handle.remove()
        forget_hooks()

    def _enter(self, module: nn.Module, arguments: Any) -> None:
        path = self._paths.get(id(module))
        if path is None:
            return
        number = self._counts.get(id(module), 0)
        self._counts[id(module)] = number + 1
        leaf = not any(child is not None for child in module._modules.values())
        self._stack.append(ModuleCall(path=path, module=module, number=number, leaf=leaf))

    def _leave(self, module: nn.Module, arguments: Any, named: dict[str, Any], output: Any) -> None:
        if id(module) not in self._paths:
            return
        while self._stack:  # a call that raised and was caught never leaves: drop what is above ours
            call = self._stack.pop()
            if call.module is module:
                if isinstance(module, nn.RNNBase):
                    self.recurrent.append(RecurrentCall(call, (*arguments, *named.values()), output))
                break


class RecurrentCall:
    """The arguments and the output of one call of a recurrent layer, kept for unrolling it afterwards."""

    def __init__(self, call: ModuleCall, arguments: Any, output: Any) -> None:
        self.call = call
        self.arguments = arguments
        self.output = output


def _key(tensor: Tensor) -> int:
    """The address of the storage behind a tensor (its own where it has none): views share their base's marks."""
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return id(tensor)


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    """All tensors in nested tuples and lists, in order."""
    tensors: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, (tuple, list)) and value and not isinstance(value[0], (int, float)):
            tensors += _tensors(value)
    return tensors
