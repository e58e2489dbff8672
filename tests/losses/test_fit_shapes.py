import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.losses.fit_shapes import class_target, share


def test_last_axes_are_shared():
    assert share(torch.arange(3), torch.Size([2, 3])).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert class_target(torch.tensor([0, 1], dtype=torch.int32), torch.zeros(4, 2, 3)).shape == (4, 2)


@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (2,), (1, 2, 3)])
def test_anything_else_is_refused(shape):
    with pytest.raises(ShapeError, match="weight must have the shape of the output"):
        share(torch.zeros(shape), torch.Size([2, 3]), "weight")


def test_class_targets_are_checked():
    with pytest.raises(ShapeError, match=r"got a single number; try logits.unsqueeze"):
        class_target(torch.tensor(0), torch.tensor(0.0))
    with pytest.raises(ShapeError, match=r"whole numbers, one class per row, got torch.bool"):
        class_target(torch.tensor([True]), torch.zeros(1, 2))
    with pytest.raises(ShapeError, match=r"must have the shape \(4,\) or its last axes, got \(4, 2\)"):
        class_target(torch.zeros(4, 2).long(), torch.zeros(4, 2))
