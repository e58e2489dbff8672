import torch
from torch import nn

from chain.graph.test_places import graph_of
from evenkeel.chain.graph.classify import kind_of_place
from evenkeel.chain.graph.decompose import decompose
from evenkeel.chain.graph.drafts import WEIGHTED, Assembler, flows, region_kind


def drafted(model, x):
    graph, _ = graph_of(model, x)
    for place in graph.places[1:-1]:
        place.kind = kind_of_place(place)
    segments = decompose(graph, lambda number: graph.places[number].kind in WEIGHTED)
    return graph, Assembler(graph).links(segments)


def roles(model, x=None):
    return [draft.roles for draft in drafted(model, torch.randn(3, 4) if x is None else x)[1]]


def test_norm_and_activation_follow_their_layer():
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Tanh(), nn.Dropout(0.1), nn.Linear(4, 2))
    assert roles(model) == [["weighted", "norm", "activation", "dropout"], ["weighted", "view"]]


def test_a_second_norm_and_a_norm_in_front_are_links_of_their_own():
    norm = lambda: nn.LayerNorm(4)  # noqa: E731
    assert roles(nn.Sequential(norm(), nn.Linear(4, 4), norm(), norm())) == [
        ["norm"],
        ["weighted", "norm"],
        ["norm", "view"],
    ]


def test_what_comes_before_the_first_layer_begins_its_link():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    assert roles(model, torch.randn(3, 2, 2)) == [["view", "weighted", "view"]]


def test_a_value_used_twice_ends_its_link():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            z = self.layer(x)
            return torch.cat([torch.relu(z), torch.cumsum(z, 1)], dim=1)

    graph, drafts = drafted(Forked(), torch.randn(3, 4))
    assert drafts[0].roles == ["weighted"]
    assert region_kind(graph, drafts[1]) == "concatenation"


def test_ends_and_kinds_of_a_residual_block():
    from chain.graph.test_places import Block

    graph, (draft,) = drafted(nn.Sequential(Block()), torch.randn(3, 4))
    assert region_kind(graph, draft) == "residual"
    assert [branch.kind for branch in draft.branches] == ["skip", "path"]
    assert graph.places[draft.lower].entry and draft.entries == [draft.upper]
    assert len(flows(graph.places, draft.exits, draft.lower)) == 2
