"""What every head promises, tested for every file of the folder and every loss that fits it."""

import importlib

import numpy as np
import pytest
import torch

from evenkeel import heads, losses
from evenkeel.errors import DataError, RequestError
from heads._cases import ENSEMBLES, SKEW, case, compares, started

NAMES = list(heads.PARTS)
PAIRS = [(name, loss) for name in NAMES for loss in heads.PARTS[name].losses]
MEMBERS = [(name, loss, members) for name, loss in PAIRS for members in ((None, 4) if name in ENSEMBLES else (None,))]


@pytest.mark.parametrize("skew", SKEW)
@pytest.mark.parametrize("name, loss, members", MEMBERS)
def test_the_first_loss_is_the_base_rate(name, loss, members, skew):
    data = case(name, skew, loss=loss)
    # An embedding knows nothing only where its inputs say nothing: random features tell examples apart.
    inputs = torch.zeros_like(data.inputs) if compares(name) else data.inputs
    first = started(name, data, members=members, loss=loss).loss(inputs, data.target)
    expected = importlib.import_module(f"heads.test_{name}").base_rate(loss, data.target)
    assert first.item() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("name, loss", PAIRS)
def test_a_gradient_reaches_every_layer_at_the_first_step(name, loss):
    data = case(name, "real", loss=loss)
    network = started(name, data, loss=loss).train()
    network.loss(data.inputs, data.target).backward()
    sizes = {key: float(p.grad.norm()) for key, p in network.named_parameters() if key.endswith("weight")}
    assert min(sizes.values()) > 1e-5 * max(sizes.values()) > 0
    assert {key.split(".")[0] for key in sizes} >= {"net"}


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_that_does_not_fit_is_refused(name):
    part = heads.PARTS[name]
    wrong = next(loss for loss in losses.PARTS if loss not in part.losses)
    data = case(name, "real")
    expected = rf"loss '{wrong}' expects .*{part.call.task} does not give that; losses that fit: {part.losses[0]}"
    with pytest.raises(RequestError, match=expected):
        part.call(8, loss=wrong, **data.sizes)
    with pytest.raises(RequestError, match="no loss is called 'mean_squared'"):
        part.call(8, loss="mean_squared", **data.sizes)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_an_ensemble_of_one_is_a_single_network(name):
    data = case(name, "real", rows=50)
    single = started(name, data)
    one = started(name, data, members=1)
    state = {key: value.reshape(one.state_dict()[key].shape) for key, value in single.state_dict().items()}
    one.load_state_dict(state)
    torch.testing.assert_close(one.loss(data.inputs, data.target), single.loss(data.inputs, data.target))
    torch.testing.assert_close(one.predict(data.inputs), single.predict(data.inputs))
    output = one.output(data.inputs)
    torch.testing.assert_close(
        one.head.ensemble_loss(output, data.target), single.head.example_loss(output[0], data.target)
    )


@pytest.mark.parametrize("name, loss", [(name, loss) for name, loss in PAIRS if name in ENSEMBLES])
def test_the_loss_of_an_ensemble_is_the_mean_of_its_members(name, loss):
    data = case(name, "real", rows=50)
    network = started(name, data, members=3, loss=loss)
    single = started(name, data, loss=loss).head
    single.load_state_dict(
        {key: value for key, value in network.head.state_dict().items() if not key.startswith("linear")}, strict=False
    )
    output = network.output(data.inputs)
    each = [single.loss(one, data.target).item() for one in output]
    assert network.loss(data.inputs, data.target).item() == pytest.approx(np.mean(each), rel=1e-5)
    joint = network.head.ensemble_loss(output, data.target).mean()
    assert joint.item() <= np.mean(each) + 1e-6, "the mean, or mixture, is never worse than its members on average"


@pytest.mark.parametrize("name", NAMES)
def test_a_weight_of_two_counts_twice(name):
    # Where a loss compares rows with each other, a copy of a row is not the same as its weight.
    loss = heads.PARTS[name].call.default_loss
    if compares(name):
        loss = next(loss for loss in heads.PARTS[name].losses if losses.PARTS[loss].batch == "independent")
    data = case(name, "real", rows=30, loss=loss)
    network = started(name, data, loss=loss)
    weight = torch.ones(30)
    weight[:10], weight[10:20] = 2.0, 0.0
    kept = torch.cat([torch.arange(10), torch.arange(10), torch.arange(20, 30)])
    weighted = network.loss(data.inputs, data.target, weight)
    torch.testing.assert_close(weighted, network.loss(data.inputs[kept], data.target[kept]))


@pytest.mark.parametrize("name", [name for name in NAMES if heads.PARTS[name].target == "number"])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e7])
def test_the_unit_of_a_target_does_not_reach_training(name, factor):
    data = case(name, "real")
    network = started(name, data)
    shift = 37.0 if takes_negative(network.head) else 0.0
    before = network.predict(data.inputs).double(), network.loss(data.inputs, data.target).item()
    changed = factor * (data.target + shift)
    network.head.start(changed)
    assert network.loss(data.inputs, changed).item() == pytest.approx(before[1], rel=1e-5)
    torch.testing.assert_close(
        network.predict(data.inputs).double(), factor * (before[0] + shift), rtol=1e-5, atol=1e-6 * factor
    )


def takes_negative(head):
    """Whether a target below 0 is one that a head learns from."""
    try:
        head.check_target(torch.tensor([-1.0]))
    except DataError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_predictions_do_not_depend_on_the_batch(name):
    data = case(name, "real", rows=20)
    network = started(name, data, members=2 if name in ENSEMBLES else None)
    whole = network.predict(data.inputs)
    rows = torch.stack([network.predict(row[None])[0] for row in data.inputs])
    torch.testing.assert_close(rows, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_of_ones_own_is_averaged_over_members(name):
    data = case(name, "real", rows=20)
    seen = []

    def own(output, target):
        seen.append((output.shape, target.shape))
        return (output.float() ** 2).mean()

    members = 3 if name in ENSEMBLES else None
    network = started(name, data, members=members, loss=own)
    value = network.loss(data.inputs, data.target)
    assert len(seen) == (members or 1) and len(set(seen)) == 1 and seen[0][0][0] == len(data.target) == seen[0][1][0]
    assert value.requires_grad and value.dim() == 0
    joint = network.head.ensemble_loss(network.output(data.inputs), data.target)
    torch.testing.assert_close(joint, value.expand(20))


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_module_is_its_loss_with_options(name):
    loss = heads.PARTS[name].losses[0]
    data = case(name, "real", rows=20, loss=loss)
    module = getattr(losses, "".join(word.capitalize() for word in loss.split("_")) + "Loss")
    plain = started(name, data, loss=loss)
    given = heads.PARTS[name].call(32, loss=module(), **data.sizes).eval()
    given.load_state_dict(plain.head.state_dict())
    assert given.loss_name == given.loss_text == loss
    output = plain.output(data.inputs)
    torch.testing.assert_close(given.loss(output, data.target), plain.head.loss(output, data.target))


@pytest.mark.parametrize("name, loss", PAIRS)
def test_a_few_steps_make_the_loss_smaller(name, loss):
    data = case(name, "real", rows=64, loss=loss)
    network = started(name, data, loss=loss).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    seen = []
    for _ in range(30):
        value = network.loss(data.inputs, data.target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        seen.append(value.item())
    assert np.mean(seen[-3:]) < np.mean(seen[:3])


@pytest.mark.parametrize("name", NAMES)
def test_the_target_is_looked_at_once_by_the_start_or_the_first_loss(name, monkeypatch):
    data = case(name, "real", rows=20)
    network = started(name, data)
    assert network.head.checked and not network.head.begun
    network.head.checked = False  # as without a start
    network.loss(data.inputs, data.target)
    assert network.head.checked and network.head.begun
    monkeypatch.setattr(network.head, "check_target", lambda target: pytest.fail("looked again"))
    network.loss(data.inputs, data.target)


@pytest.mark.parametrize("name", NAMES)
def test_a_head_keeps_its_weights_through_a_state_dict(name):
    data = case(name, "real", rows=20)
    network, again = started(name, data), started(name, data)
    again.load_state_dict(network.state_dict())
    assert torch.equal(network.predict(data.inputs), again.predict(data.inputs))
