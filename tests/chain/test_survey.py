import pytest
import torch
from torch import nn

from evenkeel.chain import trace


def links(model, x):
    return trace(model, lambda output, _: output.square().mean(), (x, None)).links


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


@pytest.mark.parametrize("after", [nn.Dropout(0.8), nn.BatchNorm1d(64), nn.Flatten()])
def test_dead_units_are_those_of_the_activation_whatever_follows(after):
    """Dropout adds zeros that pass, a norm with a shift hides those that stay."""
    model, x = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), after, nn.Linear(64, 1)), torch.randn(5, 4)
    with torch.no_grad():
        model[0].weight[:16], model[0].bias[:16] = 0.0, -1.0
        if isinstance(after, nn.BatchNorm1d):
            after.bias.fill_(0.5)
    hidden = model[:2](x)
    exact = (hidden == 0).all(0).float().mean().item()
    assert 0.25 <= exact < 0.6
    assert links(model, x)[0].dead == pytest.approx(exact)


def test_dead_channels_of_a_flattened_convolution():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 1))
    with torch.no_grad():
        model[0].weight[:1], model[0].bias[:1] = 0.0, -1.0
    assert links(model, torch.randn(5, 1, 8, 8))[0].dead == 0.25


def test_no_two_links_of_a_series_have_one_name():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.up, self.down = (nn.Linear(6, 6) for _ in range(4))

        def forward(self, h):
            h = h + self.second(torch.relu(self.first(h)))
            h = h + self.down(torch.relu(self.up(h)))
            return torch.cumsum(torch.cumsum(h, 1), 1)

    found = [link.name for link in links(nn.Sequential(nn.Linear(4, 6), Block()), torch.randn(5, 4))]
    assert found == ["0", "1.first..second", "1.up..down", "1", "1#2"]


def test_a_weight_that_the_loss_uses_too_keeps_its_own_share():
    model, x = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Tanh()).double(), torch.randn(5, 4).double()
    own = torch.autograd.grad(model(x).square().sum(), model[0].weight)[0].norm().item()
    chain = trace(model, lambda y, _: y.square().sum() + 9 * model[0].weight.square().sum(), (x, None))
    assert chain.links[0].terms[0].gradient_norm == pytest.approx(own, rel=1e-9)
