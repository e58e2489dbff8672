import pytest
import torch

from _unchecked import unchecked
from evenkeel.errors import RequestError
from evenkeel.nets.graph_layers import LAYERS, GraphBlock, GraphBlockOptions, MessageLayer
from evenkeel.nets.graph_wiring import GraphWiring, with_self
from nets._graphs import some_graphs

EDGES = torch.tensor([[0, 1, 2, 2, 3], [1, 0, 0, 1, 2]])
every_layer = pytest.mark.parametrize("kind", LAYERS)


def wired(kind, hidden, edges=EDGES):
    edges, weight = with_self(edges, hidden) if kind == "gcn" else (edges, None)
    return GraphWiring(edges=edges, weight=weight, graph=None, graphs=1)


def slow_twin(kind, layer, hidden, edges):
    """Node by node, from the equations of the papers, in float64."""
    weights = {name: parameter.detach() for name, parameter in layer.named_parameters()}
    loops = torch.arange(len(hidden)).expand(2, -1)
    around = [sorted(edges[0][edges[1] == node].tolist()) for node in range(len(hidden))]
    if kind == "sage":
        mean = [hidden[near].mean(0) if near else torch.zeros_like(hidden[0]) for near in around]
        return (
            torch.stack(mean) @ weights["lin_l.weight"].T + weights["lin_l.bias"] + hidden @ weights["lin_r.weight"].T
        )
    if kind == "gin":
        total = [hidden[node] + hidden[near].sum(0) for node, near in enumerate(around)]
        return torch.stack(total) @ weights["nn.weight"].T + weights["nn.bias"]
    sent = hidden @ weights["lin.weight"].T
    source, target = torch.cat((edges, loops), dim=1).tolist()
    if kind == "gcn":
        degree = [1 + len(near) for near in around]
        found = torch.zeros_like(hidden)
        for one, other in zip(source, target, strict=True):
            found[other] += sent[one] / (degree[one] * degree[other]) ** 0.5
        return found + weights["bias"]
    heads = sent.unflatten(1, (weights["att_src"].shape[1], -1))
    said, heard = ((heads * weights[name]).sum(-1) for name in ("att_src", "att_dst"))
    found = torch.zeros_like(heads)
    for node in range(len(hidden)):
        near = [*around[node], node]
        score = torch.nn.functional.leaky_relu(said[near] + heard[node], 0.2)
        found[node] = (score.softmax(0).unsqueeze(-1) * heads[near]).sum(0)
    return found.flatten(1) + weights["bias"]


@every_layer
def test_each_layer_agrees_with_the_equations_of_its_paper(kind):
    layer, hidden = MessageLayer(kind, 16).double(), torch.randn(5, 16, dtype=torch.float64)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    torch.testing.assert_close(layer(hidden, wired(kind, hidden)), slow_twin(kind, layer.layer, hidden, EDGES))


@every_layer
def test_the_initial_weights_keep_the_size_of_what_comes_in(kind):
    layer, hidden = MessageLayer(kind, 256), torch.randn(64, 256)
    nobody = torch.empty(2, 0, dtype=torch.int64)
    ratio = layer(hidden, wired(kind, hidden, nobody)).square().mean()
    assert ratio.item() == pytest.approx(0.5 if kind == "sage" else 1.0, rel=0.1)
    larger = MessageLayer(kind, 256, variance=4.0)(hidden, wired(kind, hidden, nobody)).square().mean()
    assert (larger / ratio).item() == pytest.approx(4.0, rel=0.2)
    assert not any(parameter.any() for name, parameter in layer.named_parameters() if "bias" in name)


@every_layer
def test_a_bias_is_left_out_where_a_norm_would_forget_it(kind):
    assert [name for name, _ in MessageLayer(kind, 16).named_parameters() if "bias" in name]
    assert not [name for name, _ in MessageLayer(kind, 16, bias=False).named_parameters() if "bias" in name]


def test_a_self_loop_that_was_there_counts_once_in_gcn_and_gat():
    for kind in ("gcn", "gat"):
        layer, hidden = MessageLayer(kind, 16), torch.randn(5, 16)
        looped = torch.cat((EDGES, torch.tensor([[1, 3], [1, 3]])), dim=1)
        torch.testing.assert_close(layer(hidden, wired(kind, hidden, looped)), layer(hidden, wired(kind, hidden)))


def test_heads_share_the_width():
    assert MessageLayer("gat", 64).layer.heads == 8 and MessageLayer("gat", 4).layer.heads == 1
    assert MessageLayer("gat", 64, heads=2).layer.out_channels == 32


@pytest.mark.parametrize(
    "kind, options, message",
    [
        ("gat", {"heads": 3}, "width=64 does not divide by attention_heads=3; try a width that is a multiple of 8"),
        ("gat", {"heads": 0}, "attention_heads=0"),
        ("gcn", {"heads": 4}, "only a gat has attention heads, got attention_heads=4 and layer='gcn'"),
        ("cheb", {}, "layer must be one of 'gcn', 'gat', 'gin', 'sage'; got 'cheb'"),
    ],
)
def test_what_makes_no_layer_is_refused(kind, options, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        MessageLayer(kind, 64, **options)


_, SOME_EDGES, GRAPH = some_graphs()
WIRING = GraphWiring(edges=SOME_EDGES, weight=None, graph=GRAPH, graphs=4)


def block_of(skip, **options):
    given = {"layer": "sage", "activation": "relu", "norm": "layer", "dropout": 0.0, "heads": None, "share": 1.0}
    return GraphBlock(64, GraphBlockOptions(**{**given, **options}), skip=skip)


@pytest.mark.parametrize("norm", ["layer", "graph", None])
def test_a_residual_block_adds_a_layer_to_what_passes_by(norm):
    block, hidden = block_of("residual", norm=norm), torch.randn(16, 64)
    heard = torch.relu(block.norm(block.messages(hidden, WIRING), WIRING))
    torch.testing.assert_close(block(hidden, WIRING), hidden + block.outward(heard))
    plain = block_of("plain", norm=norm)
    expected = torch.relu(plain.norm(plain.messages(hidden, WIRING), WIRING))
    torch.testing.assert_close(plain(hidden, WIRING), expected)
    assert plain.outward is None


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_a_branch_adds_its_share_of_variance(activation):
    hidden = torch.randn(16, 64)
    added = [block_of("residual", share=0.25, activation=activation)(hidden, WIRING) - hidden for _ in range(30)]
    rms = torch.stack(added).square().mean().sqrt().item()
    assert 0.35 < rms < 0.7


def test_dropout_silences_units_and_never_the_identity():
    block, hidden = block_of("plain", dropout=0.5, activation="sigmoid"), torch.randn(16, 64)
    assert 0.4 < (block(hidden, WIRING) == 0).float().mean() < 0.6
    residual = block_of("residual", dropout=0.5)
    torch.nn.init.zeros_(residual.outward.weight)
    assert torch.equal(residual(hidden, WIRING), hidden)


def test_the_attention_of_a_gat_has_dropout_too():
    assert block_of("plain", layer="gat", dropout=0.3).messages.layer.dropout == 0.3


@pytest.mark.parametrize("norm, bias", [("layer", True), (None, True), ("batch", False), ("graph", False)])
def test_messages_have_a_bias_unless_the_norm_forgets_it(norm, bias):
    assert (
        bool([name for name, _ in block_of("plain", norm=norm).messages.named_parameters() if "bias" in name]) == bias
    )
