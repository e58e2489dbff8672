"""Checkups of small set-ups, sound and sick: the JSON for programs, the text for people, and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import evenkeel as ek
from bench._unchanged import made
from bench._unchanged.facts import Items

STEPS = 60
Batches = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """What `ek.checkup` is called with."""

    model: nn.Module
    loss: Callable[..., Tensor]
    batches: Batches
    options: Mapping[str, Any]


class LastStep(nn.Module):
    """An LSTM and a linear map of its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(4, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, step, channel) to (batch, 1)."""
        return self.head(self.layer(x)[0][:, -1])


def layers(*sizes: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of these sizes with an activation between them, as torch starts them."""
    torch.manual_seed(0)
    found: list[nn.Module] = []
    for inside, outside in pairwise(sizes):
        found += [nn.Linear(inside, outside), activation()]
    return nn.Sequential(*found[:-1])


def classifier() -> nn.Sequential:
    return layers(8, 32, 3)


def convolutions() -> nn.Sequential:
    torch.manual_seed(0)
    blocks = [(nn.Conv2d(w, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()) for w in (1, 8)]
    return nn.Sequential(
        *[one for block in blocks for one in block], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    )


def squares(scale: float = 1.0) -> Batches:
    """Batches of images, times `scale`, and which of two places holds a bright square."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(128) % 2
    x = torch.rand(128, 1, 8, 8, generator=generator)
    x[y == 1, :, :4, :4] += 1
    return [(scale * x[i : i + 16], y[i : i + 16]) for i in range(0, 128, 16)]


def walks() -> Batches:
    """Batches of sequences and the mean of their first channel."""
    x = torch.randn(128, 12, 4, generator=torch.Generator().manual_seed(0))
    return [(x[i : i + 16], x[i : i + 16, :, :1].mean(1)) for i in range(0, 128, 16)]


def set_up(model: nn.Module, loss: Callable[..., Tensor], batches: Batches, **options: Any) -> SetUp:
    """A set-up; its options may hold an optimizer."""
    return SetUp(model=model, loss=loss, batches=batches, options=options)


def too_fast() -> SetUp:
    """A thousand times the usual rate."""
    model = classifier()
    return set_up(
        model, functional.cross_entropy, made.numbers(), optimizer=torch.optim.Adam(model.parameters(), lr=1.0)
    )


def frozen() -> SetUp:
    """The optimizer has not been told of the first layer."""
    model = layers(4, 16, 16, 1)
    optimizer = torch.optim.SGD(model[2:].parameters(), lr=0.05, momentum=0.9)
    return set_up(model, functional.mse_loss, made.sums(), optimizer=optimizer)


def not_a_number(output: Tensor, target: Tensor) -> Tensor:
    """The logarithm of what is often negative."""
    return (output - target).log().mean()


def with_validation() -> SetUp:
    """A sound set-up with batches that are only measured on."""
    batches = made.sums()
    return set_up(layers(4, 32, 1), functional.mse_loss, batches[:6], validation=batches[6:])


def sigmoids() -> nn.Sequential:
    """Twelve layers that each hand on a quarter of the gradient at most."""
    return layers(8, *[32] * 12, 3, activation=nn.Sigmoid)


def softmax() -> nn.Sequential:
    """Ends in a softmax, which cross-entropy takes once more."""
    return nn.Sequential(*classifier(), nn.Softmax(dim=1))


SET_UPS: Mapping[str, Callable[[], SetUp]] = {
    "sound": lambda: set_up(classifier(), functional.cross_entropy, made.numbers()),
    "sound-with-validation": with_validation,
    "twelve-sigmoids": lambda: set_up(sigmoids(), functional.cross_entropy, made.numbers()),
    "rate-times-thousand": too_fast,
    "loss-not-a-number": lambda: set_up(layers(4, 16, 1), not_a_number, made.sums()),
    "softmax-twice": lambda: set_up(softmax(), functional.cross_entropy, made.numbers()),
    "first-layer-frozen": frozen,
    "target-times-ten-thousand": lambda: set_up(layers(4, 16, 1), functional.mse_loss, made.sums(1e4)),
    "convolutions": lambda: set_up(convolutions(), functional.cross_entropy, squares()),
    "convolutions-of-bytes": lambda: set_up(convolutions(), functional.cross_entropy, squares(255.0)),
    "lstm": lambda: set_up(LastStep(), functional.mse_loss, walks()),
}


def items_of_checkup(name: str) -> Items:
    """What a checkup found, as JSON, as text, and as it shows itself in a notebook."""
    torch.manual_seed(0)
    given = SET_UPS[name]()
    found = ek.checkup(given.model, given.loss, given.batches, steps=STEPS, **given.options)
    return {"json": found.to_json(), "text": str(found), "page": found._repr_html_().replace("><", ">\n<")}
