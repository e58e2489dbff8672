"""Activations, norms and loops over time that a model writes out in single operations."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from chain.test_trace import X, Y, rewired
from evenkeel.chain import trace


def test_an_elementwise_activation_written_out_is_part_of_its_link():
    layer, head = nn.Linear(8, 16), nn.Linear(16, 1)

    def forward(x):
        z = layer(x)
        return head(z * torch.sigmoid(z))

    chain = trace(rewired(nn.ModuleList([layer, head]), forward), F.mse_loss, (X, Y))
    assert [link.name for link in chain.links] == ["0", "1"]
    assert chain.links[0].measured_only


def test_a_norm_written_out_is_a_norm():
    class RootMeanSquareNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(16))

        def forward(self, x):
            return self.scale * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)

    model = nn.Sequential(nn.Linear(8, 16), RootMeanSquareNorm(), nn.ReLU(), nn.Linear(16, 1))
    chain = trace(model, F.mse_loss, (X, Y))
    assert [link.name for link in chain.links] == ["0", "3"]
    assert chain.links[0].norm is not None
    twin = nn.Sequential(model[0], nn.RMSNorm(16, eps=1e-6), nn.ReLU(), model[3])
    assert trace(twin, F.mse_loss, (X, Y)).links[0].gain == pytest.approx(chain.links[0].gain, rel=1e-5)


def test_a_loop_over_time_has_its_spine():
    cell, head = nn.RNNCell(4, 8), nn.Linear(8, 1)

    def forward(x):
        hidden = x.new_zeros(len(x), 8)
        for step in x.unbind(1):
            hidden = cell(step, hidden)
        return head(hidden)

    chain = trace(rewired(nn.ModuleList([cell, head]), forward), F.mse_loss, (torch.randn(16, 6, 4), Y))
    over_time = [link.name for link in chain.links if "hh" in link.name]
    assert over_time == ["0.weight_hh", *(f"0.weight_hh#{n}" for n in range(2, 6))]  # the first step has no data yet
    assert [link.name for link in chain.links if "ih" in link.name] == ["0.weight_ih"]
    bypasses = [branch.name for branch in chain.links[1].branches]
    assert sorted(bypasses) == [f"0.weight_ih#{n}" for n in range(2, 7)]
