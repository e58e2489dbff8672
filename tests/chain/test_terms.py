import pytest
import torch
from torch import nn

from evenkeel.chain import trace


def test_for_one_example_the_weight_gradient_is_the_product_of_its_two_factors():
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    chain = trace(model, lambda output, _: output.square().sum(), (torch.randn(1, 6).double(), None))
    for link in chain.links:
        (term,) = link.terms
        assert term.gradient_norm == pytest.approx(term.output_gradient_norm * term.input_norm, rel=1e-9)
        assert term.input_rms == pytest.approx(term.input_norm / term.shape[1] ** 0.5)


def test_a_weight_used_twice_has_a_term_of_its_own_at_each_use():
    layer = nn.Linear(4, 4, bias=False)
    model = nn.Sequential(layer, nn.Tanh(), layer).double()
    x = torch.randn(3, 4).double()
    terms = [link.terms[0] for link in trace(model, lambda output, _: output.sum(), (x, None)).links]
    assert [term.name for term in terms] == ["0.weight", "0.weight"]
    hidden = torch.tanh(x @ layer.weight.T)
    last = torch.ones(3, 4).double().T @ hidden
    assert (
        terms[1].gradient_norm == pytest.approx(last.norm().item()) and terms[0].gradient_norm != terms[1].gradient_norm
    )
