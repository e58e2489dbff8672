import math

import pytest
import torch
from torch import nn

from evenkeel.train.signs import ENTRIES, PARAMETERS, Sample


def stepped(model, make, steps, scale=None):
    """The signs of the last of some steps, and what the plain formulas say of all entries."""
    optimizer = make(model.parameters())
    parameters = list(model.parameters())
    sample = Sample(parameters)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 40)).square().mean().backward()
        gradients = [parameter.grad.clone() for parameter in parameters]
        states = [optimizer.state.get(p, {}).get("exp_avg_sq", torch.zeros(0)).clone() for p in parameters]
        before = [parameter.detach().clone() for parameter in parameters]
        count = float(optimizer.state.get(parameters[0], {}).get("step", 0))
        sample.before(gradients, scale, optimizer)
        optimizer.step()
        signs = sample.after()
    moved = torch.cat([(p.detach() - b).flatten() for p, b in zip(parameters, before, strict=True)]).norm()
    ratio = moved / torch.cat([b.flatten() for b in before]).norm()
    wanted = [g.square() / (v / (1 - 0.999**count)) for g, v in zip(gradients, states, strict=True) if len(v)]
    surprise = torch.cat([w.flatten() for w in wanted]).square().mean().sqrt().item() if wanted else math.nan
    return signs, ratio.item(), surprise


def test_a_small_model_is_looked_at_whole():
    signs, ratio, surprise = stepped(nn.Linear(40, 3), lambda p: torch.optim.Adam(p, 1e-3), 5)
    assert signs.update_ratio.item() == pytest.approx(ratio, rel=1e-5)
    assert signs.surprise.item() == pytest.approx(surprise, rel=1e-4)


def test_a_large_one_by_sample():
    model = nn.Sequential(nn.Linear(40, 300), nn.Linear(300, 300))
    signs, ratio, surprise = stepped(model, lambda p: torch.optim.Adam(p, 1e-3), 5)
    assert signs.update_ratio.item() == pytest.approx(ratio, rel=0.1)
    assert abs(math.log(signs.surprise.item() / surprise)) < math.log(4), "a mean square of a heavy tail"
    assert len(Sample(list(model.parameters()))._now()) <= ENTRIES + 2 * PARAMETERS


def test_clipping_counts():
    torch.manual_seed(1)
    plain = stepped(nn.Linear(40, 3), lambda p: torch.optim.Adam(p, 1e-3), 4)[0].surprise
    torch.manual_seed(1)
    halved = stepped(nn.Linear(40, 3), lambda p: torch.optim.Adam(p, 1e-3), 4, torch.tensor(2.0))[0].surprise
    assert halved.item() == pytest.approx(plain.item() / 4, rel=1e-5)


@pytest.mark.parametrize("make, steps", [(lambda p: torch.optim.SGD(p, 0.1), 3), (torch.optim.Adam, 1)])
def test_without_a_mean_of_squares_there_is_no_surprise(make, steps):
    signs, ratio, _ = stepped(nn.Linear(40, 3), make, steps)
    assert math.isnan(signs.surprise.item()) and signs.update_ratio.item() == pytest.approx(ratio, rel=1e-5)
