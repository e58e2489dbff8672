import math
import re
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.figure import _inner, ideal_band, shares


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, h):
        return h + self.layer(h)


def traced(*layers):
    torch.manual_seed(0)
    return trace(nn.Sequential(*layers), lambda output, _: output.square().sum(), (torch.randn(6, 8), None))


def deep(depth):
    return [layer for _ in range(depth) for layer in (nn.Linear(8, 8), nn.Tanh())]


@pytest.mark.parametrize("chain", [traced(*deep(5)), traced(*deep(120)), traced(Block(), Block(), nn.Linear(8, 1))])
def test_it_is_well_formed_at_any_length(chain):
    drawn = chain.figure(title="a < b")
    ElementTree.fromstring(drawn)
    assert "a &lt; b" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert len(drawn) < 400_000


def test_links_are_named_where_there_is_room_and_numbered_elsewhere():
    assert ">2</text>" in re.sub(r"<title>.*?</title>", "", traced(*deep(4)).figure())
    assert "link, from input to output" in traced(*deep(60)).figure()


def test_the_band_starts_at_the_output_and_holds_an_ideal_chain():
    layers = deep(6)
    for layer in layers[::2]:
        nn.init.orthogonal_(layer.weight)
    chain = traced(*layers)
    low, high = ideal_band(chain.links, chain.output_gradient)
    assert low[-1] < chain.links[-1].backward_rms < high[-1]
    assert all(a < b for a, b in zip(low, high, strict=True))
    assert high[0] / low[0] > high[-1] / low[-1]  # uncertainty grows on the way to the input
    sick = traced(*[layer for _ in range(20) for layer in (nn.Linear(8, 8), nn.Sigmoid())])
    assert sick.links[0].backward_rms < ideal_band(sick.links, sick.output_gradient)[0][0]


def test_what_runs_inside_the_first_links_paths_stays_within_the_axes():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = (nn.Sequential(*[nn.Linear(4, 4) for _ in range(3)]) for _ in range(2))

        def forward(self, x):
            return torch.cat([self.left(x), self.right(x)], 1)

    model = nn.Sequential(Both(), nn.Linear(8, 1))
    chain = trace(model, nn.functional.mse_loss, (torch.randn(16, 4), torch.randn(16, 1)))
    paths = [[at for at, _ in path] for path in _inner(chain.links)]
    assert paths and all(-0.5 < at < len(chain.links) - 0.5 for path in paths for at in path)
    assert all(path == sorted(path) for path in paths)


def test_shares_of_paths_add_up():
    chain = traced(Block(), nn.Linear(8, 1))
    kinds = dict(shares(chain.links[0]))
    assert set(kinds) == {"skip", "path"} and math.isclose(sum(kinds.values()), 1.0)
    assert kinds["skip"] > kinds["path"]
    assert shares(chain.links[1]) == [("link", 1.0)]
    assert "share of each path" in chain.figure() and "share of each path" not in traced(*deep(3)).figure()


def test_the_band_goes_with_a_narrow_deep_chain_as_it_fades_by_chance():
    """Gains of mean square 1 are typically exp(-v / 4): an ideal chain of 200 layers of 8 loses decades, and may."""
    law = 40 * 5 / 32
    towards = torch.randn(500, 1, 32)
    weights = nn.ParameterList(torch.randn(500, 32, 32) * (2 / 32) ** 0.5 for _ in range(40))
    model = nn.Module()
    model.weights = weights

    def forward(x):
        for weight in weights:
            x = torch.relu(x @ weight)
        return x

    model.forward = forward
    chain = trace(model, lambda output, _: (output * towards).sum(), (torch.randn(500, 1, 32), None))
    gains = torch.tensor(chain.example_gains, dtype=torch.float64)
    assert gains[gains > 0].log().mean().item() == pytest.approx(-law / 4, rel=0.2)
    low, high = ideal_band(chain.links, chain.output_gradient)
    middle = [math.sqrt(a * b) for a, b in zip(low, high, strict=True)]
    fallen = sum(link.scatter for link in chain.links[1:]) / 4
    assert math.log(middle[-1] / middle[0]) == pytest.approx(fallen, rel=1e-6)
