import math
from statistics import pstdev

import pytest

from evenkeel.symptoms.scatter import scatter


@pytest.mark.parametrize(
    "values", [[2.0], [1.0, 2.0, 4.0], [1e8, 1e8 + 1, 1e8 + 2], [1e-30, 2e-30], [0.0] * 5, [1e200, -1e200]]
)
def test_against_the_exact_one(values):
    assert scatter(values) == pytest.approx(pstdev(values), rel=1e-12, abs=1e-300)


def test_around_another_middle():
    assert scatter([1.0, 3.0], 0.0) == pytest.approx(math.sqrt(5))
