import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from chain.graph.test_places import graph_of
from evenkeel.chain.graph.classify import grouping, kind_of_place
from evenkeel.chain.graph.places import build


def classified(model, x):
    """Kinds of all places from the output to the input, merged as a trace merges them."""
    _, found = graph_of(model, x)
    operations = found.node_operations()
    heads = [mark.grad_fn for mark in found.outputs]
    graph = build(heads, set(found.entries), operations, grouping(operations, model))
    return [(kind_of_place(place), len(place.members)) for place in graph.places[1:-1]]


def test_plain_layers_are_one_node_each():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5), nn.LayerNorm(4))
    kinds = ["view", "norm", "dropout", "activation", "linear", "view"]
    assert classified(model, torch.randn(3, 4)) == [(kind, 1) for kind in kinds]


def test_a_recurrent_layer_is_one_place():
    for layer in (nn.GRU(4, 3), nn.RNN(4, 3), nn.LSTM(4, 3)):
        model = nn.Sequential(layer)
        model.forward = lambda x, layer=layer: layer(x)[0]
        found = classified(model, torch.randn(5, 2, 4))
        assert [kind for kind, _ in found] == ["view", "recurrent", "view"]


def test_small_modules_written_out_are_merged_unless_they_hold_weights_that_mix():
    class Swish(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(x)

    class UnitNorm(nn.Module):
        def forward(self, x):
            return x / x.square().mean(-1, keepdim=True).sqrt()

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 4))

        def forward(self, x):
            return F.relu(x @ self.weight)

    found = classified(nn.Sequential(Swish(), UnitNorm(), Own()), torch.randn(3, 4))
    assert [kind for kind, _ in found] == ["view", "activation", "linear", "norm", "activation", "view"]
    assert found[3][1] > 1 and found[4][1] > 1


def test_a_product_of_data_is_no_layer():
    model = nn.Sequential()
    model.forward = lambda x: x @ x.T
    assert [kind for kind, _ in classified(model, torch.randn(3, 4))] == ["view", "operation", "view", "view"]
