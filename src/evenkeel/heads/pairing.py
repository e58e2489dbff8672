"""What belongs together in a batch of embeddings, brought to the form that each kind of loss takes.

loss                                          output              target
nt_xent_from_labels, triplet_from_labels      (batch, unit)       (batch,) whole numbers, the same = together
                                              (batch, view, unit) (batch,) the same; the views of a row too
info_nce, nt_xent                             (batch, unit)       (batch,) whole numbers, each exactly twice
                                              (batch, unit)       (batch, unit) the embedding of each row's partner
                                              (batch, 2, unit)    None, or (batch,) of ones
contrastive                                   (batch, 2, unit)    (batch,) 1 where the two are the same, else 0
triplet (anchor, positive, negative)          (batch, 3, unit)    None, or (batch,) of ones
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import torch

from evenkeel import losses
from evenkeel.errors import DataError, RequestError
from evenkeel.heads.targets import finite
from evenkeel.shapes import Tensor


@cache
def known_by(loss: str) -> Literal["labels", "sameness", "pairs", "triplets"]:
    """The form in which a loss takes positives: labels, one number a pair, or rows that are pairs or triplets."""
    record = losses.PARTS[loss]
    if "embedding-labels" in record.expects:
        return "labels"
    if "embedding-triplets" in record.expects:
        return "triplets"
    return "sameness" if record.takes_target else "pairs"


def check_together(target: Tensor | None, loss: str) -> None:
    """Refuse a target from which the loss cannot tell who belongs together; shapes are checked with the output."""
    if target is not None:
        finite(target)
    known = known_by(loss)
    if known == "labels":
        if target is None or target.is_floating_point() or target.dim() != 1:
            raise DataError(
                f"{loss} needs one whole number a row, (batch,), the same where rows belong together, "
                f"got {_came(target)}; try loss='info_nce' for pairs without numbers"
            )
        if len(target) > 1 and len(target.unique()) == len(target):
            raise DataError(
                f"{loss} needs rows that belong together, got {len(target)} different numbers in a batch of "
                f"{len(target)}; try batches with at least two rows of each number"
            )
    elif known == "sameness":
        if target is None or target.dim() != 1 or not ((target == 0) | (target == 1)).all():
            raise DataError(
                f"{loss} needs 1 for a pair that is the same and 0 for one that differs, (batch,), "
                f"got {_came(target)}; try loss='nt_xent_from_labels' for numbers of groups"
            )
    elif target is not None and target.dim() == 1 and not bool((target == 1).all()):
        _check_twos(target, loss)


def _check_twos(target: Tensor, loss: str) -> None:
    """Refuse numbers that do not each come exactly twice."""
    twice = (not target.is_floating_point()) and bool((target.unique(return_counts=True)[1] == 2).all())
    triplets = known_by(loss) == "triplets"
    if triplets or not twice:
        needed = "None or ones" if triplets else "each whole number exactly twice, once for each of a pair"
        raise DataError(
            f"{loss} needs {needed}, or the partners' embeddings, got {_came(target)}; "
            "try loss='nt_xent_from_labels' for groups of any size"
        )


def pair(output: Tensor, target: Tensor | None, loss: str) -> tuple[Tensor, ...]:
    """The embeddings that a loss of pairs or triplets compares, row by row."""
    known = known_by(loss)
    views = 3 if known == "triplets" else 2
    if output.dim() == 3 and output.shape[1] == views:
        return output.unbind(1)
    if output.dim() == 2 and known == "pairs" and target is not None:
        if target.shape == output.shape:
            return output, target.to(output.dtype)
        if target.dim() == 1 and not target.is_floating_point() and len(target) % 2 == 0:
            if target.device.type == "cpu" and not torch.compiler.is_compiling():  # a GPU would have to wait
                _check_twos(target, loss)
            order = target.argsort(stable=True)
            return output[order[0::2]], output[order[1::2]]
    hint = "a net that gives views, such as heads.Towers(net)" if output.dim() == 2 else f"{views} views"
    raise DataError(
        f"{loss} compares {views} embeddings a row: output (batch, {views}, unit)"
        + ("" if known != "pairs" else ", or (batch, unit) with partners or their numbers as target")
        + f"; got {tuple(output.shape)} and {_came(target)}; try {hint}"
    )


def cosines(points: np.ndarray) -> np.ndarray:
    """Cosine similarity of the two views of each row, (row, 2, unit) to (row,) from -1 to 1; 0 where one has no length.

    Raises:
        RequestError: there is one view only.

    Example:
        >>> cosines(np.array([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [3.0, 0.0]]])).tolist()
        [0.0, 1.0]
    """
    if points.ndim != 3:
        raise RequestError("a prediction compares the two sides of a pair, and one is missing; try run.embed for one")
    size = np.linalg.norm(points, axis=2).prod(axis=1)
    return (points[:, 0] * points[:, 1]).sum(axis=1) / np.where(size > 0, size, 1.0)


def spread_to_rows(values: Tensor, output: Tensor, target: Tensor | None) -> Tensor:
    """One value for each row of the output, from one for each pair or for each view."""
    if output.dim() == 3 and len(values) == len(output) * output.shape[1]:
        return values.reshape(output.shape[:2]).mean(1)
    if target is None or len(values) == len(output):
        return values
    order = target.argsort(stable=True)
    return torch.empty_like(order, dtype=values.dtype).scatter(0, order, values.repeat_interleave(2))


def _came(target: Tensor | None) -> str:
    return "None" if target is None else f"{str(target.dtype).removeprefix('torch.')} of shape {tuple(target.shape)}"
