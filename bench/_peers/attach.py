"""How a tool is fastened to somebody's loop: what it does around it, before and after each step, and what it says.

The owner's loop knows nothing of it: losses are heard from the loss function, steps from the optimizer's own hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from bench._specimens.setup import Batch, Case, SetUp, Severity


@dataclass(frozen=True, kw_only=True)
class Said:
    """One verdict of a tool in its own words; `step` is where it was first said, if the tool tells."""

    name: str
    severity: Severity = "warning"
    step: int | None = None


@dataclass(kw_only=True)
class Heard:
    """What a tool is given: the parts of the training, and the loss of the running step."""

    model: nn.Module
    optimizer: Optimizer
    batches: list[Batch] = field(default_factory=list)
    validation: list[Batch] = field(default_factory=list)
    objective: Callable[[Tensor, Tensor], Tensor] = functional.mse_loss
    loss: Tensor = field(default_factory=lambda: torch.zeros(()))
    step: int = 0


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A fastened tool: `before` runs between backward and the optimizer's step, `after` behind the step."""

    context: AbstractContextManager[Any] = field(default_factory=nullcontext)
    before: Callable[[], None] = nothing
    after: Callable[[], None] = nothing
    verdict: Callable[[], list[Said]] = list


Attach = Callable[[Heard], Attachment]


def first_of_each(said: list[Said]) -> list[Said]:
    """Each verdict once for each of its severities, where it was first said."""
    kept: dict[tuple[str, str], Said] = {}
    for one in said:
        kept.setdefault((one.name, one.severity), one)
    return list(kept.values())


def look_on(attach: Attach, setup: SetUp, case: Case, steps: int) -> list[Said]:
    """What a tool says of so many steps of the owner's loop."""
    heard = Heard(
        model=case.setup.model,
        optimizer=case.optimizer,
        batches=list(case.setup.batches),
        validation=list(case.setup.validation),
        objective=case.loss,
    )
    tool = attach(heard)
    setup.loop(_heard_case(case, heard, tool), steps, _fastened(heard, tool))
    return first_of_each(tool.verdict())


def _heard_case(case: Case, heard: Heard, tool: Attachment) -> Case:
    """The same case, whose loss is heard; a step that a loss scale leaves out is over when the next loss comes."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        if heard.loss.requires_grad:
            _over(heard, tool)
        heard.loss = case.loss(output, target)
        return heard.loss

    other = replace(case, loss=loss)
    other.__dict__.update(optimizer=case.optimizer, scheduler=case.scheduler)
    return other


def _over(heard: Heard, tool: Attachment) -> None:
    heard.loss = heard.loss.detach()
    tool.after()
    heard.step += 1


@contextmanager
def _fastened(heard: Heard, tool: Attachment) -> Iterator[None]:
    pre = heard.optimizer.register_step_pre_hook(lambda *_: tool.before())
    post = heard.optimizer.register_step_post_hook(lambda *_: _over(heard, tool))
    try:
        with tool.context:
            yield
    finally:
        pre.remove()
        post.remove()
