import torch

from evenkeel.metrics import _examples


def test_examples_follow_the_generator_and_have_the_rows_asked_for():
    for make in (_examples.values, _examples.classes, _examples.labels):
        first, again = (make(4, torch.Generator().manual_seed(1)) for _ in range(2))
        assert all(torch.equal(*pair) and len(pair[0]) == 4 for pair in zip(first, again, strict=True))
    distribution, target = _examples.normals(4, torch.Generator().manual_seed(1))
    assert distribution.batch_shape == target.shape == (4,)
