import pytest
import torch
from torch import nn

from evenkeel.chain import trace


class Past(nn.Module):
    """A model whose loss may also reach a hidden value beside the output."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, x):
        self.hidden = self.first(x).tanh()
        return self.second(self.hidden)


@pytest.mark.parametrize(("penalty", "start"), [(0.0, "output"), (1.0, "loss")])
def test_the_chain_begins_at_the_output_where_everything_passes_it(penalty, start):
    model = Past()

    def loss(output, _):
        return output.sum() + (penalty * model.hidden.square().sum() if penalty else 0.0)

    assert trace(model, loss, (torch.randn(5, 3), None)).starts_at == start
