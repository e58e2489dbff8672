"""Surprise: how far the squared gradient lies above what Adam expects of it.

    surprise = rms(g²/v),   v: the moving mean of g² before this step, divided by 1 - beta2^step

Above 1, v under-estimates what comes, and that leads a loss spike by a few steps. Source: Wortsman 2023
(arXiv:2304.13013).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor


def squared_ratio(gradient: Tensor, square: Tensor) -> Tensor:
    """g²/v entry by entry, v as the optimizer keeps it; 0 where an entry never had a gradient.

    Example:
        >>> import torch
        >>> squared_ratio(torch.tensor([2.0, 0.0, 1.0]), torch.tensor([2.0, 0.0, 0.0])).tolist()
        [2.0, 0.0, 0.0]
    """
    return gradient.square().div(square).nan_to_num_(nan=0.0, posinf=0.0)


def correction(group: dict[str, Any], step: Tensor | float) -> Any:
    """What v is divided by, and the ratio multiplied with: the share of the mean's weight that is there by now."""
    return 1 - group["betas"][1] ** step
