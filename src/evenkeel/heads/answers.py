"""Truth and prediction of each row in words, and how far apart they are: for the pictures of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Truth and prediction of each row in words; `right` is None of numbers.

    `miss` orders rows by how wrong they are, the largest first: the confidence in a mistake, minus that in what is
    right, or the size of an error. `confidence` is the probability of the prediction, None of numbers.

    Example:
        >>> answers = Answers(truth=["cat", "dog"], prediction=["cat", "cat"], miss=np.array([-0.9, 0.6]))
        >>> answers.prediction[int(answers.miss.argmax())]
        'cat'
    """

    truth: Sequence[str]
    prediction: Sequence[str]
    miss: np.ndarray
    right: np.ndarray | None = None
    confidence: np.ndarray | None = None
