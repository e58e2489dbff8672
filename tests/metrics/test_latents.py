import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.metrics.latents import code


def test_means_come_first():
    given = code(torch.arange(8).reshape(2, 4))
    assert given.mean.tolist() == [[0, 1], [4, 5]] and given.log_variance.tolist() == [[2, 3], [6, 7]]
    assert given.mean.dtype == torch.float64


@pytest.mark.parametrize("shape", [(2, 3), (4,)])
def test_what_has_no_two_halves_is_refused(shape):
    with pytest.raises(ShapeError, match=r"must be \(row, 2·unit\), means and then log-variances, got .*torch.cat"):
        code(torch.zeros(shape))
