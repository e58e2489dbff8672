"""The records of predictions against the truth on the test part: numbers, classes, or several labels a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.errors import ShapeError
from evenkeel.svg import NumberLike, NumbersLike


@dataclass(frozen=True, kw_only=True)
class RegressionSection:
    """Predicted and true numbers of every test row, in `unit`.

    `lower` and `upper` bound the central interval that should hold the truth with probability `level`. `pit` is the
    probability that the prediction gave to values below the truth (probability-integral transform): uniform on [0, 1]
    where the predicted distributions are right.
    """

    target: str
    truth: NumbersLike
    prediction: NumbersLike
    unit: str = ""
    lower: NumbersLike | None = None
    upper: NumbersLike | None = None
    level: NumberLike = 0.9
    pit: NumbersLike | None = None

    def __post_init__(self) -> None:
        columns = {"prediction": self.prediction, "lower": self.lower, "upper": self.upper, "pit": self.pit}
        for name, column in columns.items():
            if column is not None and len(column) != len(self.truth):
                sizes = f"{len(column)} for {len(self.truth)} rows"
                raise ShapeError(f"`{name}` needs one number for every row of `truth`, got {sizes}")
        if (self.lower is None) != (self.upper is None):
            raise ShapeError("an interval needs `lower` and `upper`, got one of them; give both or neither")


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """How often predictions of some confidence are right: mean confidence, accuracy and count of each bin."""

    confidence: NumbersLike
    accuracy: NumbersLike
    count: NumbersLike

    def __post_init__(self) -> None:
        if not len(self.confidence) == len(self.accuracy) == len(self.count):
            sizes = f"{len(self.confidence)}, {len(self.accuracy)} and {len(self.count)}"
            raise ShapeError(f"confidence, accuracy and count need one value for each bin, got {sizes}")


@dataclass(frozen=True, kw_only=True)
class ClassesSection:
    """True and predicted classes of the test rows: `confusion[true, predicted]` counts, classes as in `names`."""

    names: Sequence[str]
    confusion: np.ndarray
    reliability: Reliability | None = None

    def __post_init__(self) -> None:
        if self.confusion.shape != (len(self.names), len(self.names)):
            expected = f"({len(self.names)}, {len(self.names)})"
            raise ShapeError(f"the confusion matrix must have shape {expected}, got {self.confusion.shape}")


@dataclass(frozen=True, kw_only=True)
class LabelScore:
    """How well one label is recognised: its base rate in the test part, and its scores (`None` where undefined)."""

    name: str
    base_rate: NumberLike
    precision: NumberLike | None = None
    recall: NumberLike | None = None
    f1: NumberLike | None = None
    auc: NumberLike | None = None


@dataclass(frozen=True, kw_only=True)
class LabelsSection:
    """Scores of every label of a multi-label task, and how reliable the probabilities are, all labels pooled."""

    labels: Sequence[LabelScore]
    reliability: Reliability | None = None


Comparison = RegressionSection | ClassesSection | LabelsSection
