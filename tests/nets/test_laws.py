"""What every net of the folder obeys, for every kind of data that it reads."""

import itertools
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from torch import nn

from evenkeel.nets import PARTS
from nets._samples import READ, STEPS, WITH_LENGTHS, build, inputs, links_of, spread

every = pytest.mark.parametrize("name, kind", READ)


def test_every_net_is_looked_at():
    assert {name for name, _ in READ} == set(PARTS)
    assert {"table", "image", "sequence", "text", "graph"} <= {kind for _, kind in READ}


@every
@pytest.mark.parametrize("depth", [2, 8, 32])
def test_the_gradient_is_even_and_the_eyes_are_open_at_any_depth(name, kind, depth):
    least, greatest, similarity = spread(links_of(build(name, kind, depth=depth), inputs(kind)))
    assert least > 0.1 and greatest < 10 and similarity < 0.9


@every
@pytest.mark.parametrize("depth", [2, 8])
def test_where_there_are_many_positions_their_mean_is_the_only_uneven_step(name, kind, depth):
    """A mean over n positions gives each an n-th of the gradient, whatever the net; all else is even as before."""
    links = links_of(build(name, kind, depth=depth), inputs(kind, pixels=28, steps=64, nodes=20))
    sizes = [link.backward_rms for link in links]
    steps = [after / before for before, after in itertools.pairwise(sizes)]
    mean = max(range(len(steps)), key=steps.__getitem__) + 1
    for part in (sizes[:mean], sizes[mean:]):
        assert max(part) < 10 * min(part)
    assert steps[mean - 1] < {"image": 28 * 28, "graph": 20}.get(kind, 64)
    assert max(link.similarity for link in links if link.similarity is not None) < 0.9


@every
def test_it_says_how_many_features_it_gives(name, kind):
    net = build(name, kind)
    assert isinstance(net, nn.Module) and isinstance(net.features, int)
    assert net(inputs(kind, 5)).shape == (5, net.features)


@every
def test_every_parameter_learns_from_the_first_step(name, kind):
    net = build(name, kind)
    net(inputs(kind)).square().sum(1).sin().sum().backward()
    for parameter, value in net.named_parameters():
        assert value.grad is not None and value.grad.abs().max() > 0, parameter


@every
def test_dropout_acts_in_training_and_is_off_in_prediction(name, kind):
    net, values = build(name, kind, dropout=0.5), inputs(kind)
    assert not torch.equal(net(values), net(values))
    net.eval()
    silent = build(name, kind, dropout=0.0).eval()
    silent.load_state_dict(net.state_dict())
    assert torch.equal(net(values), net(values))
    torch.testing.assert_close(net(values), silent(values))


@every
def test_a_prediction_does_not_depend_on_the_rest_of_the_batch(name, kind):
    net, values = build(name, kind), inputs(kind)
    for _ in range(3):
        net(values)
    net.eval()
    torch.testing.assert_close(net(values)[:3], net(values[:3]), atol=1e-5, rtol=1e-4)


@every
def test_the_state_is_plain_tensors_that_survive_a_file(name, kind):
    net, values = build(name, kind).eval(), inputs(kind)
    state = net.state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    assert len({value.untyped_storage().data_ptr() for value in state.values() if value.numel()}) == len(
        [value for value in state.values() if value.numel()]
    )
    other = build(name, kind).eval()
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(state)))
    assert torch.equal(net(values), other(values))


@every
def test_an_empty_batch_gives_no_features(name, kind):
    net = build(name, kind).eval()
    assert net(inputs(kind)[:0]).shape == (0, net.features)


@pytest.mark.parametrize("name, kind", WITH_LENGTHS)
def test_padding_changes_nothing(name, kind):
    net, values = build(name, kind), inputs(kind, 6)
    net(values)
    net.eval()
    lengths = torch.tensor([1, 3, 8, 5, 7, 2])
    spoilt = values.clone()
    for row, length in enumerate(lengths):
        spoilt[row, length:] = -100 if kind == "text" else torch.nan
    found = net(spoilt, lengths)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[row : row + 1], net(values[row : row + 1, :length]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name, kind", WITH_LENGTHS)
def test_training_does_not_see_the_padding_either(name, kind):
    """The same batch, padded to twice the steps: features, gradients and moving averages stay."""
    values, lengths = inputs(kind, 6), torch.tensor([1, 3, 8, 5, 7, 2])
    longer = torch.cat((values, inputs(kind, 6)), dim=1)
    assert longer.shape[1] == 2 * STEPS
    net, twin = build(name, kind), build(name, kind)
    twin.load_state_dict(net.state_dict())
    found, expected = net(longer, lengths), twin(values, lengths)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    found.sin().sum().backward()
    expected.sin().sum().backward()
    for one, other in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-3)
    for one, other in zip(net.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name, kind", WITH_LENGTHS)
def test_full_lengths_are_the_same_as_none(name, kind):
    net, values = build(name, kind), inputs(kind, 6)
    torch.testing.assert_close(net(values, torch.full((6,), STEPS)), net(values), atol=1e-5, rtol=1e-4)


def test_every_net_is_one_graph_for_the_compiler():
    """Without the shape checks of these tests, which a compiler cannot see through."""
    script = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from nets._samples import READ, WITH_LENGTHS, build, in_pieces, inputs
for name, kind in READ:
    net, values = build(name, kind, depth=1), inputs(kind, 4)
    given = (values, torch.tensor([8, 3, 1, 5])) if (name, kind) in WITH_LENGTHS else (values,)
    compiled = torch.compile(net, fullgraph=not in_pieces(net), backend="eager")
    torch.testing.assert_close(compiled(*given), net(*given), atol=1e-5, rtol=1e-4)
    torch._dynamo.reset()
print(len(READ))
"""
    tests = str(__import__("pathlib").Path(__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", script, tests], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(READ)
