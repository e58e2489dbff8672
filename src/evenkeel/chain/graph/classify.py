"""What each place of the graph is, and which nodes make one place: a recurrent layer, a norm written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from evenkeel.chain.graph.geometry import main_weight
from evenkeel.chain.graph.places import Grouping, Place
from evenkeel.chain.record.operations import RECURRENT
from evenkeel.chain.record.values import ModuleCall, Operation

_MIXING = frozenset(["linear", "convolution", "embedding", "recurrent", "attention", "pool", "operation", "join"])
_SHAPING_NODES = ("CopySlices", "AsStrided", "View", "Transpose", "Permute", "Slice", "Select", "Clone")


def grouping(operations: dict[Any, Operation], root: nn.Module) -> Grouping:
    """Merge the nodes of each call of a recurrent layer, and of each small module without weights that mix units."""
    inside: dict[int, set[str]] = {}
    for operation in operations.values():
        if operation.call is not None:
            inside.setdefault(id(operation.call), set()).add(operation.kind)

    def group(node: Any) -> Any:
        operation = operations.get(node)
        call = None if operation is None else operation.call
        if call is None or call.module is root or not call.leaf:
            return None
        if isinstance(call.module, nn.RNNBase) or _is_written_out(call, inside[id(call)]):
            return ("call", id(call))
        return None

    return group


def kind_of_place(place: Place) -> str:
    """The kind of a place, from its operations."""
    operation = place.operation
    if place.entry:
        return "view"
    if operation is None:
        name = place.members[0].name() if place.members else ""
        return "view" if name.startswith(_SHAPING_NODES) else "operation"
    call = operation.call
    if operation.name in RECURRENT or (call is not None and isinstance(call.module, nn.RNNBase)):
        return "recurrent"
    if len(place.members) > 1:
        return "norm" if call is not None and _is_norm(call) else "activation"
    if operation.kind in ("linear", "convolution", "embedding") and main_weight(operation) is None:
        return "operation"
    return operation.kind if operation.kind != "factory" else "operation"


def _is_written_out(call: ModuleCall, kinds: Iterable[str]) -> bool:
    """A leaf module that is a norm by name, or an activation composed of elementwise operations."""
    kinds = set(kinds)
    if _is_norm(call):
        return not kinds & {"linear", "convolution", "embedding", "recurrent", "attention", "norm"} and len(kinds) > 1
    return not kinds & (_MIXING | {"norm"}) and kinds != {"view"} and "dropout" not in kinds


def _is_norm(call: ModuleCall) -> bool:
    return "norm" in type(call.module).__name__.lower()
