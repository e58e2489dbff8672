"""Mean squared error: the loss of a value whose errors are normal and equally wide everywhere.

L = (prediction - target)²   [units of the target, squared]      mean: Σ w·L / Σ w      Source: Gauss 1809
"""

import torch

from evenkeel.losses.base import Example, Loss
from evenkeel.losses.fit_shapes import share
from evenkeel.losses.module import module_form
from evenkeel.losses.precision import widen
from evenkeel.losses.reduce import reduce
from evenkeel.shapes import Float, Int, Reduction, Tensor


def mse(
    prediction: Float[Tensor, "*output"],
    target: Float[Tensor, "*shared"] | Int[Tensor, "*shared"],
    *,
    weight: Float[Tensor, "..."] | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Squared error of `prediction` against a target of the same shape, or of its last axes (an ensemble shares it).

    `weight` broadcasts against the prediction; the mean is over the sum of the weights, or over all elements without.
    With `reduction="none"` there is one value per element. Raises `ShapeError` where (batch, 1) meets (batch,).

    Example:
        >>> import torch
        >>> mse(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(2.)
    """
    prediction = widen(prediction)
    error = prediction - share(target.to(prediction), prediction.shape)
    return reduce(error**2, reduction, weight=weight)


MseLoss = module_form(mse)


def _example(batch: int, generator: torch.Generator, dtype: torch.dtype) -> Example:
    prediction, target, weight = torch.randn(3, batch, 2, generator=generator, dtype=torch.float64).to(dtype)
    return Example(output=(prediction,), target=(target,), options={"weight": weight.abs()})


MSE = Loss(
    name="mse",
    summary="a value; errors of one constant width",
    source="Gauss 1809, Theoria motus",
    call=mse,
    expects=("value",),
    example=_example,
    each="element",
    ensemble="mean output",
)
