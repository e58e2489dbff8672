"""What a trace costs beside one forward and backward pass: time, peak memory, and growth with depth."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench._machine import publish, table
from evenkeel.chain import trace

ROUNDS = 15
DEPTHS = (10, 50, 100, 250, 500)


def perceptron(depth: int, width: int) -> nn.Module:
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(width, 1))


def convolutions() -> nn.Module:
    blocks = [(nn.Conv2d(w, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()) for w in (3, 32, 32, 32, 32, 32)]
    layers = [layer for block in blocks for layer in block]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 1))


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True, norm_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 4, enable_nested_tensor=False), nn.Linear(128, 1))


SUBJECTS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "perceptron 20 x 256, batch 256": (lambda: perceptron(20, 256), (256, 256)),
    "perceptron 20 x 512, batch 256": (lambda: perceptron(20, 512), (256, 512)),
    "convolutions 6 x 32, 16 images 32 x 32": (convolutions, (16, 3, 32, 32)),
    "transformer 4 x 128, 16 x 64 tokens": (transformer, (16, 64, 128)),
    "perceptron 20 x 64, batch 64": (lambda: perceptron(20, 64), (64, 64)),
}


def loss(output: Tensor, _: object) -> Tensor:
    return output.square().mean()


def plain(model: nn.Module, x: Tensor) -> None:
    for parameter in model.parameters():
        parameter.grad = None
    loss(model(x), None).backward()


def seconds(name: str) -> tuple[float, float]:
    """Best of alternating rounds: one forward and backward, one trace; seconds of this process on one thread."""
    make, shape = SUBJECTS[name]
    model, x = make(), torch.randn(*shape)
    return timed(model, x, ROUNDS)


def timed(model: nn.Module, x: Tensor, rounds: int) -> tuple[float, float]:
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for times, call in zip(found, (plain, lambda m, v: trace(m, loss, (v, None))), strict=True):
            start = time.process_time()
            call(model, x)
            times.append(time.process_time() - start)
    return min(found[0][1:]), min(found[1][1:])


def peak(name: str, kind: str) -> float:
    """Peak memory of tensors in MiB of a process of its own, above what model and input take."""
    code = f"from bench.trace_cost import measure_peak; print(measure_peak({name!r}, {kind!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1])


def measure_peak(name: str, kind: str) -> float:
    """Add up the allocator's events as torch's profiler sees them, model included."""
    torch.set_num_threads(1)
    make, shape = SUBJECTS[name]
    model, x = make(), torch.randn(*shape)
    owned = sum(p.numel() * p.element_size() for p in model.parameters()) + x.numel() * x.element_size()
    call = plain if kind == "plain" else lambda m, v: trace(m, loss, (v, None))
    call(model, x)
    for parameter in model.parameters():
        parameter.grad = None
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        call(model, x)
    now = most = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return (owned + most) / 2**20


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    fixed = ""
    for name in SUBJECTS:
        once, traced = seconds(name)
        fixed = f"{(traced - once) / 21 * 1e3:.2f}"  # the last one: 21 links
        memory = peak(name, "plain"), peak(name, "trace")
        rows.append(
            [
                name,
                f"{once * 1000.0:.1f}",
                f"{traced * 1000.0:.1f}",
                f"{traced / once:.2f}",
                f"{memory[0]:.1f}",
                f"{memory[1]:.1f}",
                f"{memory[1] / memory[0]:.2f}",
            ]
        )
    header = ["model", "forward + backward, ms", "trace, ms", "ratio", "peak, MiB", "peak of trace, MiB", "ratio"]
    growth = []
    for depth in DEPTHS:
        once, traced = timed(perceptron(depth, 256), torch.randn(128, 256), 3)
        growth.append(
            [depth, f"{once * 1e3:.1f}", f"{traced * 1e3:.1f}", f"{traced / once:.2f}", f"{traced / depth * 1e3:.2f}"]
        )
    per_layer = [float(row[-1]) for row in growth]
    body = table(header, rows)
    body += (
        "\n\nPeak memory counts the model's own weights and the gradients of both. The last row is smaller than what "
    )
    body += f"a trace is made for: there its fixed cost per link (about {fixed} ms) shows, whatever the width.\n\n"
    body += table(["layers of 256", "forward + backward, ms", "trace, ms", "ratio", "trace per layer, ms"], growth)
    body += (
        f"\n\nPer layer: {min(per_layer):.2f} to {max(per_layer):.2f} ms, median {statistics.median(per_layer):.2f}."
    )
    publish("trace_cost", "The cost of a trace", "python -m bench.trace_cost", body)


if __name__ == "__main__":
    main()
