import pytest
import torch
from torch import nn

from _small import small_network
from evenkeel.heads import Value
from evenkeel.network import Network
from evenkeel.train.engines import PARTS, engine_for
from evenkeel.train.engines.eager import Eager
from evenkeel.train.engines.tape import Taped


class Own(nn.Module):
    def forward(self, x):
        return x


def parameters_of(network):
    return list(network.parameters())


def test_a_small_network_of_ours_is_taped_and_everything_else_is_eager():
    ours, own = small_network("regression"), Network(Own(), Value(4))
    assert isinstance(engine_for(ours, parameters_of(ours)), Taped)
    assert isinstance(engine_for(ours, parameters_of(ours), "varying"), Eager)
    assert isinstance(engine_for(own, parameters_of(own)), Eager)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_network_on_a_gpu_is_not_taped():
    network = small_network("regression").cuda()
    assert isinstance(engine_for(network, parameters_of(network)), Eager)


def test_one_engine_serves_every_network_and_no_two_share_a_rank():
    assert len({part.rank for part in PARTS.values()}) == len(PARTS)
    assert any(part.fits(Network(Own(), Value(4)), [], "varying") for part in PARTS.values())
