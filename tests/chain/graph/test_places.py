import torch
from torch import nn

from evenkeel.chain.graph.places import Edge, build
from evenkeel.chain.record.capture import capture
from evenkeel.chain.record.overwritten import Overwritten


def graph_of(model, x, group=lambda node: None):
    found = capture(model, lambda output, _: output.sum(), (x, None), Overwritten())
    heads = [mark.grad_fn for mark in found.outputs]
    return build(heads, set(found.entries), found.node_operations(), group), found


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, h):
        return h + self.layer(h)


def test_places_are_in_the_order_of_the_gradient():
    graph, _ = graph_of(nn.Sequential(Block(), Block()), torch.randn(3, 4))
    assert graph.places[0].above == [] and graph.places[graph.sink].below == []
    for place in graph.places:
        assert all(below > place.number for below in place.below)
        assert all(place.number in graph.places[below].above for below in place.below)


def test_weights_are_no_places_but_known_edges():
    graph, _ = graph_of(nn.Linear(4, 2), torch.randn(3, 4))
    names = [place.members[0].name() for place in graph.places[1:-1]]
    assert names == ["ViewBackward0", "AddmmBackward0", "CloneBackward0"]
    layer = graph.places[2]
    assert [edge.position for edge in layer.weight_edges] == [0, 2]  # bias and weight of addmm
    assert graph.places[3].entry and not layer.entry


def test_integer_data_enter_where_they_are_looked_up():
    graph, _ = graph_of(nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 2)), torch.tensor([1, 2]))
    last = graph.places[-2]
    assert last.operation.name == "embedding" and last.below == [graph.sink]


def test_merged_nodes_are_one_place_with_its_outer_edges_only():
    model, x = nn.Sequential(nn.Linear(4, 4), Block(), nn.Linear(4, 1)), torch.randn(3, 4)
    _, found = graph_of(model, x)
    operations = found.node_operations()
    inside = {
        node
        for node, operation in operations.items()
        if operation.call is not None and operation.call.path.startswith("1")
    }
    heads = [mark.grad_fn for mark in found.outputs]
    graph = build(heads, set(found.entries), operations, lambda node: "block" if node in inside else None)
    merged = next(place for place in graph.places if len(place.members) > 1)
    assert set(merged.members) == inside
    assert len(merged.below) == len(merged.above) == 1
    edges = merged.edges[merged.below[0]]
    assert len(edges) == 2 and all(isinstance(edge, Edge) for edge in edges)
