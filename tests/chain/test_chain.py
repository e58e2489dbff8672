import pytest
import torch
from torch import nn

from evenkeel.chain import Chain, trace


def test_a_chain_without_links_is_its_ends():
    chain = Chain(
        links=(),
        loss=1.5,
        known_loss=None,
        starts_at="output",
        output_gradient=2.0,
        output_gradient_rms=1.0,
        input_gradient=1.0,
        gradient_similarity=0.25,
        example_gains=(),
        batch=2,
        without_gradient=("w",),
        frozen=("fixed",),
    )
    assert chain.total_gain == pytest.approx(0.5) and chain.expected_gain is None and list(chain.walk()) == []
    assert "no gradient: w" in chain.table() and chain.figure().startswith("<svg")


def test_frozen_parameters_and_those_without_a_gradient_are_named():
    model = nn.ModuleDict({"used": nn.Linear(3, 2), "unused": nn.Linear(3, 2), "fixed": nn.Linear(2, 2)})
    model["fixed"].requires_grad_(False)
    model.forward = lambda x: model["fixed"](model["used"](x))
    chain = trace(model, lambda output, _: output.sum(), (torch.randn(4, 3), None))
    assert chain.without_gradient == ("unused.weight", "unused.bias")
    assert chain.frozen == ("fixed.weight", "fixed.bias")
    assert chain.output_gradient == pytest.approx(8**0.5) and chain.output_gradient_rms == pytest.approx(1.0)
