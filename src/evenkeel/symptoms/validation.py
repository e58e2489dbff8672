"""The course of the validation loss: what was learned, and what of it was lost again.

learned    = first - best
given back = last - best
"""

from __future__ import annotations

from dataclasses import dataclass

from evenkeel.symptoms.history import LossPoint


@dataclass(frozen=True, kw_only=True)
class ValidationCurve:
    """Three losses on validation data: `first` is that of a network that has learned nothing.

    Example:
        >>> curve = ValidationCurve(first=1.0, best=LossPoint(step=20, loss=0.5), last=0.75)
        >>> curve.learned, curve.given_back
        (0.5, 0.25)
    """

    first: float
    best: LossPoint
    last: float

    @property
    def learned(self) -> float:
        """How far the loss fell at best; below 0 where it never did."""
        return self.first - self.best.loss

    @property
    def given_back(self) -> float:
        """How far the loss rose again after its best."""
        return self.last - self.best.loss
