"""Training loops as their owners write them; a context (a watch, for instance) is entered around each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import cycle, islice
from typing import Any

import torch

from bench._specimens.setup import Batch, Case, forward

Context = AbstractContextManager[Any]
NO_CONTEXT: Context = nullcontext()


def batches_of(case: Case, steps: int) -> Iterator[Batch]:
    """The batches of so many steps, epoch after epoch."""
    return islice(cycle(case.setup.batches), steps)


def plain_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """The usual loop."""
    scheduler = case.scheduler
    case.setup.model.train()
    with context:
        for inputs, target in batches_of(case, steps):
            case.optimizer.zero_grad()
            case.loss(forward(case.setup.model, inputs), target).backward()
            case.optimizer.step()
            if scheduler is not None:
                scheduler.step()


def clipped_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """The gradient's norm is clipped at 1."""
    case.setup.model.train()
    with context:
        for inputs, target in batches_of(case, steps):
            case.optimizer.zero_grad()
            case.loss(forward(case.setup.model, inputs), target).backward()
            torch.nn.utils.clip_grad_norm_(case.setup.model.parameters(), 1.0)
            case.optimizer.step()


def forgetful_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """zero_grad is never called."""
    case.setup.model.train()
    with context:
        for inputs, target in batches_of(case, steps):
            case.loss(forward(case.setup.model, inputs), target).backward()
            case.optimizer.step()


def evaluating_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """The model is left in evaluation mode."""
    case.setup.model.eval()
    with context:
        for inputs, target in batches_of(case, steps):
            case.optimizer.zero_grad()
            case.loss(forward(case.setup.model, inputs), target).backward()
            case.optimizer.step()


def detaching_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """The features are detached before they reach the head."""
    trunk, head = case.setup.model.get_submodule("trunk"), case.setup.model.get_submodule("head")
    case.setup.model.train()
    with context:
        for inputs, target in batches_of(case, steps):
            case.optimizer.zero_grad()
            case.loss(head(trunk(inputs).detach()), target).backward()
            case.optimizer.step()


def scaled_loop(case: Case, steps: int, context: Context, stuck: float | None) -> None:
    """Half precision with a loss scale: dynamic, or stuck at one value."""
    scaler = torch.amp.GradScaler("cpu", init_scale=stuck or 2.0**16)
    case.setup.model.train()
    with context:
        for inputs, target in batches_of(case, steps):
            case.optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                output = forward(case.setup.model, inputs)
            scaler.scale(case.loss(output.float(), target)).backward()
            scaler.step(case.optimizer)
            scaler.update(stuck)


def stuck_scale_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """The loss scale is set to 2^24 again after every step."""
    scaled_loop(case, steps, context, 2.0**24)


def dynamic_scale_loop(case: Case, steps: int, context: Context = NO_CONTEXT) -> None:
    """The loss scale halves at every overflow."""
    scaled_loop(case, steps, context, None)
