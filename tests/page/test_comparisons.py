import numpy as np
import pytest

from evenkeel.errors import ShapeError
from evenkeel.page.comparisons import ClassesSection, RegressionSection, Reliability


@pytest.mark.parametrize("column", ["prediction", "pit"])
def test_every_column_has_a_number_for_every_row(column):
    columns = {"prediction": [1.0, 2.0], column: [1.0]}
    with pytest.raises(ShapeError, match=f"`{column}` needs one number for every row of `truth`, got 1 for 2 rows"):
        RegressionSection(target="y", truth=[1.0, 2.0], **columns)


def test_an_interval_has_two_ends():
    with pytest.raises(ShapeError, match="needs `lower` and `upper`, got one of them; give both or neither"):
        RegressionSection(target="y", truth=[1.0], prediction=[1.0], lower=[0.5])


def test_the_confusion_matrix_is_square_over_the_names():
    with pytest.raises(ShapeError, match=r"must have shape \(2, 2\), got \(2, 3\)"):
        ClassesSection(names=["a", "b"], confusion=np.ones((2, 3), dtype=int))


def test_reliability_has_three_values_for_every_bin():
    with pytest.raises(ShapeError, match="one value for each bin, got 1, 1 and 2"):
        Reliability(confidence=[0.5], accuracy=[0.5], count=[1, 2])
