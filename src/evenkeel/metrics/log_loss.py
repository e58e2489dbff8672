"""Log loss: the surprise at the truth under predicted probabilities; cross-entropy of what was predicted.

classes: -log p_y;   labels: -y log p - (1 - y) log(1 - p), mean over labels   [nats]
Probabilities are kept a rounding error away from 0 and 1, as scikit-learn does, so one sure error is not infinite.
"""

import torch

from evenkeel.metrics.base import Metric
from evenkeel.metrics.class_scores import labelled
from evenkeel.metrics.examples import classes
from evenkeel.metrics.gather import TensorOrArray, as_tensor, mean


def log_loss(probability: TensorOrArray, target: TensorOrArray, weight: TensorOrArray | None = None) -> float:
    """Mean log loss of probabilities (row, label) against classes (row,) or 0/1 labels (row, label), in nats.

    Example:
        >>> import numpy as np
        >>> round(log_loss(np.array([[0.5, 0.5]]), np.array([1])), 4)
        0.6931

    """
    scored = labelled(probability, target)
    kind = as_tensor(probability).dtype
    least = torch.finfo(kind if kind.is_floating_point else torch.float64).eps
    score = scored.score.clamp(least, 1 - least)
    if scored.exclusive:
        return mean(-(scored.truth * score.log()).sum(1), weight)
    return mean(-scored.truth * score.log() - (1 - scored.truth) * torch.log1p(-score), weight)


LOG_LOSS = Metric(
    name="log_loss",
    summary="surprise at the truth under the predicted probabilities",
    source="Good 1952, Rational decisions",
    call=log_loss,
    expects=("class-probability", "label-probability"),
    better="lower",
    example=classes,
    explanation="surprise at the true class, in nats; lower is better",
)
