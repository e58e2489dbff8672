"""Norm of one position of a sequence: over its own units alone, so that no position learns of another.

Mean and variance are those of the units of x.

    layer    y = (x - mean x) / sqrt(var x + eps) · w + b        Source: Ba et al. 2016, arXiv:1607.06450
    rms      y = x / sqrt(mean x² + eps) · w                     Source: Zhang and Sennrich 2019, arXiv:1910.07467
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.shapes import Float, Tensor

EPSILON = 1e-5  # torch's own default for a layer norm; of a unit variance it is nothing
STEP_NORMS = ("layer", "rms")
LEAKS = {
    "instance": "instance norm takes its mean over the steps, so a step would learn of those after it",
    "group": "group norm takes its mean over the steps, so a step would learn of those after it",
    "batch": "batch norm takes its mean over all steps and examples, so a step would learn of those after it, "
    "and training on sequences of unequal length would differ from predicting",
}


class StepNorm(nn.Module):
    """Layer or rms norm over the units of each position.

    Shapes: (*lead, unit) -> the same.

    Raises:
        RequestError: a norm that would carry what a later step holds to an earlier one, or that does not exist.

    Example:
        >>> StepNorm("rms", 2)(torch.tensor([[3.0, 3.0]]))
        tensor([[1.0000, 1.0000]], grad_fn=<MulBackward0>)
    """

    def __init__(self, kind: str | None, units: int) -> None:
        super().__init__()
        if kind in LEAKS:
            raise RequestError(f"{LEAKS[str(kind)]}; try norm='layer' or 'rms'")
        if kind not in STEP_NORMS:
            raise RequestError(f"no norm over one step is called {kind!r}; there are: {', '.join(STEP_NORMS)}")
        self.kind, self.units = kind, units
        self.weight = nn.Parameter(torch.ones(units))
        self.bias = nn.Parameter(torch.zeros(units)) if kind == "layer" else None

    @override
    def forward(self, x: Float[Tensor, "*lead unit"]) -> Float[Tensor, "*lead unit"]:
        if self.kind == "rms":
            return functional.rms_norm(x, (self.units,), self.weight, EPSILON)
        return functional.layer_norm(x, (self.units,), self.weight, self.bias, EPSILON)

    @override
    def extra_repr(self) -> str:
        return f"{self.kind!r}, {self.units}"
