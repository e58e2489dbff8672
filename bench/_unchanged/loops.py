"""Small training loops under `ek.watch`: what it finds, what it tells on the way, when it looks; the last weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import evenkeel as ek
from bench._unchanged import made
from bench._unchanged.checkups import LastStep, classifier, layers, not_a_number, walks
from bench._unchanged.clock import ticking
from bench._unchanged.facts import Items, findings, lines, weights

STEPS = 40
EACH: Mapping[str, Any] = {"every": 1}


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A loop; `clears` is whether gradients are set to zero before each step, `watched` how `ek.watch` is called."""

    model: nn.Module
    loss: Callable[..., Tensor]
    batches: list[tuple[Tensor, Tensor]]
    optimizer: torch.optim.Optimizer
    clears: bool = True
    watched: Mapping[str, Any] = field(default_factory=dict)


def of_classes(rate: float = 1e-2, **options: Any) -> Loop:
    """Three classes of eight numbers by Adam."""
    model = classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    return Loop(model=model, loss=functional.cross_entropy, batches=made.numbers(), optimizer=optimizer, **options)


def of_sums(
    model: nn.Sequential, *, loss: Callable[..., Tensor] = functional.mse_loss, skipped: int = 0, rate: float = 1e-2
) -> Loop:
    """A sum of numbers by gradient descent that leaves out the first `skipped` layers; looked at each step."""
    optimizer = torch.optim.SGD(model[skipped:].parameters(), lr=rate)
    return Loop(model=model, loss=loss, batches=made.sums(), optimizer=optimizer, watched=EACH)


def of_walks() -> Loop:
    """Sequences read by an LSTM, looked at each ten steps."""
    model = LastStep()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    return Loop(model=model, loss=functional.mse_loss, batches=walks(), optimizer=optimizer, watched={"every": 10})


LOOPS: Mapping[str, Callable[[], Loop]] = {
    "sound": of_classes,
    "sound-each-step": lambda: of_classes(watched=EACH),
    "sound-lstm": of_walks,
    "gradients-not-cleared": lambda: of_classes(clears=False, watched=EACH),
    "rate-times-hundred": lambda: of_sums(layers(4, 16, 1), rate=1.0),
    "loss-not-a-number": lambda: of_sums(layers(4, 16, 1), loss=not_a_number),
    "first-layer-frozen": lambda: of_sums(layers(4, 16, 16, 1), skipped=1),
    "dying-gradient": lambda: of_sums(layers(4, *[16] * 12, 1, activation=nn.Sigmoid)),
}


def train(loop: Loop) -> None:
    """A loop as anybody writes it."""
    for step in range(STEPS):
        inputs, target = loop.batches[step % len(loop.batches)]
        if loop.clears:
            loop.optimizer.zero_grad()
        loop.loss(loop.model(inputs), target).backward()
        loop.optimizer.step()


def items_of_loop(name: str) -> Items:
    """Findings, what was told on the way, when it looked, losses, the last chain, and the weights of the end."""
    torch.manual_seed(0)
    loop, told = LOOPS[name](), []
    with ticking(), ek.watch(loop.model, loop.optimizer, **loop.watched) as watch:
        watch.on_finding(told.append)
        train(loop)
    history = watch.history
    seen = {"steps": history.steps, "looks": [(look.step, look.loss, look.gradient_norm) for look in history.looks]}
    seen |= {"losses": [point.loss for point in history.losses], "notes": watch.notes}
    return {
        "findings": findings(watch.findings),
        "told": findings(told),
        "history": lines(seen).replace("), (", "),\n("),
        "chain": "none" if watch.chain is None else watch.chain.table(),
        "weights": weights(loop.model.state_dict()),
    }
