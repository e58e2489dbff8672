import dataclasses
import math

import pytest
import torch
from torch import nn

from evenkeel.chain import LocalTerm, trace
from evenkeel.chain.link import product, ratio


def chain_of(model=None, x=None):
    model = model or nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    return trace(model, lambda output, _: output.square().mean(), (torch.randn(6, 4) if x is None else x, None))


def test_quotients_and_products_know_about_missing_numbers():
    assert (ratio(1.0, 2.0), ratio(None, 2.0), ratio(1.0, None), ratio(0.0, 0.0)) == (0.5, None, None, 0.0)
    assert ratio(1.0, 0.0) == math.inf
    assert (product([2.0, 3.0]), product([2.0, None]), product([])) == (6.0, None, None)


def test_records_are_frozen():
    chain = chain_of()
    for record in (chain, chain.links[0], chain.links[0].terms[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.name = "other"


def test_the_whole_follows_from_the_links():
    chain = chain_of()
    assert chain.total_gain == pytest.approx(math.prod(link.gain for link in chain.links), rel=1e-5)
    assert chain.expected_gain == pytest.approx(math.prod(link.expected_gain for link in chain.links))
    assert chain.ideal_gain == pytest.approx(1.0)
    scatter = sum(link.scatter for link in chain.links)
    assert chain.ideal_scatter == pytest.approx(0.5 * math.sqrt(scatter) / math.log(10))
    assert len(chain.example_gains) == chain.batch == 6
    assert not any(link.measured_only for link in chain.links)


def test_without_a_law_there_is_no_scatter():
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1))
    assert chain_of(model).ideal_scatter is None
    assert chain_of(model).ideal_gain is not None


def test_walk_yields_what_is_nested():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, h):
            return h + self.layer(h)

    chain = chain_of(nn.Sequential(nn.Linear(4, 4), Block()))
    assert [(depth, link.kind) for depth, link in chain.walk()] == [(0, "linear"), (0, "residual"), (1, "linear")]


def test_a_local_term_without_a_gradient():
    term = LocalTerm(
        name="w",
        shape=(2, 2),
        rms=1.0,
        ideal_rms=None,
        input_rms=None,
        input_norm=None,
        output_gradient_norm=None,
        gradient_norm=None,
    )
    assert term.gradient_rms is None
    assert dataclasses.replace(term, gradient_norm=4.0).gradient_rms == 2.0


def test_it_shows_itself():
    chain = chain_of()
    assert chain._repr_svg_() == chain.figure()
    assert str(chain) == chain.table()
