"""Probabilities and true classes brought to one form: one column a label, and 1 where it is true."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evenkeel.errors import ShapeError
from evenkeel.metrics.gather import TensorOrArray, as_tensor, row_weight


@dataclass(frozen=True, kw_only=True)
class ScoredLabels:
    """Scores (row, label) in float64, truth (row, label) in 0 and 1, and whether one label excludes the others."""

    score: Tensor
    truth: Tensor
    exclusive: bool


def labelled(probability: TensorOrArray, target: TensorOrArray) -> ScoredLabels:
    """Bring either kind of target to columns: classes (row,) to one-hot, labels (row, label) as they are.

    A probability (row,) is that of the positive class or label.
    """
    score, truth = as_tensor(probability).double(), as_tensor(target)
    if score.ndim == 2 and truth.ndim == 1 and len(score) == len(truth):
        return ScoredLabels(score=score, truth=_one_hot(truth, score.shape[1]), exclusive=True)
    if score.shape == truth.shape and score.ndim in (1, 2):
        rows = len(score)
        columns = 1 if score.ndim == 1 else score.shape[1]
        return ScoredLabels(
            score=score.reshape(rows, columns), truth=truth.double().reshape(rows, columns), exclusive=False
        )
    raise ShapeError(
        f"probability must be (row, label) against classes (row,), or of the shape of 0/1 labels, "
        f"got {tuple(score.shape)} against {tuple(truth.shape)}; try one column per class"
    )


def _one_hot(target: Tensor, classes: int) -> Tensor:
    whole = target.long()
    if len(whole) and not (int(whole.min()) >= 0 and int(whole.max()) < classes):
        raise ShapeError(
            f"classes must be whole numbers 0..{classes - 1} (one column of probability each), "
            f"got {int(whole.min())}..{int(whole.max())}"
        )
    return torch.nn.functional.one_hot(whole, classes).double()


def mean_over_labels(
    scored: ScoredLabels, weight: TensorOrArray | None, score_one: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
) -> float | None:
    """Mean of a one-label score over the labels that are neither always nor never true; None where none is left.

    Two classes are one question, so only the second column counts.
    """
    rows = row_weight(weight, len(scored.score))
    truth, score = scored.truth[rows > 0], scored.score[rows > 0]
    kept = rows[rows > 0].numpy()
    columns = [1] if scored.exclusive and score.shape[1] == 2 else range(score.shape[1])
    answerable = [c for c in columns if 0 < float(truth[:, c].sum()) < len(truth)]
    scores = [score_one(score[:, c].numpy(), truth[:, c].numpy(), kept) for c in answerable]
    return sum(scores) / len(scores) if scores else None
