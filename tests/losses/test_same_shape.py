import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses.same_shape import require_one_label_each, require_one_shape


def test_what_fits_passes():
    require_one_shape(left=torch.zeros(2, 3), right=torch.zeros(2, 3))
    require_one_label_each(torch.zeros(2, 3), torch.zeros(2))


def test_messages():
    with pytest.raises(
        ShapeError, match=r"left and right of one shape \(batch, unit\), got left \(2, 3\), right \(2, 4\)"
    ):
        require_one_shape(left=torch.zeros(2, 3), right=torch.zeros(2, 4))
    with pytest.raises(ShapeError, match=r"got left \(2, 3, 1\), right \(2, 3, 1\); try x.flatten\(1\)"):
        require_one_shape(left=torch.zeros(2, 3, 1), right=torch.zeros(2, 3, 1))
    with pytest.raises(ShapeError, match=r"one label per row, got \(2, 3\) and \(3,\)"):
        require_one_label_each(torch.zeros(2, 3), torch.zeros(3))
