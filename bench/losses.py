"""Time and peak memory of the losses that hold no matrix, beside the plain formulas.

Time is the processor time of the fastest of several passes on one thread, both sides taking turns; peak memory is what
torch's allocator holds at most during one pass, the gradients of the inputs included, the inputs not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from bench._machine import publish, table
from evenkeel import losses

ROUNDS = 7
Step = Callable[[], Tensor]


def main() -> None:
    torch.set_num_threads(1)
    rows: list[list[object]] = []
    for case, steps in cases().items():
        times, memory = best_times(steps), {side: peak_memory(step) for side, step in steps.items()}
        cells = [f"{values[side]:.0f}" for values in (times, memory) for side in steps]
        speed, space = (values["evenkeel"] / values["plain"] for values in (times, memory))
        rows.append([case, *cells[:2], f"{speed:.2f}", *cells[2:], f"{space:.3f}"])
    header = [
        "forward and backward, float32",
        "plain, ms",
        "evenkeel, ms",
        "ratio",
        "plain, MiB",
        "evenkeel, MiB",
        "ratio",
    ]
    publish("losses", "Losses without the matrix, one thread", "python -m bench.losses", table(header, rows))


def cases() -> dict[str, dict[str, Step]]:
    """Each case with its two ways to the loss; inputs are leaves."""
    torch.manual_seed(0)
    query, key = (torch.randn(4096, 256, requires_grad=True) for _ in range(2))
    left, right = (torch.randn(2048, 256, requires_grad=True) for _ in range(2))
    features, weight = torch.randn(1024, 256, requires_grad=True), (torch.randn(16384, 256) / 16).requires_grad_()
    target = torch.randint(16384, (1024,))
    return {
        "info_nce symmetric, N=4096 D=256": {
            "plain": lambda: plain_info_nce(query, key, both=True),
            "evenkeel": lambda: losses.info_nce(query, key, symmetric=True),
        },
        "info_nce one way, N=4096 D=256": {
            "plain": lambda: plain_info_nce(query, key, both=False),
            "evenkeel": lambda: losses.info_nce(query, key),
        },
        "nt_xent, 2 x 2048 views, D=256": {
            "plain": lambda: plain_nt_xent(left, right),
            "evenkeel": lambda: losses.nt_xent(left, right),
        },
        "linear_cross_entropy, (1024, 256, 16384)": {
            "plain": lambda: F.cross_entropy(F.linear(features, weight), target),
            "evenkeel": lambda: losses.linear_cross_entropy(features, weight, target),
        },
    }


def plain_info_nce(query: Tensor, key: Tensor, *, both: bool) -> Tensor:
    """InfoNCE of the full matrix, as it is usually written."""
    scores = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).T / 0.07
    target = torch.arange(len(query))
    row = F.cross_entropy(scores, target)
    return (row + F.cross_entropy(scores.T, target)) / 2 if both else row


def plain_nt_xent(left: Tensor, right: Tensor) -> Tensor:
    """NT-Xent of the full matrix."""
    views = F.normalize(torch.cat([left, right]), dim=-1)
    scores = (views @ views.T / 0.5).masked_fill(torch.eye(len(views), dtype=torch.bool), -torch.inf)
    return F.cross_entropy(scores, torch.arange(len(views)).roll(len(left)))


def best_times(steps: dict[str, Step]) -> dict[str, float]:
    """Milliseconds of the fastest of several passes of each, taken in turn."""
    found = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.process_time()
            step().backward()
            found[name] = min(found[name], 1000 * (time.process_time() - start))
    return found


def peak_memory(step: Step) -> float:
    """MiB that torch's allocator holds at most during one pass."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        step().backward()
    events = record.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    held = peak = 0
    for _, change in changes:
        held += change
        peak = max(peak, held)
    return peak / 2**20


if __name__ == "__main__":
    main()
