import pytest
import torch
from torch import nn

from evenkeel import nets
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import RequestError
from evenkeel.heads.steps_ahead import PLACE
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.series.body import LEAST_SCALE, SeriesBody, patches
from evenkeel.kinds.series.kind import SeriesOptions, prepare_series
from evenkeel.kinds.series.recipe import series_recipe
from evenkeel.network import build_network
from evenkeel.plan import make_plan
from kinds._series_made import hourly

NETS = ("mlp", "rnn", "cnn", "transformer")


def network_of(name=None, given=None, task="probabilistic-regression", window=50, **settings):
    options = SeriesOptions(horizon=5, window=window)
    prepared = prepare_series(hourly(300), DataRequest(task=task, split=SplitRequest(), options=options))
    recipe = {**series_recipe(name or "mlp", prepared.dataset, prepared.choice), "net": name or "mlp"}
    plan = make_plan(prepared.choice.task, rows=100, recipe=recipe, settings={"width": 32, **settings})
    return build_network(plan, prepared.dataset, net=given)[0].eval()


@pytest.mark.parametrize("task", ["regression", "probabilistic-regression"])
@pytest.mark.parametrize("name", NETS)
def test_a_window_of_another_level_and_scale_is_forecast_so(name, task):
    """The law: f(a·y + b) = a·f(y) + b, whatever the net."""
    network = network_of(name, task=task)
    for parameter in network.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))  # not only the first weights
    window, series = torch.randn(6, 50), torch.tensor([0, 1, 0, 1, 0, 1])
    plain = network.output({"window": window, "series": series})[:, :-2]
    for a, b in ((2.0, 0.0), (0.5, 3.0), (10.0, -4.0)):
        moved = network.output({"window": a * window + b, "series": series})[:, :-2]
        torch.testing.assert_close(moved[..., 0], a * plain[..., 0] + b, rtol=1e-3, atol=1e-3 * a)
        if task != "regression":
            variance = (moved[..., 1] - plain[..., 1]).exp()
            torch.testing.assert_close(variance, torch.full_like(variance, a**2), rtol=1e-3, atol=0)


def test_the_features_are_those_of_the_net_the_window_and_what_puts_it_back():
    scales = torch.tensor([[5.0, -7.0], [2.0, 3.0]], dtype=torch.float64)
    body = SeriesBody(nn.Linear(4, 2), "numbers", 1, scales)
    window, series = torch.tensor([[1.0, 2.0, 3.0, 6.0], [2.0, 2.0, 2.0, 2.0]]), torch.tensor([1, 0])
    found = body(window, series)
    deviation = window[0].std(correction=0)
    plain = torch.stack([(window[0] - 3) / deviation, torch.zeros(4)])
    torch.testing.assert_close(found[:, :2], body.net(plain))
    torch.testing.assert_close(found[:, 2:6], plain)
    torch.testing.assert_close(found[:, 6:], torch.tensor([[3, deviation, -7, 3], [2, LEAST_SCALE, 5, 2]]))


@pytest.mark.parametrize("size", [1, 3, 4])
def test_patches_are_the_newest_whole_ones(size):
    window = torch.arange(20.0).view(2, 10)
    found = patches(window, size)
    assert found.shape == (2, 10 // size, size)
    assert torch.equal(found.flatten(1), window[:, 10 - 10 // size * size :])


def test_an_ensemble_has_its_axis_first():
    network = network_of("mlp", members=3)
    assert network.output({"window": torch.randn(4, 50), "series": torch.zeros(4).long()}).shape == (3, 4, 7, 2)


@pytest.mark.parametrize(
    "given",
    [
        nn.Sequential(nn.Linear(50, 9), nn.ReLU()),
        nets.MLP(50, width=9),
        nets.RNN(1, width=10),
        nets.Transformer(1, width=32, depth=1),
        nets.CNN(1, dimensions=1, width=8),
    ],
    ids=lambda net: type(net).__name__,
)
def test_a_net_of_ones_own_reads_the_window(given):
    network = network_of(given=given)
    assert network.output({"window": torch.randn(4, 50), "series": torch.zeros(4).long()}).shape == (4, 7, 2)
    assert network.head.linear.inputs + PLACE == network.net(torch.zeros(2, 50), torch.zeros(2).long()).shape[-1]


class Odd(nn.Module):
    def forward(self, x):
        return x[0]


@pytest.mark.parametrize(
    "given, message",
    [
        (
            nn.Linear(49, 3),
            r"cannot read these data: .*It is given \(batch, 50\), a window without its level and scale",
        ),
        (nets.RNN(2, width=8), r"It is given \(batch, 50, 1\), a window"),
        (Odd(), r"a net must give features of shape \(batch, unit\), got \(50,\) for 2 windows"),
    ],
)
def test_a_net_that_cannot_read_windows_is_refused(given, message):
    with pytest.raises(RequestError, match=message):
        network_of(given=given)


def test_a_net_for_other_data_is_refused():
    with pytest.raises(RequestError, match="net 'gnn' reads graph data"):
        network_of("gnn")
