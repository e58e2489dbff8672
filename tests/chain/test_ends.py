import pytest
import torch

from evenkeel.chain.ends import Ends
from evenkeel.chain.record.reading import Reading


def test_gains_of_single_examples_are_those_between_the_ends():
    upper, lower, rows = Reading([]), Reading([]), [Reading([], batch=2) for _ in range(2)]
    for reading, size in ((upper, 2.0), (lower, 1.0), (rows[0], 2.0), (rows[1], 1.0)):
        reading.add(torch.full((2, 3), size))
    ends = Ends(upper=upper, lower=lower, upper_rows=rows[0], lower_rows=rows[1])
    assert ends.example_gains() == pytest.approx((0.5, 0.5))
    assert Ends(upper=upper, lower=lower, upper_rows=None, lower_rows=rows[1]).example_gains() == ()
