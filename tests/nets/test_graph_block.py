import pytest
import torch

from evenkeel.nets.graph_block import GraphBlock, GraphOptions
from evenkeel.nets.graph_wiring import Wiring
from nets._graphs import some_graphs

_, EDGES, GRAPH = some_graphs()
WIRING = Wiring(edges=EDGES, weight=None, graph=GRAPH, graphs=4)


def block_of(skip, **options):
    given = {"layer": "sage", "activation": "relu", "norm": "layer", "dropout": 0.0, "heads": None, "share": 1.0}
    return GraphBlock(64, GraphOptions(**{**given, **options}), skip=skip)


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
