"""Time and memory of one forward and backward pass, and what this machine reaches at best."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

Step = Callable[[], Tensor]

SETTINGS: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]

SAME = ", same library"
"""How the name of a way ends that multiplies float32 with oneDNN, as the losses do by themselves where it is exact."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A call: its inputs that take gradients (leaves), and the ways to the loss by name."""

    leaves: Sequence[Tensor]
    steps: dict[str, Step]

    def run(self, name: str) -> None:
        """Forward and backward, without gradients from before."""
        for leaf in self.leaves:
            leaf.grad = None
        before = SETTINGS.fp32_precision
        if name.endswith(SAME):
            SETTINGS.fp32_precision = "bf16"
        try:
            self.steps[name]().backward()
        finally:
            SETTINGS.fp32_precision = before


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What this machine reaches on one thread: bytes moved by a copy, operations of a float32 product, each second."""

    bytes: float
    operations: float


def best_times(case: Case, rounds: int) -> dict[str, float]:
    """Processor seconds of the fastest of several passes of each way, taken in turn."""
    found = dict.fromkeys(case.steps, float("inf"))
    for _ in range(rounds):
        for name in case.steps:
            found[name] = min(found[name], seconds(lambda name=name: case.run(name)))
    return found


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peak_memory(case: Case, name: str) -> float:
    """MiB that torch's allocator holds at most during one pass, inputs and returned gradients not counted."""
    for leaf in case.leaves:
        leaf.grad = None  # else its release would be counted against the pass
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        case.run(name)
    recorded: Any = record.profiler
    events = recorded.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    held = peak = 0
    for _, change in changes:
        held += change
        peak = max(peak, held)
    returned = sum(leaf.grad.nbytes for leaf in case.leaves if leaf.grad is not None)
    return (peak - returned) / 2**20


def reach(rounds: int = 7) -> Reach:
    """Measured anew in every run: a copy beyond the caches, and the faster of torch's two float32 products."""
    source = torch.ones(2**24)
    target = torch.empty_like(source)
    copy = min(seconds(lambda: target.copy_(source)) for _ in range(rounds))
    size = 1024
    left, right = torch.randn(2, size, size)
    before, product = SETTINGS.fp32_precision, float("inf")
    for precision in (before, "bf16"):
        SETTINGS.fp32_precision = precision
        product = min([product, *(seconds(lambda: left @ right) for _ in range(rounds))])
    SETTINGS.fp32_precision = before
    return Reach(bytes=2 * source.nbytes / copy, operations=2 * size**3 / product)
