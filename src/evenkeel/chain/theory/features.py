"""What a link's operations show of it: where its units are, how many, what its activation and norm are called."""

from __future__ import annotations

from evenkeel.chain.graph.places import Place
from evenkeel.chain.record.values import Value
from evenkeel.chain.theory.activation import Activation, activation_of

_PLAIN = {"_prelu_kernel": "prelu", "rrelu_with_noise": "rrelu", "log_sigmoid_forward": "log_sigmoid"}


def layout_of(places: list[Place], axes: int) -> str:
    """Where a link's units are: channels after a convolution, by member in an ensemble's batched weights, else last."""
    shapes = [w.tensor.ndim for p in places if p.kind == "linear" and p.operation for w in p.operation.weights]
    if shapes:
        return "members" if any(ndim == 3 for ndim in shapes) else "units"
    return "convolution" if axes >= 4 or any(place.kind == "convolution" for place in places) else "units"


def width_of(output: Value, places: list[Place]) -> int | None:
    """Units (or channels) of a link's output."""
    if not output.shape:
        return None
    return output.shape[1] if layout_of(places, len(output.shape)) == "convolution" else output.shape[-1]


def activation_name(place: Place | None, roles: list[str]) -> str | None:
    """The operator's name in plain words, or `written out` for one that consists of several operations."""
    if place is None or place.operation is None:
        return "written out" if "activation" in roles else None
    if len(place.members) > 1:
        return "written out"
    if place.operation.name == "hardtanh" and place.operation.arguments[1:3] == (0, 6):
        return "relu6"
    return _PLAIN.get(place.operation.name, place.operation.name)


def function_of(place: Place | None) -> Activation | None:
    """The elementwise function of a place that is one activation, None of one that is written out in several."""
    return (
        None if place is None or place.operation is None or len(place.members) > 1 else activation_of(place.operation)
    )


def norm_name(place: Place | None) -> str | None:
    """The operator's name, or just `norm` for one that is written out in several operations."""
    if place is None or place.operation is None:
        return None
    return place.operation.name if len(place.members) == 1 else "norm"
