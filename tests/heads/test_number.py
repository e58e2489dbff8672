"""How a number is read: in a table, in words, beside the truth, and by metrics."""

import numpy as np
import pytest
import torch

from evenkeel import heads
from evenkeel.data.target import Target

HEIGHT = Target(columns=("height",), kind="number")
NUMBERS = [name for name, part in heads.PARTS.items() if part.target == "number"]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_table_has_the_ends_of_the_interval_where_there_is_a_distribution(name):
    head = heads.PARTS[name].call(4)
    head.start(torch.tensor([10.0, 20.0, 30.0]))
    output, truth = head(torch.zeros(2, 4)).detach(), torch.tensor([20.0, 25.0])
    columns = head.columns(output, HEIGHT)
    np.testing.assert_allclose(columns["prediction"], [20.0, 20.0], rtol=1e-6)
    assert columns["prediction"].dtype == np.float64
    sure = head.distribution(output)
    assert list(columns) == (["prediction"] if sure is None else ["prediction", "low 5%", "high 95%"])
    compared = head.compare(output, truth, HEIGHT)
    assert compared.target == "height" and (compared.lower is None) == (sure is None)
    assert head.answers(output, truth, HEIGHT).miss == pytest.approx([0.0, 5.0], abs=1e-4)
    assert head.probability(output) is None and head.picture(output, truth, HEIGHT) is None


def test_the_target_is_drawn_as_numbers_and_judged_as_numbers():
    head, truth = heads.Value(4), torch.tensor([1.0, 2.0])
    assert head.sketch(truth, HEIGHT).values.tolist() == [1.0, 2.0] and head.sketch(truth, HEIGHT).counts == ()
    judged = head.judged(torch.zeros(2, 1), truth, ("value",))
    assert judged.prediction.dtype == torch.float64 and judged.prediction.shape == judged.truth.shape == (2,)
