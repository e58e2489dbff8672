import pytest
import torch

from evenkeel.data.dataset import SplitRequest
from evenkeel.data.fields import pick
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.text.body import BagBody, BagPairs, OrderBody, Stack, StreamBody, compared
from evenkeel.network import build_network
from evenkeel.plan import make_plan

TEXTS = ([f"word{number % 7} and word{number % 5} again" for number in range(40)], [0, 1] * 20)
PAIRS = ([(left, right) for left, right in zip(TEXTS[0], TEXTS[0][1:] + TEXTS[0][:1], strict=True)], TEXTS[1])
LINES = "".join(f"line {number} of a text\n" for number in range(60))


def built(data, net, **settings):
    """The network of small plan, and its data."""
    kind = PARTS["text"]
    found = kind.prepare(data, DataRequest(split=SplitRequest(), options=kind.options(window=16), net=net))
    recipe = {**kind.recipe(net, found.dataset, found.choice), "width": 32, "net": net, **settings}
    plan = make_plan(found.choice.task, rows=len(found.dataset.split.train), recipe=recipe)
    return build_network(plan, found.dataset)[0], found.dataset


@pytest.mark.parametrize(
    ("data", "net", "body", "shape"),
    [
        (TEXTS, "mlp", BagBody, (8, 3, 32)),
        (TEXTS, "rnn", OrderBody, (3, 32)),
        (PAIRS, "mlp", BagPairs, (8, 3, 32 + 3 + 1)),
        (PAIRS, "rnn", OrderBody, (3, 32 + 1)),
        (LINES, "rnn", StreamBody, (3, 16, 32)),
    ],
)
def test_features_and_gradients_of_every_body(data, net, body, shape):
    network, dataset = built(data, net)
    assert isinstance(network.net, body)
    batch = pick(dataset.inputs, torch.arange(3))
    found = network.net(**batch)
    assert found.shape == shape and shape[-1] == network.net.features
    network.loss(batch, dataset.target.index_select(0, torch.arange(3))).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_comparison_is_the_same_either_way_round_and_knows_the_cosine():
    plan = make_plan("regression", rows=9, recipe={"width": 8, "depth": 1, "members": None})
    stack = Stack(2 * 4 + 1, plan).eval()
    u, v, none = torch.randn(5, 4), torch.randn(5, 4), torch.empty(5, 0)
    torch.testing.assert_close(compared(u, v, none, stack), compared(v, u, none, stack))
    torch.testing.assert_close(compared(u, 3 * v, none, stack), compared(u, v, none, stack))
    assert torch.allclose(compared(u, u, none, stack)[:, -1], torch.ones(5))
    assert torch.allclose(compared(u, -u, none, stack)[:, -1], torch.full((5,), -3.0))


def test_a_stream_sees_nothing_of_what_comes_after():
    network, dataset = built(LINES, "transformer", depth=1)
    tokens = dataset.inputs["tokens"].index_select(0, torch.tensor([0]))
    later = torch.cat([tokens[:, :8], tokens[:, :8].flip(1)], 1)
    with torch.no_grad():
        first, second = (network.eval().net(tokens=each)[:, :8] for each in (tokens, later))
    torch.testing.assert_close(first, second)


def test_the_head_of_a_stream_knows_how_long_tokens_are():
    network, dataset = built(LINES, "rnn", depth=1)
    assert network.head.characters.tolist() == dataset.schema.tokens.characters()
    assert network.head.vocabulary == dataset.schema.tokens.size


def test_the_first_loss_is_the_entropy_of_the_tokens():
    network, dataset = built(LINES, "transformer", depth=1)
    rows = torch.from_numpy(dataset.split.train)
    truth = dataset.target.index_select(0, rows)
    share = truth.flatten().long().bincount().double() / truth.numel()
    entropy = -(share[share > 0] * share[share > 0].log()).sum()
    with torch.no_grad():
        found = network.eval().loss(pick(dataset.inputs, rows), truth)
    assert found.item() == pytest.approx(entropy.item(), rel=0.05)
