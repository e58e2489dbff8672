import pytest
import torch
from torch import nn

from chain.graph.test_places import Block, graph_of
from evenkeel.chain.graph.meter import Meter


def test_totals_and_flows_of_a_residual_block():
    block, x = Block().double(), torch.randn(3, 4).double()
    graph, found = graph_of(block, x)
    join = next(place for place in graph.places if place.operation and place.operation.name == "add")
    entry = next(place for place in graph.places if place.entry)
    layer = next(place for place in graph.places if place.operation and place.operation.kind == "linear")
    meter = Meter(graph)
    top, bottom = meter.total([join.number]), meter.total([entry.number])
    assert meter.total([join.number]) is top
    skip, path = meter.flow(join.edges[entry.number]), meter.flow(layer.edges[entry.number])
    both = meter.flow([*join.edges[entry.number], *layer.edges[entry.number]])
    rows = meter.rows(entry.number, 3)
    with meter.wiring.reading():
        gradients = torch.autograd.grad(found.loss, [*found.leaves, block.layer.weight])
    ones = torch.ones(3, 4).double()
    branch = ones @ block.layer.weight.detach()
    assert top.norm.item() == pytest.approx(12**0.5)
    assert skip.norm.item() == pytest.approx(12**0.5)
    assert path.norm.item() == pytest.approx(branch.norm().item())
    assert bottom.norm.item() == pytest.approx((ones + branch).norm().item())
    assert both.norm.item() == pytest.approx(bottom.norm.item())
    assert torch.allclose(gradients[0], ones + branch)
    assert torch.allclose(rows.rows, (ones + branch).norm(dim=1))
    assert rows.similarity.item() == pytest.approx(1.0)


def test_gradients_of_tensors_are_kept_on_request():
    layer, x = nn.Linear(3, 2), torch.randn(4, 3)
    graph, found = graph_of(layer, x)
    meter = Meter(graph)
    kept = meter.tensor_gradient((found.outputs[0], None))
    with meter.wiring.reading():
        torch.autograd.grad(found.loss, found.leaves, allow_unused=True)
    assert torch.equal(kept[0], torch.ones(4, 2))


def test_a_flow_of_which_a_part_never_comes_still_counts():
    class Half(nn.Module):
        def forward(self, x):
            return x * 2 + (x * 3).detach()

    graph, found = graph_of(Half(), torch.ones(2, 1))
    entry = next(place for place in graph.places if place.entry)
    edges = [edge for above in entry.above for edge in graph.places[above].edges[entry.number]]
    meter = Meter(graph)
    reading = meter.flow(edges)
    with meter.wiring.reading():
        torch.autograd.grad(found.loss, found.leaves, allow_unused=True)
    assert reading.norm.item() == pytest.approx(2 * 2**0.5)
