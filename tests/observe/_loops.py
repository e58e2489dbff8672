"""Models and training loops that the tests of watching share."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from evenkeel.observe import watch


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(6, 8, batch_first=True)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class Shared(nn.Module):
    """One layer used three times, and activations that overwrite."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.again, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 1)

    def forward(self, x):
        x = F.relu_(self.first(x))
        for _ in range(3):
            x = self.again(x).tanh_()
        return self.last(x)


def perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 16), nn.ReLU(inplace=True), nn.Linear(16, 1)
    )


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1),
    )  # fmt: skip


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    return nn.Sequential(nn.Linear(8, 8), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(8, 1))


SUBJECTS = {
    "perceptron": (perceptron, (12, 6)),
    "convolutions": (convolutions, (8, 2, 8, 8)),
    "recurrent": (Recurrent, (8, 5, 6)),
    "transformer": (transformer, (4, 5, 8)),
    "shared": (Shared, (12, 6)),
}


def subject(name: str) -> tuple[nn.Module, torch.Tensor]:
    make, shape = SUBJECTS[name]
    torch.manual_seed(3)
    return make(), torch.randn(*shape)


def step(model, optimizer, x) -> torch.Tensor:
    optimizer.zero_grad()
    loss = (model(x) - 1).square().mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def small(width: int = 16, depth: int = 2, inputs: int = 6) -> nn.Module:
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), *layers, nn.Linear(width, 1))


def watched(model, steps: int, *, optimizer=None, x=None, **options):
    """Train for some steps under a watch, and give it back."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), 1e-2)
    x = torch.randn(12, 6) if x is None else x
    with watch(model, optimizer, **options) as found:
        for _ in range(steps):
            step(model, optimizer, x)
    return found


def everything(model, optimizer) -> dict[str, torch.Tensor]:
    """All numbers that a training run leaves: weights, buffers, optimizer state, random state."""
    found = {f"model {name}": value.detach().clone() for name, value in model.state_dict().items()}
    for number, state in enumerate(optimizer.state.values()):
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                found[f"optimizer {number} {name}"] = value.detach().clone()
    found["random"] = torch.get_rng_state()
    return found


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> None:
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def alike(found, expected):
    assert [link.name for link in found.links] == [link.name for link in expected.links]
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    assert found.output_gradient == pytest.approx(expected.output_gradient, rel=1e-4)
    for place, (one, other) in enumerate(zip(found.links, expected.links, strict=True)):
        assert one.kind == other.kind and one.activation == other.activation
        if place:
            assert one.gain == pytest.approx(other.gain, rel=1e-4)
            assert (one.expected_gain or 0) == pytest.approx(other.expected_gain or 0, rel=1e-4)
        assert one.forward_rms == pytest.approx(other.forward_rms, rel=1e-4)
        assert one.backward_rms == pytest.approx(other.backward_rms, rel=1e-4)
        assert [term.gradient_norm for term in one.terms] == pytest.approx(
            [term.gradient_norm for term in other.terms], rel=1e-4
        )
