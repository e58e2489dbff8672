import torch
from torch import nn

from evenkeel.chain.record.atlas import Atlas
from evenkeel.chain.record.ledger import Source
from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.values import Value
from evenkeel.chain.record.wiring import Wiring


def forward(layer, x):
    hidden = torch.tanh(layer(x))
    return hidden, (hidden * 2).sum()


def atlas_of(read):
    layer, x = nn.Linear(3, 4), torch.randn(5, 3)
    hidden, loss = forward(layer, x)
    value = Value(hidden, weak=False, kind="activation")
    names = {id(parameter): name for name, parameter in layer.named_parameters()}
    sources = {7: Source(value, read), 8: Source(None, "norm")}
    return layer, Atlas(loss.grad_fn, [], sources, Wiring(totals={hidden.grad_fn: [Reading([])]}), names)


def test_a_saved_tensor_is_found_in_the_next_graph():
    layer, atlas = atlas_of("norm")
    hidden, loss = forward(layer, torch.randn(5, 3))
    nodes = atlas.nodes(loss.grad_fn)
    assert nodes[0] is loss.grad_fn and hidden.grad_fn in nodes
    found = atlas.read(nodes, [], 5)
    assert list(found) == [7] and torch.allclose(found[7], hidden.norm())


def test_a_function_of_a_tensor_is_read_again():
    layer, atlas = atlas_of(lambda tensor: tensor.max())
    hidden, loss = forward(layer, torch.randn(5, 3))
    assert torch.equal(atlas.read(atlas.nodes(loss.grad_fn), [], 5)[7], hidden.max())


def test_other_parameters_make_another_graph():
    _, atlas = atlas_of("norm")
    other = nn.Linear(3, 4)
    assert atlas.nodes(forward(other, torch.randn(5, 3))[1].grad_fn) is None


def test_a_tensor_of_another_size_is_not_taken():
    layer, atlas = atlas_of("norm")
    _, loss = forward(layer, torch.randn(6, 3))
    assert atlas.read(atlas.nodes(loss.grad_fn), [], 6) == {}


def test_outputs_are_found_by_their_number():
    layer, x = nn.Linear(3, 4), torch.randn(5, 3)
    output = layer(x)
    loss = output.sum()  # saves nothing
    atlas = Atlas(loss.grad_fn, [output], {0: Source(Value(output, weak=False, kind="linear"), "norm")}, Wiring(), {})
    again = layer(x + 1)
    found = atlas.read(atlas.nodes(again.sum().grad_fn), [again], 5)
    assert torch.allclose(found[0], again.norm())
