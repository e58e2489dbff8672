import torch

from evenkeel.losses.bound import LIMIT, bound


def test_exact_inside_and_smooth_at_the_limit():
    inside = torch.linspace(-LIMIT, LIMIT, 41, dtype=torch.float64)
    assert torch.equal(bound(inside), inside)
    edge = torch.tensor([-LIMIT - 1e-9, -LIMIT, LIMIT, LIMIT + 1e-9], dtype=torch.float64, requires_grad=True)
    assert torch.allclose(torch.autograd.grad(bound(edge).sum(), edge)[0], torch.ones(4, dtype=torch.float64))


def test_outside_it_grows_slowly_and_never_stops():
    far = torch.tensor([-1e4, -30.0, 30.0, 1e4], dtype=torch.float64, requires_grad=True)
    value = bound(far)
    assert (value.abs() < 30).all() and (value.diff() > 0).all()
    assert torch.allclose(torch.autograd.grad(value.sum(), far)[0], 1 / (1 + far.detach().abs() - LIMIT))
