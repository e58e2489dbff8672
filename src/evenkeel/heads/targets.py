"""What a target must be before the first step: one clear message for each way in which it can be wrong.

A loss would take most of these without a word and learn nonsense: negative counts, class numbers read as labels,
labels read as class numbers, one NaN among a million rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from evenkeel.errors import DataError
from evenkeel.shapes import Tensor

IGNORED = -100  # the class number that cross-entropy leaves out


def finite(target: Tensor) -> None:
    """Refuse NaN and infinite numbers."""
    if not target.is_floating_point():
        return
    wrong = ~target.isfinite()
    count = int(wrong.sum())
    if count:
        raise DataError(
            f"the target holds {count} value(s) that are not finite (NaN or infinite), the first in row "
            f"{int(wrong.nonzero()[0, 0])}; leave those rows out, or fill the values in"
        )


def numbers(target: Tensor, outputs: int) -> None:
    """One finite number in each row."""
    finite(target)
    if target.dim() != 1:
        hint = "target.squeeze(1)" if target.shape[1:] == (1,) else "one head for each column, or heads.MultiLabel"
        raise DataError(f"the target must be one number a row, (batch,), got shape {tuple(target.shape)}; try {hint}")


def not_negative(target: Tensor, outputs: int) -> None:
    """One finite number of 0 or more in each row."""
    numbers(target, outputs)
    if (target < 0).any():
        raise DataError(
            f"a positive head needs targets of 0 or more, got {float(target.min()):g}; "
            "try heads.Gaussian or heads.Value, which take any number"
        )


def classes(target: Tensor, outputs: int) -> None:
    """One whole number 0..outputs-1 in each row, or the number that leaves a row out."""
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool or target.dim() != 1:
        hint = "target.long()" if target.dim() == 1 else "target.argmax(1), or heads.MultiLabel where several hold"
        raise DataError(
            f"a single-label head needs one whole number 0..{outputs - 1} a row, (batch,), "
            f"got {_kind(target)} of shape {tuple(target.shape)}; try {hint}"
        )
    in_range(target, outputs, "class numbers that start at 0, or a head with more classes")


def check_tokens(target: Tensor, vocabulary: int, ignored: int = IGNORED) -> None:
    """One token of the vocabulary at each position, or the number that leaves a position out."""
    if target.is_floating_point() or target.dtype == torch.bool or target.dim() not in (1, 2):
        raise DataError(
            f"a tokens head needs the next token of each position as whole numbers, (batch, step), "
            f"got {_kind(target)} of shape {tuple(target.shape)}; try tokens[:, 1:] for inputs tokens[:, :-1]"
        )
    in_range(target, vocabulary, "a larger vocabulary, or -100 where there is no token", ignored)


def in_range(target: Tensor, count: int, hint: str, ignored: int = IGNORED) -> None:
    """Refuse all but whole numbers 0..count-1, those left out aside."""
    kept = target[target != ignored]
    if len(kept) and (int(kept.min()) < 0 or int(kept.max()) >= count):
        raise DataError(
            f"the target must be whole numbers 0..{count - 1}, got {int(kept.min())}..{int(kept.max())}; try {hint}"
        )


def labels(target: Tensor, outputs: int) -> None:
    """Refuse all but numbers between 0 and 1 for each label."""
    finite(target)
    if target.dim() != 2 or target.shape[1] != outputs:
        whole = target.dim() == 1 and not target.is_floating_point() and target.dtype != torch.bool
        hint = f"functional.one_hot(target, {outputs}).float(), or heads.SingleLabel" if whole else "one column a label"
        raise DataError(
            f"a multi-label head needs 0 or 1 for each of {outputs} labels, (batch, {outputs}), "
            f"got {_kind(target)} of shape {tuple(target.shape)}; try {hint}"
        )
    between(target, 0.0, 1.0, "a multi-label head needs 0 or 1 for each label", "(target > 0).float()")


def between(target: Tensor, low: float, high: float, what: str, hint: str) -> None:
    """Refuse values outside low..high."""
    if target.numel() and (float(target.min()) < low or float(target.max()) > high):
        raise DataError(f"{what}, got {float(target.min()):g}..{float(target.max()):g}; try {hint}")


def _kind(target: Tensor) -> str:
    return "whole numbers" if not target.is_floating_point() and target.dtype != torch.bool else str(target.dtype)


CHECKS: Mapping[str, Callable[[Tensor, int], None]] = {
    "value": numbers,
    "gaussian": numbers,
    "log-rate": not_negative,
    "logits": classes,
    "binary-logits": labels,
}
"""By the kind of output that a head foremost gives: `check(target, outputs)`."""


def mean_and_spread(target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation in float64; a constant target has spread 1."""
    values = target.double()
    share = torch.full_like(values, 1.0 / len(values)) if weight is None else weight.double() / weight.double().sum()
    mean = (share * values).sum()
    spread = (share * (values - mean) ** 2).sum().sqrt()
    # The rounding of the mean is no spread.
    rounding = 8 * torch.finfo(torch.float64).eps * values.abs().max() if len(values) else 0.0
    return mean, torch.where(spread > rounding, spread, torch.ones_like(spread))
