"""Accuracy: the share of rows whose most probable class is the true one."""

from evenkeel.errors import ShapeError
from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import classes
from evenkeel.metrics.gather import TensorOrArray, as_tensor, mean


def accuracy(prediction: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Share of correct rows: of probabilities (row, label), or of predicted classes of the shape of the target.

    Example:
        >>> import numpy as np
        >>> accuracy(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
        0.5

    """
    predicted, true = as_tensor(prediction), as_tensor(target)
    if predicted.is_floating_point() and predicted.ndim == true.ndim + 1:
        predicted = predicted.argmax(-1)
    if predicted.shape != true.shape:
        raise ShapeError(
            f"prediction must be (row, label) or of the shape of the target {tuple(true.shape)}, "
            f"got {tuple(predicted.shape)}; try one column of probability per class"
        )
    return mean((predicted == true).double(), weight)


ACCURACY = Metric(
    name="accuracy",
    summary="share of rows whose class is right",
    source="standard",
    call=accuracy,
    expects=("class-probability",),
    better="higher",
    example=classes,
    explanation="share of rows with the right class",
    form="percent",
)
