"""Time and peak memory of the losses that hold no matrix, beside the plain formulas.

Peak memory is what one forward and backward pass adds to a fresh process (VmHWM after - VmRSS before); time is the best
of several passes, both sides taking turns in one process.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from bench._machine import publish, table
from evenkeel import losses

ROUNDS = 7
Step = Callable[[], Tensor]


def main(threads: int = 1) -> None:
    torch.set_num_threads(threads)
    rows: list[list[object]] = []
    for case, steps in cases().items():
        times, memory = best_times(steps), {side: peak_memory(case, side, threads) for side in steps}
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
    title = f"Losses without the matrix, {threads} thread{'s' * (threads > 1)}"
    publish("losses", title, f"python -m bench.losses {threads}", table(header, rows))


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
            start = time.perf_counter()
            step().backward()
            found[name] = min(found[name], 1000 * (time.perf_counter() - start))
    return found


def peak_memory(case: str, side: str, threads: int) -> float:
    """MiB that one pass adds, in a process of its own."""
    command = [sys.executable, "-m", "bench.losses", str(threads), case, side]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def added_by(case: str, side: str) -> float:
    """What this process grows by in one pass, in MiB, beyond its inputs and a warm-up of the libraries."""
    step = cases()[case][side]
    for loss in (losses.nt_xent, losses.info_nce):
        loss(torch.randn(64, 64, requires_grad=True), torch.randn(64, 64)).backward()
    before = _status("VmRSS")
    step().backward()
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field)))


if __name__ == "__main__":
    threads, *child = sys.argv[1:] or ["1"]
    if child:
        torch.set_num_threads(int(threads))
        print(added_by(*child))
    else:
        main(int(threads))
