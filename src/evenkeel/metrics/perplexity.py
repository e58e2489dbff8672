"""Perplexity: among how many equally likely tokens the network hesitates, on average.

PPL = exp(-Σ w log p(token) / Σ w);   1 is certainty, the size of the vocabulary is knowing nothing
Source: Jelinek et al. 1977, doi:10.1121/1.2016299
"""

import math

from evenkeel.metrics.base import Metric
from evenkeel.metrics.examples import tokens
from evenkeel.metrics.gather import TensorOrArray
from evenkeel.metrics.tokens import surprise

LARGEST = 709.0
"""Nats above which exp() does not fit into float64."""


def perplexity(
    log_probability: TensorOrArray,
    target: TensorOrArray,
    weight: TensorOrArray | None = None,
    *,
    ignore_index: int = -100,
) -> float | None:
    """Perplexity of the natural logarithms (row, ...) of the probabilities of the tokens that came.

    `target`, of the same shape, holds those tokens: where it is `ignore_index` the step is left out. None where every
    step is; infinite where a token was thought impossible.

    Example:
        >>> import numpy as np
        >>> round(perplexity(np.log([[0.5, 0.125]]), np.array([[3, 1]])), 4)
        4.0

    """
    surprised = surprise(log_probability, target, weight, ignore_index)
    if not surprised.count:
        return None
    mean = surprised.nats / surprised.count
    return math.exp(mean) if mean < LARGEST else math.inf


PERPLEXITY = Metric(
    name="perplexity",
    summary="among how many equally likely tokens the network hesitates",
    source="Jelinek et al. 1977, doi:10.1121/1.2016299",
    call=perplexity,
    expects=("log-probability",),
    better="lower",
    example=tokens,
    explanation="among how many equally likely tokens the network hesitates; 1 is certainty",
)
