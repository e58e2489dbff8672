import math

import pytest
import torch
from torch import nn

from _small import TARGETS, same, small_dataset, small_network, small_plan
from _unchecked import unchecked
from evenkeel import heads, losses, nets
from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.kinds.table.flat import FlatInputs
from evenkeel.nets.base import Body, UsualLoss
from evenkeel.network import Network, assemble, build_head, build_network, load_weights, weights_of
from evenkeel.plan import make_plan


class TwoInputs(nn.Module):
    """A net of the user's that names numbers and categories."""

    def __init__(self):
        super().__init__()
        self.town = nn.Embedding(4, 3)
        self.body = nn.Linear(5, 12)

    def forward(self, numbers, categories):
        return self.body(torch.cat([numbers.nan_to_num(), self.town(categories[:, 0])], dim=1)).relu()


@pytest.mark.parametrize("task", TARGETS)
def test_a_plan_becomes_a_started_network(task):
    data = small_dataset(task)
    network, shape = build_network(small_plan(task), data)
    output = network.output(data.inputs)
    assert output.shape[:2] == (2, 240) and network.head.task == task
    assert network.loss(data.inputs, data.target).isfinite()
    assert len(network.predict(data.inputs)) == 240
    assert shape.flagged == (0,) and len(shape.pieces) == 2, "signal has gaps; two number columns"


def test_the_seed_decides_the_first_weights_and_nothing_else_does():
    data = small_dataset("regression")
    before = torch.random.get_rng_state()
    first = build_network(small_plan("regression", seed=1), data)[0].state_dict()
    assert torch.equal(torch.random.get_rng_state(), before), "the caller's random state is left alone"
    torch.randn(5)
    assert same(first, build_network(small_plan("regression", seed=1), data)[0].state_dict())
    assert not same(first, build_network(small_plan("regression", seed=2), data)[0].state_dict())


def test_an_empty_network_of_the_same_sizes_takes_the_weights():
    data = small_dataset("single-label")
    plan = small_plan("single-label")
    network, shape = build_network(plan, data)
    blank = assemble(plan.model_copy(update={"seed": 9}), data.schema, data.target_schema, shape)
    blank.load_state_dict(network.state_dict())
    network.eval(), blank.eval()
    assert torch.equal(network.output(data.inputs), blank.output(data.inputs))


def test_the_start_uses_training_rows_and_weights_only():
    weight = [5.0 if index < 100 else 1.0 for index in range(240)]
    data = small_dataset("regression", weight=weight)
    head = small_network("regression", data).head
    rows = torch.from_numpy(data.split.train)
    share = data.weight[rows].double() / data.weight[rows].double().sum()
    assert head.center.item() == pytest.approx((share * data.target[rows]).sum().item())
    assert abs(head.center.item() - data.target.mean().item()) > 1e-3


def test_inputs_come_as_tensor_tuple_or_mapping():
    network = Network(nets.MLP(2, levels=(3,), width=8), heads.Value(8)).eval()
    numbers, categories = torch.randn(4, 2), torch.randint(0, 3, (4, 1))
    named = network.output({"numbers": numbers, "categories": categories})
    assert torch.equal(network.output((numbers, categories)), named)
    alone = Network(nets.MLP(2, width=8), heads.Value(8))
    assert torch.equal(alone.output(numbers), alone(numbers))


def test_embeddings_are_compared_with_one_another_and_other_heads_need_a_target():
    towers = heads.Towers(nets.MLP(3, width=8))
    pairs = Network(towers, heads.Embedding(8, units=4, loss="info_nce"))
    assert pairs.loss((torch.randn(6, 3), torch.randn(6, 3))).isfinite()
    with pytest.raises(RequestError, match=r"head Value learns from a target; pass one: loss\(inputs, target\)"):
        Network(nets.MLP(3, width=8), heads.Value(8)).loss(torch.randn(6, 3))


@pytest.mark.parametrize("training", [True, False])
def test_predicting_is_without_dropout_and_puts_the_mode_back(training):
    network = Network(nets.MLP(2, width=32, dropout=0.5), heads.Value(32)).train(training)
    x = torch.randn(6, 2)
    assert torch.equal(network.predict(x), network.predict(x)) and not network.predict(x).requires_grad
    assert network.training is training is network.net.training


def test_a_net_of_ones_own_takes_one_tensor_or_names_its_inputs():
    data, plan = small_dataset("single-label"), small_plan("single-label")
    flat, _ = build_network(plan, data, net=nn.Sequential(nn.Linear(8, 12), nn.ReLU()))
    named, _ = build_network(plan, data, net=TwoInputs())
    for network in (flat, named):
        assert network.head.linear.inputs == 12 and network.head.members is None
        assert network.output(data.inputs).shape == (240, 3)
    assert isinstance(flat.net, FlatInputs) and isinstance(named.net, TwoInputs)


def test_a_net_of_ones_own_that_does_not_fit_is_refused_with_what_it_is_given():
    data, plan = small_dataset("single-label"), small_plan("single-label")
    with pytest.raises(
        RequestError, match=r"cannot read these data: .*given one float tensor \(batch, 8\), or `numbers`"
    ):
        build_network(plan, data, net=nn.Linear(5, 12))
    with unchecked(), pytest.raises(RequestError, match=r"features of shape \(batch, unit\), got \(2, 3, 4, 5\) for"):
        build_network(plan, data, net=nn.Sequential(nn.Linear(8, 60), nn.Unflatten(1, (3, 4, 5))))
    with unchecked(), pytest.raises(RequestError, match="got tuple"):
        build_network(plan, data, net=nn.Sequential(nn.Linear(8, 8), nn.LSTM(8, 8)))


def test_options_of_the_plan_reach_the_loss():
    data = small_dataset("probabilistic-regression")
    assert small_network("probabilistic-regression", data, beta=0.5).head.options == {"beta": 0.5}
    assert small_network("single-label", loss="focal", gamma=1.0).head.options == {"gamma": 1.0}
    assert small_network("positive-regression", positive="relu").head.activation == "relu"
    network, _ = build_network(
        small_plan("single-label"), small_dataset("single-label"), loss=losses.FocalLoss(gamma=3.0)
    )
    assert network.head.loss_name == "focal" and network.head.options == {}


def test_what_a_loss_by_name_learned_is_kept_and_another_loss_does_not_mind():
    def points(**options):
        return Network(nn.Linear(3, 4), heads.Embedding(4, units=4, **options))

    learned = points(loss="info_nce", learn=("temperature",), options={"temperature": 0.3})
    kept = weights_of(learned)
    assert "head.loss_function.log_temperature" in kept
    again = points(loss="info_nce", learn=("temperature",))
    load_weights(again, kept)
    assert same(again.state_dict(), learned.state_dict())
    plain = points()
    load_weights(plain, kept)
    assert torch.equal(plain.net.weight, learned.net.weight)
    load_weights(learned, weights_of(plain))
    assert learned.head.loss_function.log_temperature.item() == pytest.approx(math.log(0.3))
    own = points(loss=nn.CosineEmbeddingLoss())
    own.head.loss_function.register_buffer("mine", torch.ones(2))
    assert not any("mine" in name for name in weights_of(own))
    with pytest.raises(RuntimeError, match="Missing key"):
        load_weights(plain, {"net.weight": plain.net.weight})


def test_settings_of_head_and_loss_reach_them():
    head = small_network("single-label", loss_options={"label_smoothing": 0.1}).head
    assert head.options == {"label_smoothing": 0.1}
    body = Body(module=nn.Identity(), features=8)
    points = build_head(
        make_plan("embedding", rows=99, settings={"units": 5}), Target(columns=("a",), kind="groups"), body
    )
    assert points.units == 5 and points(torch.randn(3, 8)).shape == (3, 5)


def test_what_the_data_decide_of_a_head_cannot_be_set():
    with pytest.raises(RequestError, match="classes of the head is decided by these data, as 3; leave it out"):
        small_network("single-label", head_options={"classes": 5})
    data, plan = small_dataset("single-label"), small_plan("single-label", loss_options={"label_smoothing": 0.1})
    with pytest.raises(RequestError, match="a loss that is given as an object has its own options"):
        build_network(plan, data, loss=losses.CrossEntropyLoss())


def test_the_usual_loss_of_a_body_comes_with_its_options_and_another_loss_without():
    usual = UsualLoss(name="info_nce", options={"temperature": 0.3}, learn=("temperature",))
    body, target = (
        Body(module=nn.Identity(), features=8, head={"views": 2}, loss=usual),
        Target(columns=(), kind="pairs"),
    )
    head = build_head(make_plan("embedding", rows=99), target, body)
    assert head.loss_name == "info_nce" and head.loss_function.log_temperature.exp().item() == pytest.approx(0.3)
    other = build_head(make_plan("embedding", rows=99, settings={"loss": "nt_xent"}), target, body)
    assert other.loss_name == "nt_xent" and other.options == {} and other.loss_function is losses.nt_xent
