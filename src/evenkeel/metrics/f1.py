"""F1: the harmonic mean of precision and recall; 0 where a class is neither predicted nor there.

F1 = 2 TP / (2 TP + FP + FN);   macro: mean over classes or labels; micro: of the counts added up
Source: van Rijsbergen 1979, Information Retrieval
"""

from typing import Literal

import torch

from evenkeel.metrics.base import Metric, Reported
from evenkeel.metrics.class_scores import labelled
from evenkeel.metrics.examples import classes
from evenkeel.metrics.gather import TensorOrArray, row_weight


def f1(
    probability: TensorOrArray,
    target: TensorOrArray,
    weight: TensorOrArray | None = None,
    *,
    average: Literal["macro", "micro"] = "macro",
) -> float:
    """F1, 0..1, of probabilities (row, label): the most probable class (row,), or labels (row, label) above one half.

    Example:
        >>> import numpy as np
        >>> round(f1(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), np.array([0, 1, 1])), 4)
        0.6667

    """
    scored = labelled(probability, target)
    rows = row_weight(weight, len(scored.score)).unsqueeze(1)
    if scored.exclusive:
        chosen = torch.zeros_like(scored.score).scatter_(1, scored.score.argmax(1, keepdim=True), 1.0)
    else:
        chosen = (scored.score > 0.5).double()
    hit, predicted, actual = ((rows * x).sum(0) for x in (chosen * scored.truth, chosen, scored.truth))
    if average == "micro":
        hit, predicted, actual = hit.sum(), predicted.sum(), actual.sum()
    return float((2 * hit / (predicted + actual).clamp(min=torch.finfo(torch.float64).tiny)).mean())


F1 = Metric(
    name="f1",
    summary="harmonic mean of precision and recall",
    source="van Rijsbergen 1979, Information Retrieval",
    call=f1,
    expects=("class-probability", "label-probability"),
    better="higher",
    example=classes,
    reported={
        "f1_micro": Reported({"average": "micro"}, "F1 over all labels together"),
        "f1_macro": Reported({"average": "macro"}, "F1 averaged over labels"),
    },
)
