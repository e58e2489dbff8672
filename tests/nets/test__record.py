import pytest
import torch
from torch import nn

from evenkeel import nets


@pytest.mark.parametrize("name", [name for name, part in nets.PARTS.items() if part.reads == "table"])
def test_a_net_for_tables_says_how_many_features_it_gives(name):
    part = nets.PARTS[name]
    net = part.call(3, width=16)
    assert isinstance(net, nn.Module) and part.summary and part.source
    assert net(torch.randn(5, 3)).shape == (5, net.features) == (5, 16)
