"""What the tests of contrastive parts share: the full matrix of scaled cosines, and one check of value and gradient."""

import torch
from torch.nn.functional import normalize


def scores(query, key, temperature):
    return normalize(query, dim=-1) @ normalize(key, dim=-1).T / temperature


def assert_same(found, expected, inputs):
    """Equal values, and equal gradients of a random weighting of them."""
    assert torch.allclose(found, expected, rtol=1e-9)
    weight = torch.rand(found.shape, dtype=torch.float64)
    mine, twin = (torch.autograd.grad((x * weight).sum(), inputs, retain_graph=True) for x in (found, expected))
    for ours, theirs in zip(mine, twin, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-7, atol=1e-11)
