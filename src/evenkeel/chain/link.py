"""The records of a chain's links: what was measured at each of them, at each parallel path, and at each weight.

    dL/dw_i = dL/dy · (product over j = i..N of dh_{j+1}/dh_j) · dh_i/dw_i

`Chain.output_gradient` is the size of the first factor, `Link.gain` that of each middle factor along this batch's
gradient, and a `LocalTerm` holds the last. Norms are Euclidean over the whole batch; rms values are per entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from evenkeel.chain.record.recurrent import Unrolled


@dataclass(frozen=True, kw_only=True)
class LocalTerm:
    """The last factor dh_i/dw_i at one weight of a link, and the weight gradient that it gives.

    For one example and a linear layer, gradient_norm = output_gradient_norm · input_norm exactly.
    """

    name: str
    """The parameter, as in `model.named_parameters()`."""
    shape: tuple[int, ...]
    rms: float
    """Root mean square of the weight itself."""
    ideal_rms: float | None
    """What it would be at the best initialisation for what follows; None where no theory says."""
    input_rms: float | None
    input_norm: float | None
    """Of what the weight is multiplied with; None for integer inputs."""
    output_gradient_norm: float | None
    """Of the loss's gradient right after the weight, before norm and activation."""
    gradient_norm: float | None
    """Of the loss's gradient to this weight, from this call of it alone; None where it gets none (frozen)."""

    @property
    def gradient_rms(self) -> float | None:
        """Root mean square of the weight's gradient."""
        return None if self.gradient_norm is None else self.gradient_norm / math.sqrt(max(1, math.prod(self.shape)))


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One of several parallel paths of a link, or a bypass that joins the link's input from further up."""

    name: str
    kind: str
    """`skip` (nothing but views), `path`, or `bypass`."""
    gain: float | None
    """Norm of what this path alone contributes at the link's input, over that of the gradient at the path's upper end.

    The upper end of a path is the link's output, that of a bypass the value further up that uses it.
    """
    expected_gain: float | None
    ideal_gain: float | None
    contribution: float | None
    """The norm of what this path alone contributes at the link's input."""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """One factor of the chain: a weighted layer with the norm and activation that follow, or parallel paths.

    Every number is None where it does not exist: no gain without a gradient at the input, no expectation without a
    theory (`measured_only`), no similarity without an axis of examples.
    """

    name: str
    kind: str
    """`linear`, `convolution`, `embedding`, `recurrent`, `norm`, `residual`, `sum`, `attention`, ..."""
    gain: float | None
    """||gradient at the input|| / ||gradient at the output||, counting only what passes through this link."""
    expected_gain: float | None
    """By theory, for the link's actual weights, activation and input scale: it explains."""
    ideal_gain: float | None
    """What such a link has at its own best initialisation: distance from it, with harm done, detects."""
    scatter: float | None
    """Variance that theory allows ln gain² at its ideal, for one example; None without a law."""
    forward_rms: float | None
    """Of the link's output."""
    backward_rms: float | None
    """Of the loss's gradient at the link's output."""
    similarity: float | None
    """Mean cosine between the output features of different examples: near 1, the network is blind to its input."""
    dead: float | None
    """Share of units that are zero for all inputs seen; None where the link ends in no activation."""
    saturated: float | None
    """Share of entries on the flat part of a bounded activation; None without one."""
    contribution: float | None
    """Norm of the gradient that this link passes to its input."""
    output_gradient_norm: float | None
    exact_cut: bool
    """Whether every path through the model passes the link's input; False on the spine beside a bypass."""
    activation: str | None = None
    norm: str | None = None
    width: int | None = None
    """Units (or channels) of the output."""
    terms: tuple[LocalTerm, ...] = ()
    branches: tuple[Branch, ...] = ()
    singular_values: tuple[float, ...] = ()
    """The largest of d output / d input for the batch's first example, where `trace(..., spectrum=k)` asked."""
    steps: Unrolled | None = None
    """For a recurrent layer: the chain over time."""

    @property
    def input_rms(self) -> float | None:
        """The local term: rms of the input to the link's first weight."""
        return next((term.input_rms for term in self.terms if term.input_rms is not None), None)

    @property
    def weight_rms(self) -> float | None:
        """Root mean square of the link's first weight."""
        return self.terms[0].rms if self.terms else None

    @property
    def gradient_rms(self) -> float | None:
        """Root mean square of the gradient of the link's first weight that gets one."""
        return next((term.gradient_rms for term in self.terms if term.gradient_rms is not None), None)

    @property
    def measured_only(self) -> bool:
        """Whether no theory holds for this link (attention, custom operations)."""
        return self.expected_gain is None

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Link]]:
        """The link itself and all links inside its branches, each with its depth of nesting."""
        yield depth, self
        for branch in self.branches:
            for link in branch.links:
                yield from link.walk(depth + 1)


def ratio(above: float | None, below: float | None) -> float | None:
    """A quotient that knows about missing numbers: None without either, 0/0 is 0."""
    if above is None or below is None:
        return None
    if below == 0:
        return 0.0 if above == 0 else math.inf
    return above / below


def product(factors: list[float | None]) -> float | None:
    """The product, or None where a factor is missing or there is none."""
    known = [factor for factor in factors if factor is not None]
    return math.prod(known) if known and len(known) == len(factors) else None
