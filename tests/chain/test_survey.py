import pytest
import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.survey import root_product


def links(model, x):
    return trace(model, lambda output, _: output.square().mean(), (x, None)).links


def test_products_of_gains():
    assert (root_product([2.0, 3.0]), root_product([None, 3.0]), root_product([])) == (6.0, None, 1.0)


def test_forward_statistics_are_those_of_the_output():
    model, x = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Tanh()), torch.randn(10, 4)
    with torch.no_grad():
        model[0].weight[:2], model[0].bias[:2] = 0.0, -1.0
        model[2].weight[0] *= 200
    found = links(model, x)
    hidden = model[:2](x)
    assert found[0].forward_rms == pytest.approx(hidden.square().mean().sqrt().item(), rel=1e-5)
    assert found[0].dead == pytest.approx((hidden == 0).all(0).float().mean().item())
    assert found[0].saturated is None and found[0].width == 8
    output = model(x)
    assert found[1].saturated == pytest.approx((1 - output.square() < 0.05).float().mean().item())
    rows = nn.functional.normalize(hidden, dim=1)
    similarity = ((rows @ rows.T).sum() - 10) / 90
    assert found[0].similarity == pytest.approx(similarity.item(), abs=1e-5)


def test_local_terms_of_every_kind_of_weight():
    class All(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.memory = nn.Embedding(9, 6), nn.GRU(6, 5, batch_first=True)
            self.convolution, self.head = nn.Conv1d(5, 4, 3), nn.Linear(4, 2)

        def forward(self, ids):
            h = self.memory(self.embed(ids))[0].transpose(1, 2)
            return self.head(self.convolution(h).mean(-1))

    model, ids = All(), torch.randint(0, 9, (3, 7))
    terms = {term.name: term for link in links(model, ids) for term in link.terms}
    assert set(terms) == {
        "embed.weight",
        "memory.weight_ih_l0",
        "memory.weight_hh_l0",
        "convolution.weight",
        "head.weight",
    }
    gradients = torch.autograd.grad(model(ids).square().mean(), [model.get_parameter(name) for name in terms])
    for term, gradient in zip(terms.values(), gradients, strict=True):
        assert term.gradient_norm == pytest.approx(gradient.norm().item(), rel=1e-4)
        assert term.rms == pytest.approx(model.get_parameter(term.name).square().mean().sqrt().item(), rel=1e-5)
    assert terms["embed.weight"].input_rms is None and terms["embed.weight"].ideal_rms is None
    assert terms["convolution.weight"].ideal_rms == pytest.approx(15**-0.5)


def test_shares_of_a_concatenation_go_by_size():
    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 2)

        def forward(self, h):
            return torch.cat([h, self.layer(h)], dim=1)

    link = links(nn.Sequential(nn.Linear(4, 6), Beside()), torch.randn(5, 4))[1]
    skip, path = link.branches
    assert skip.expected_gain == pytest.approx((6 / 8) ** 0.5)
    assert path.expected_gain == pytest.approx((2 / 8) ** 0.5 * path.links[0].expected_gain)
    assert link.expected_gain == pytest.approx((skip.expected_gain**2 + path.expected_gain**2) ** 0.5)
