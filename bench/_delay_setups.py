"""Small trainings that are sound for as long as nobody spoils them: what the onsets of faults are planted into.

Every part of a step can be exchanged while it runs: batches, loss, clearing of gradients, what happens before a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from evenkeel.losses import nt_xent

Pair = tuple[Tensor, Tensor]


@dataclass(kw_only=True)
class Training:
    """A training in progress."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch: Callable[[], Pair]
    loss: Callable[[Any, Tensor], Tensor]
    clear: Callable[[], None] = field(init=False)
    before_step: Callable[[], None] = lambda: None
    validate: Callable[[], float] | None = None
    """The loss on rows held back, for a loop that tells it to the watch."""

    def __post_init__(self) -> None:
        self.clear = self.optimizer.zero_grad

    def step(self) -> float:
        """One step, and its loss."""
        x, y = self.batch()
        self.clear()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.before_step()
        self.optimizer.step()
        return loss.item()


class Last(nn.Module):
    """An LSTM and a head on its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(4, 32, batch_first=True), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One number an example."""
        return self.head(self.layer(x)[0][:, -1])


class Variational(nn.Module):
    """A variational auto-encoder: reconstruction, mean and log-variance of the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 16))
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All three side by side."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return self.decoder(mean + torch.randn_like(mean) * (log_variance / 2).exp()), mean, log_variance


def layers(
    widths: list[int], activation: Callable[[], nn.Module] = nn.ReLU, last: nn.Module | None = None
) -> nn.Sequential:
    """A perceptron with an activation between its layers, and perhaps one on its output."""
    found: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        found += [nn.Linear(wide, narrow), activation()]
    return nn.Sequential(*found[:-1], *([] if last is None else [last]))


def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean square error."""
    return (output - target).square().mean()


def regression() -> Training:
    """A perceptron with three hidden layers under Adam."""
    truth, model = torch.randn(32, 1), layers([32, 64, 64, 64, 64, 1])
    return Training(
        model=model, optimizer=torch.optim.Adam(model.parameters(), 1e-3), batch=lambda: _tanh_of(truth), loss=mse
    )


def descent() -> Training:
    """The same under SGD with momentum."""
    found = regression()
    found.optimizer = torch.optim.SGD(found.model.parameters(), 0.02, momentum=0.9)
    found.clear = found.optimizer.zero_grad
    return found


def decayed() -> Training:
    """The same under AdamW at its default decay."""
    found = regression()
    found.optimizer = torch.optim.AdamW(found.model.parameters(), 1e-3)
    found.clear = found.optimizer.zero_grad
    return found


def bounded() -> Training:
    """A perceptron of tanh layers."""
    found = regression()
    found.model = layers([32, 64, 64, 1], nn.Tanh)
    found.optimizer = torch.optim.Adam(found.model.parameters(), 1e-3)
    found.clear = found.optimizer.zero_grad
    return found


def _tanh_of(truth: Tensor) -> Pair:
    x = torch.randn(64, 32)
    return x, (x @ truth).tanh()


def classifier() -> Training:
    """Ten classes."""
    truth, model = torch.randn(32, 10), layers([32, 64, 64, 10])

    def batch() -> Pair:
        x = torch.randn(64, 32)
        return x, (x @ truth).argmax(1)

    return Training(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), 1e-3),
        batch=batch,
        loss=functional.cross_entropy,
    )


def shares() -> Training:
    """A target between 0 and 1, and a sigmoid on the output."""
    truth, model = torch.randn(32, 1), layers([32, 64, 64, 1], last=nn.Sigmoid())

    def batch() -> Pair:
        x = torch.randn(64, 32)
        return x, (x @ truth).sigmoid()

    return Training(model=model, optimizer=torch.optim.Adam(model.parameters(), 1e-3), batch=batch, loss=mse)


def recurrent() -> Training:
    """An LSTM that adds up its sequence."""
    model = Last()

    def batch() -> Pair:
        x = torch.randn(64, 12, 4)
        return x, x.mean(2).sum(1, keepdim=True) / 3

    return Training(model=model, optimizer=torch.optim.Adam(model.parameters(), 3e-3), batch=batch, loss=mse)


def embedding() -> Training:
    """Two noisy views of each example, drawn together by NT-Xent and apart from all others."""
    model = layers([32, 64, 16])

    def batch() -> Pair:
        x = torch.randn(64, 32)
        return torch.cat([x, x]) + 0.5 * torch.randn(128, 32), torch.arange(64)

    def loss(output: Tensor, _: Tensor) -> Tensor:
        return nt_xent(output[:64], output[64:])

    return Training(model=model, optimizer=torch.optim.Adam(model.parameters(), 1e-3), batch=batch, loss=loss)


def variational(weight: float = 0.1) -> Training:
    """A VAE of examples that lie near a plane of eight dimensions."""
    plane, model = torch.randn(8, 32) / 8**0.5, Variational()

    def batch() -> Pair:
        x = torch.randn(64, 8) @ plane
        return x, x

    found = Training(model=model, optimizer=torch.optim.Adam(model.parameters(), 1e-3), batch=batch, loss=mse)
    found.loss = bound_of(weight)
    return found


def bound_of(weight: float) -> Callable[[Any, Tensor], Tensor]:
    """Squares of the reconstruction plus the divergence of the latent, so weighted."""

    def loss(output: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        reconstruction, mean, log_variance = output
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
        return (reconstruction - target).square().sum(1).mean() + weight * divergence

    return loss


def validated() -> Training:
    """The regression of noisy targets, with a validation part that the loop tells the watch of."""
    found = regression()
    truth, clean = torch.randn(32, 1) / 32**0.5, found.batch

    def batch() -> Pair:
        x, _ = clean()
        return x, x @ truth + torch.randn(len(x), 1)

    held = [batch() for _ in range(4)]
    x, y = (torch.cat(parts) for parts in zip(*held, strict=True))

    def validate() -> float:
        with torch.no_grad():
            return float(mse(found.model(x), y))

    found.batch, found.validate = batch, validate
    return found


SETUPS: dict[str, Callable[[], Training]] = {
    "regression": regression,
    "descent": descent,
    "decayed": decayed,
    "bounded": bounded,
    "classifier": classifier,
    "shares": shares,
    "recurrent": recurrent,
    "embedding": embedding,
    "variational": variational,
    "validated": validated,
}
"""By name: each draws its weights and its task from the global random state."""
