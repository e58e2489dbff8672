"""Expected and ideal gain of a link, from its operations: theory applied to actual weights and measured input scale.

Each operation in turn multiplies the squared gain and passes on the variance that the next one sees. Wherever no rule
holds (attention, products, custom operations), the answer is None: measured only. Rules for squared gains:

    weights     kappa = ||Jacobian||² / outputs           q' = kappa · E x² + mean bias²
    norm        mean(scale² / measured variance) (1-2/m)  q' = mean scale² + mean shift²
    activation  E phi'(z)², z ~ N(0, q)                   dropout  1 / keep
    sum         the sum over its paths (a skip counts 1)  concatenation  the same, weighted by each part's share
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from evenkeel.chain.graph.geometry import bias_square, contracted, kappa, main_weight
from evenkeel.chain.graph.places import Place
from evenkeel.chain.record.operations import BATCH_NORM
from evenkeel.chain.record.statistics import Summary
from evenkeel.chain.record.values import Operation
from evenkeel.chain.theory.activation import IDENTITY, Activation, activation_of, ideal_gain


@dataclass(frozen=True, kw_only=True)
class Theory:
    """What theory says of one link; None where it says nothing."""

    expected: float | None
    ideal: float | None
    scatter: float | None = None


EPSILON = 1e-5
"""What norms add to a variance by default."""
UNKNOWN = Theory(expected=None, ideal=None)


@dataclass(kw_only=True)
class _Running:
    """The squared gain so far, and the variance of what is normal at this point (None: not normal, or unknown)."""

    gain: float | None = 1.0
    q: float | None = None
    structure: float | None = 1.0
    """The squared gain that stays whatever the weights are: dropout, pools, constants."""
    weights: Operation | None = None
    norm: Operation | None = None
    norm_gain: float | None = None
    activation: Activation | None = None

    def multiply(self, factor: float | None, *, structural: bool = False) -> None:
        """Apply one factor to the squared gain."""
        self.gain = None if self.gain is None or factor is None else self.gain * factor
        if structural or factor is None:
            self.structure = None if self.structure is None or factor is None else self.structure * factor


def of_series(places: list[Place], before: Summary | None) -> Theory:
    """Theory for operations in a row; `before` summarises what goes into the first."""
    running = _Running()
    for place in places:
        _apply(running, place, before)
    expected = None if running.gain is None else math.sqrt(running.gain)
    return Theory(expected=expected, ideal=_ideal(running), scatter=_scatter(running, places))


def of_sum(expected: float | None) -> Theory:
    """A sum of parallel paths: its ideal keeps the size, with branches scaled down or begun at zero."""
    return Theory(expected=expected, ideal=1.0)


def root_sum(parts: list[float | None]) -> float | None:
    """The root of the sum of squares, None where a part is missing.

    Example:
        >>> root_sum([3.0, 4.0]), root_sum([1.0, None])
        (5.0, None)
    """
    known = [part for part in parts if part is not None]
    return math.sqrt(sum(part**2 for part in known)) if known and len(known) == len(parts) else None


def root_product(factors: list[float | None]) -> float | None:
    """The product of factors, None where one is missing."""
    known = [factor for factor in factors if factor is not None]
    return math.prod(known, start=1.0) if len(known) == len(factors) else None


def _apply(running: _Running, place: Place, before: Summary | None) -> None:
    operation, kind = place.operation, place.kind
    if kind in ("view", "spread"):
        return
    if operation is None:
        running.multiply(None)
    elif kind in ("linear", "convolution"):
        _weights(running, operation)
    elif kind == "norm":
        _norm(running, place, before)
    elif kind == "activation":
        _activation(running, operation, single=len(place.members) == 1)
    elif kind == "dropout":
        keep = operation.keep or _native_keep(operation)
        running.multiply(1 / keep if keep else None, structural=True)
        running.q = None
    elif kind == "elementwise":
        _elementwise(running, operation)
    elif kind == "pool":
        running.multiply(pool_gain(operation), structural=True)
        running.q = None
    else:
        running.multiply(None)


def _weights(running: _Running, operation: Operation) -> None:
    factor = kappa(operation)
    summary = operation.inputs[0].summary(None) if operation.inputs else None
    running.multiply(factor)
    running.weights = operation
    running.q = None
    if factor is not None and summary is not None and summary.count:
        running.q = factor * float(summary.norm) ** 2 / summary.count + bias_square(operation)


def _norm(running: _Running, place: Place, before: Summary | None) -> None:
    operation = place.operation
    if operation is None:
        return
    inverse = _inverse_variance(place, before if running.weights is None else None)
    scale, shift = _scale_and_shift(operation)
    running.norm, running.norm_gain = operation, inverse
    running.multiply(None if inverse is None else inverse * scale)
    if inverse is None:
        running.structure = 1.0  # a norm without numbers still has an ideal by its kind
    running.q = scale + shift


def _inverse_variance(place: Place, before: Summary | None) -> float | None:
    """Mean of 1/variance, as the norm itself saved it; in eval mode from the running average.

    A norm over m entries also takes mean and size out of the gradient: two directions of m.
    """
    operation = place.operation
    if operation is None:
        return None
    saved = operation.outputs[-1].tensor if len(operation.outputs) > 1 else None
    if len(place.members) == 1 and saved is not None and 0 < saved.numel() < math.prod(operation.outputs[0].shape):
        together = math.prod(operation.outputs[0].shape) / saved.numel()
        return float(saved.detach().float().square().mean()) * max(0.0, 1 - 2 / together)
    if len(operation.buffers) > 1:
        return float((1 / (operation.buffers[1].float() + EPSILON)).mean())
    if before is None or not before.count or float(before.norm) == 0:
        return None
    return before.count / float(before.norm) ** 2


def _scale_and_shift(operation: Operation) -> tuple[float, float]:
    """Mean squares of the norm's scale and shift (1 and 0 without them)."""
    squares = [w.mean_square for w in operation.weights]
    return (squares[0] if squares else 1.0), (squares[1] if len(squares) > 1 else 0.0)


def _activation(running: _Running, operation: Operation, *, single: bool) -> None:
    activation = activation_of(operation) if single else None
    if activation is None or running.q is None or running.activation is not None:
        running.multiply(None)
        return
    running.activation = activation
    running.multiply(activation.moments(running.q).slope_square)
    running.q = None


def _elementwise(running: _Running, operation: Operation) -> None:
    """Multiplication by a number, addition of a bias, multiplication by a scale; anything else is unknown."""
    number = operation.arguments[1] if len(operation.arguments) > 1 else None
    if operation.name in ("mul", "div") and isinstance(number, (int, float)) and number:
        factor = float(number) if operation.name == "mul" else 1 / number
        running.multiply(factor**2, structural=True)
        running.q = None if running.q is None else running.q * factor**2
    elif operation.name == "add" and operation.weights:
        square = operation.weights[0].mean_square
        running.q = None if running.q is None else running.q + square
    elif operation.name == "mul" and operation.weights:
        square = operation.weights[0].mean_square
        running.multiply(square)
        running.q = None if running.q is None else running.q * square
    elif operation.name != "neg":
        running.multiply(None)


def pool_gain(operation: Operation) -> float | None:
    """Squared gain of a pool: an average of k entries passes 1/k; a maximum over separate windows passes 1."""
    outputs = operation.outputs[0].shape if operation.outputs else ()
    if operation.name in ("avg_pool2d", "avg_pool3d", "max_pool2d_with_indices", "max_pool3d_with_indices"):
        size = list(operation.arguments[1])
        stride = list(operation.arguments[2] or size) if len(operation.arguments) > 2 else size
        kernel = math.prod(size) if len(size) > 1 else size[0] ** (len(outputs) - 2)
        if size != stride:
            return None
        return 1 / kernel if operation.name.startswith("avg") else 1.0
    if operation.name in ("mean", "_adaptive_avg_pool2d") and operation.inputs:
        return math.prod(outputs) / max(1, math.prod(operation.inputs[0].shape))
    return 1.0 if operation.name in ("amax", "max", "adaptive_max_pool2d") else None


def _ideal(running: _Running) -> float | None:
    if running.structure is None:
        return None
    phi = running.activation or IDENTITY
    at_one = phi.moments(1.0)
    if running.norm is None:
        if running.weights is None:
            return math.sqrt(running.structure)
        square = ideal_gain(phi) ** 2
    elif running.weights is None:
        square = None if running.norm_gain is None else running.norm_gain * at_one.slope_square
    else:
        spread = at_one.variance if running.norm.name in BATCH_NORM else at_one.square
        square = at_one.slope_square / spread if spread > 0 else None
    return None if square is None else math.sqrt(square * running.structure)


def _scatter(running: _Running, places: list[Place]) -> float | None:
    """The per-example law, where it applies: dense weights with or without an activation, nothing else."""
    dense = running.weights is not None and running.weights.kind == "linear"
    if not dense or running.norm is not None or any(p.kind in ("dropout", "pool") for p in places):
        return None
    if running.gain is None or running.weights is None:
        return None
    weight = main_weight(running.weights)
    fan_in = None if weight is None else contracted(running.weights, weight)
    if fan_in is None:
        return None
    return (running.activation or IDENTITY).moments(1.0).scatter(fan_in, running.weights.outputs[0].shape[-1])


def _native_keep(operation: Operation) -> float | None:
    """What `native_dropout(input, p, train)` keeps."""
    number = operation.arguments[1] if len(operation.arguments) > 1 else None
    return 1 - number if isinstance(number, float) and number < 1 else None
