"""Reference: every link's contribution against a vector-Jacobian product of that piece alone, in float64.

The pieces are written out a second time as plain functions; `torch.func.vjp` knows nothing of graphs, hooks or links.
"""

import pytest
import torch
from torch import nn
from torch.func import functional_call, vjp

from evenkeel.chain import trace

EXACT = 1e-9


def pull(piece, value, gradient):
    """The vector-Jacobian product of one piece."""
    return vjp(piece, value)[1](gradient)[0]


def reference(pieces, x, loss):
    """Values and gradients at every boundary between pieces, from the input to the output."""
    values = [x]
    for piece in pieces:
        values.append(piece(values[-1]))
    gradient = pull(loss, values[-1], torch.ones((), dtype=torch.float64))
    gradients = [gradient]
    for piece, value in zip(reversed(pieces), reversed(values[:-1]), strict=True):
        gradients.insert(0, pull(piece, value, gradients[0]))
    return values, gradients


def check(model, pieces, x, loss=lambda output: output.square().sum(), links=None):
    """Every top-level link's contribution, gain, and rms against the reference; the pieces' own values too."""
    model = model.double()
    x = x.double()
    chain = trace(model, lambda output, _: loss(output), (x, None))
    values, gradients = reference([frozen(piece) for piece in pieces], x, loss)
    assert torch.allclose(values[-1], model(x.clone()))
    assert len(chain.links) == len(pieces)
    for link, value, below, above in zip(chain.links, values[1:], gradients, gradients[1:], strict=False):
        assert link.contribution == pytest.approx(below.norm().item(), rel=EXACT)
        assert link.gain == pytest.approx((below.norm() / above.norm()).item(), rel=EXACT)
        assert link.backward_rms == pytest.approx(above.square().mean().sqrt().item(), rel=EXACT)
        assert link.forward_rms == pytest.approx(value.square().mean().sqrt().item(), rel=EXACT)
    assert chain.output_gradient == pytest.approx(gradients[-1].norm().item(), rel=EXACT)
    assert chain.total_gain == pytest.approx((gradients[0].norm() / gradients[-1].norm()).item(), rel=EXACT)
    return chain, values, gradients


def frozen(piece):
    """A module's parameters as constants, so that only the value is differentiated."""
    if not isinstance(piece, nn.Module):
        return piece
    constants = {name: tensor.detach() for name, tensor in piece.state_dict().items()}
    return lambda value: functional_call(piece, constants, (value,))


def branch(link, name):
    return next(found for found in link.branches if name in (found.name, found.kind))


def test_multilayer_perceptron():
    model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 9), nn.ReLU(), nn.Linear(9, 2))
    pieces = [model[:2], model[2:4], model[4]]
    chain, values, gradients = check(model, pieces, torch.randn(7, 5))
    before = [pull(torch.tanh, model[0](values[0]), gradients[1]), None, gradients[3]]
    inputs = [values[0], values[1], values[2]]
    for position in (0, 2):
        weight = before[position].T @ inputs[position]
        term = chain.links[position].terms[0]
        assert term.gradient_norm == pytest.approx(weight.norm().item(), rel=EXACT)
        assert term.input_norm == pytest.approx(inputs[position].norm().item(), rel=EXACT)


class Residual(nn.Module):
    """h + inner(h), the inner part any module."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, h):
        return h + self.inner(h)


def perceptron(width=12, hidden=20):
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


def test_residual_perceptron():
    model = nn.Sequential(nn.Linear(5, 12), Residual(perceptron()), Residual(perceptron()), nn.Linear(12, 2))
    chain, values, gradients = check(model, list(model), torch.randn(7, 5))
    for position in (1, 2):
        link = chain.links[position]
        assert link.kind == "residual"
        assert branch(link, "skip").contribution == pytest.approx(gradients[position + 1].norm().item(), rel=EXACT)
        inner = list(model[position].inner)
        _, inside = reference_from(inner, values[position], gradients[position + 1])
        path = branch(link, "path")
        assert path.contribution == pytest.approx(inside[0].norm().item(), rel=EXACT)
        found = [nested.contribution for nested in path.links]
        assert found == pytest.approx([inside[0].norm().item(), inside[1].norm().item(), inside[3].norm().item()])


def reference_from(pieces, value, gradient):
    """As `reference`, for a part of a model and the gradient at its output."""
    values = [value]
    for piece in pieces:
        values.append(frozen(piece)(values[-1]))
    gradients = [gradient]
    for piece, before in zip(reversed(pieces), reversed(values[:-1]), strict=True):
        gradients.insert(0, pull(frozen(piece), before, gradients[0]))
    return values, gradients


def test_nested_residuals():
    inner = Residual(nn.Sequential(nn.Linear(12, 12), nn.Tanh()))
    outer = Residual(nn.Sequential(nn.Linear(12, 12), inner, nn.Linear(12, 12)))
    model = nn.Sequential(nn.Linear(5, 12), outer, nn.Linear(12, 3))
    chain, values, gradients = check(model, list(model), torch.randn(7, 5))
    path = branch(chain.links[1], "path")
    _, inside = reference_from(list(outer.inner), values[1], gradients[2])
    assert [link.contribution for link in path.links] == pytest.approx([g.norm().item() for g in inside[:3]], rel=EXACT)
    nested = path.links[1]
    assert nested.kind == "residual"
    assert branch(nested, "skip").contribution == pytest.approx(inside[2].norm().item(), rel=EXACT)
    own = pull(frozen(inner.inner), frozen(outer.inner[0])(values[1]), inside[2])
    assert branch(nested, "path").contribution == pytest.approx(own.norm().item(), rel=EXACT)


class Dense(nn.Module):
    """Features put beside what they were made from."""

    def __init__(self, width, growth):
        super().__init__()
        self.layer = nn.Linear(width, growth)

    def forward(self, h):
        return torch.cat([h, torch.relu(self.layer(h))], dim=-1)


def test_concatenation():
    model = nn.Sequential(nn.Linear(5, 6), Dense(6, 4), Dense(10, 4), nn.Linear(14, 2))
    chain, values, gradients = check(model, list(model), torch.randn(7, 5))
    for position, width in ((1, 6), (2, 10)):
        link, above = chain.links[position], gradients[position + 1]
        assert link.kind == "concatenation"
        assert branch(link, "skip").contribution == pytest.approx(above[:, :width].norm().item(), rel=EXACT)
        layer = frozen(model[position].layer)
        own = pull(lambda h, layer=layer: torch.relu(layer(h)), values[position], above[:, width:])
        assert branch(link, "path").contribution == pytest.approx(own.norm().item(), rel=EXACT)


class DenseList(nn.Module):
    """Each layer reads all earlier features: no cut point between the first and the last."""

    def __init__(self, layers=5, growth=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4 + growth * n, growth) for n in range(layers))

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(torch.tanh(layer(torch.cat(features, dim=-1))))
        return torch.cat(features, dim=-1)


def test_long_concatenating_skips():
    model, x = DenseList().double(), torch.randn(7, 4, dtype=torch.float64)
    chain = trace(model, lambda output, _: output.square().sum(), (x, None))
    layers = {link.name: link for _, link in chain.walk() if link.terms}
    assert sorted(layers) == [f"layers.{n}" for n in range(5)]
    features, leaves = [x], []
    for layer in model.layers:
        leaves.append(torch.cat(features, dim=-1).detach())
        features.append(torch.tanh(frozen(layer)(leaves[-1])).detach())
    for number, layer in enumerate(model.layers):

        def rest(value, number=number):
            seen = [*features[: number + 1], value]
            for later in model.layers[number + 1 :]:
                seen.append(torch.tanh(frozen(later)(torch.cat(seen, dim=-1))))
            return torch.cat(seen, dim=-1).square().sum()

        above = pull(rest, features[number + 1], torch.ones((), dtype=torch.float64))
        own = pull(lambda h, layer=layer: torch.tanh(frozen(layer)(h)), leaves[number], above)
        link = layers[f"layers.{number}"]
        assert link.output_gradient_norm == pytest.approx(above.norm().item(), rel=EXACT)
        assert link.contribution == pytest.approx(own.norm().item(), rel=EXACT)


def test_convolutions_with_stride_and_pooling():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 6, 3),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(6, 4),
    )
    model.eval()
    pieces = [model[:3], model[3], model[4:6], model[6:8], model[8]]
    chain, _, _ = check(model, pieces, torch.randn(4, 3, 17, 17))
    assert [link.kind for link in chain.links] == ["convolution", "pool", "convolution", "pool", "linear"]


def test_transformer_block():
    block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
    model = nn.Sequential(nn.Linear(5, 16), block, nn.Linear(16, 2)).double()

    def attend(h):
        return h + block.self_attn(block.norm1(h), block.norm1(h), block.norm1(h), need_weights=False)[0]

    def feed(h):
        return h + block.linear2(torch.relu(block.linear1(block.norm2(h))))

    chain, values, gradients = check(model, [model[0], attend, feed, model[2]], torch.randn(3, 6, 5))
    assert [link.kind for link in chain.links] == ["linear", "residual", "residual", "linear"]
    own = pull(lambda h: attend(h) - h, values[1], gradients[2])
    path = branch(chain.links[1], "path")
    assert path.contribution == pytest.approx(own.norm().item(), rel=EXACT)
    assert "attention" in {link.kind for link in path.links}


def test_recurrent_layer_is_one_link():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.LSTM(5, 8, num_layers=2, batch_first=True, bidirectional=True)
            self.head = nn.Linear(16, 3)

        def forward(self, x):
            return self.head(self.layer(x)[0][:, -1])

    model = Last().double()
    chain, _, _ = check(model, [lambda x: model.layer(x)[0][:, -1], model.head], torch.randn(4, 6, 5))
    assert [link.kind for link in chain.links] == ["recurrent", "linear"]
