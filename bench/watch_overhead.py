"""What watching costs a loop, beside a naive watcher, and how soon it tells: overhead in A/B rounds, delay in steps.

python -m bench.watch_overhead overhead     a round trains some steps plainly and some under each watcher, in random
                                            order; the ratio is taken round by round (some 6 minutes)
python -m bench.watch_overhead delay        a fault of each kind begins in mid-run (bench/_delay_*.py;
                                            5 minutes of computing)

Without arguments: both.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench._delay_table import delay_tables
from bench._machine import publish, table
from evenkeel.observe import Watch, watch

ROUNDS, DRAWS = 12, 2000


class Recurrent(nn.Module):
    """An LSTM and a head on its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One number an example."""
        return self.head(self.layer(x)[0][:, -1])


def perceptron(width: int = 256, depth: int = 4, inputs: int = 256) -> nn.Module:
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), *layers, nn.Linear(width, 1))


def convolutions() -> nn.Module:
    blocks = [(nn.Conv2d(w, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()) for w in (3, 32, 32, 32)]
    layers = [layer for block in blocks for layer in block]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 1))


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True, norm_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), nn.Linear(128, 1))


SUBJECTS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "perceptron 6 x 256, batch 512": (perceptron, (512, 256)),
    "convolutions 4 x 32, 16 images 32 x 32": (convolutions, (16, 3, 32, 32)),
    "transformer 3 x 128, 8 x 64 tokens": (transformer, (8, 64, 128)),
    "LSTM 128, 64 x 32 steps": (Recurrent, (64, 32, 64)),
}


@dataclass(kw_only=True)
class Loop:
    """A training in progress."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    x: Tensor

    def steps(self, count: int) -> None:
        """Train."""
        for _ in range(count):
            self.optimizer.zero_grad()
            (self.model(self.x) - 1).square().mean().backward()
            self.optimizer.step()


def loop_of(name: str) -> Loop:
    make, shape = SUBJECTS[name]
    torch.manual_seed(0)
    model = make()
    return Loop(model=model, optimizer=torch.optim.Adam(model.parameters(), 1e-4), x=torch.randn(*shape))


@contextmanager
def naive(model: nn.Module) -> Iterator[None]:
    """Hooks on each layer and each gradient that read a number at once, as is often written by hand."""
    kept: list[float] = []

    def forward(module: nn.Module, given: object, output: object) -> None:
        if isinstance(output, Tensor):
            kept.extend((output.mean().item(), output.std().item()))

    def backward(gradient: Tensor) -> None:
        kept.append(gradient.norm().item())

    with ExitStack() as stack:
        for module in model.modules():
            if not list(module.children()):
                stack.callback(module.register_forward_hook(forward).remove)
        for parameter in model.parameters():
            stack.callback(parameter.register_hook(backward).remove)
        yield


def interval(ratios: list[float]) -> str:
    """Median and bootstrap 95 %."""
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(DRAWS))
    return f"{statistics.median(ratios):.3f} ({medians[DRAWS // 40]:.3f} to {medians[-DRAWS // 40]:.3f})"


def overhead(name: str, seconds: float) -> list[object]:
    """One row: milliseconds a step, cost by its own account, ratios."""
    loop = loop_of(name)
    loop.steps(3)
    start = time.perf_counter()
    loop.steps(5)
    each = (time.perf_counter() - start) / 5
    count = max(4, round(seconds / ROUNDS / 4 / each))
    live = watch(loop.model, loop.optimizer)  # one budget for the whole of it: its accounts run on between rounds
    always = watch(loop.model, loop.optimizer, every=1)
    ways: dict[str, Callable[[], object]] = {
        "plain": ExitStack,
        "watched": live.looking,
        "every": always.looking,
        "naive": lambda: naive(loop.model),
    }
    accounts = _Accounts(live)
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way in random.Random(len(found["plain"])).sample(list(ways), len(ways)):
            found[way].append(accounts.timed(ways[way], lambda: loop.steps(count), ours=way == "watched"))
    ratios = [interval([a / b for a, b in zip(found[way], found["plain"], strict=True)]) for way in list(ways)[1:]]
    plain = statistics.median(found["plain"]) / count
    return [name, f"{1e3 * plain:.1f}", ROUNDS * count, f"{100 * accounts.cost:.2f} %", *ratios]


class _Accounts:
    """Lets a watch's clock run only while it watches."""

    def __init__(self, live: Watch) -> None:
        self._live, self._own, self._spent = live, 0.0, 0.0

    def timed(self, way: Callable[[], object], run: Callable[[], None], *, ours: bool) -> float:
        """Seconds of a run under a watcher."""
        budget = self._live._budget
        start = time.perf_counter()
        if ours:
            before, budget.start = getattr(budget, "spent"), lambda: None  # noqa: B009
            budget._started = start - self._own - before
        with way() as _:  # type: ignore[attr-defined]
            run()
            taken = time.perf_counter() - start
        if ours:
            spent = getattr(budget, "spent") - before  # noqa: B009
            self._own, self._spent = self._own + taken - spent, self._spent + spent
        return taken

    @property
    def cost(self) -> float:
        """Watching as a share of the loop's own time, over all rounds."""
        return self._spent / self._own


def bare() -> str:
    """Microseconds that a step costs where nothing is looked at."""
    loop = Loop(model=nn.Linear(4, 1), optimizer=None, x=torch.randn(4, 4))  # type: ignore[arg-type]
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), 1e-4)
    found = []
    for _ in range(ROUNDS):
        times = []
        for watched in (False, True):
            with watch(loop.model, loop.optimizer, budget=1e-9) if watched else ExitStack():
                loop.steps(50)
                start = time.perf_counter()
                loop.steps(500)
                times.append((time.perf_counter() - start) / 500)
        found.append(1e6 * (times[1] - times[0]))
    return f"{statistics.median(found):.0f}"


def run_overhead(seconds: float = 80.0) -> None:
    """What it costs, about so many seconds for each architecture."""
    header = ["step", "ms", "steps", "own account", "default budget", "every=1", "naive hooks"]
    body = "\n\n".join(
        [
            f"One thread, {ROUNDS} interleaved rounds; time over that of unwatched steps: median and bootstrap 95 %.",
            table(header, [overhead(name, seconds) for name in SUBJECTS]),
            f"A step that is not looked at costs {bare()} microseconds more than an unwatched one.",
            NOTE,
        ]
    )
    publish("watch_overhead", "What watching costs", f"{COMMAND} overhead", body)


def run_delay() -> None:
    """How soon it tells."""
    publish("watch_delay", "How soon the watch tells", f"{COMMAND} delay", delay_tables())


def main(arguments: list[str]) -> None:
    """One thread: small nets spend more than one waiting for each other."""
    torch.set_num_threads(1)
    tasks = {"overhead": run_overhead, "delay": run_delay}
    for name in arguments or tasks:
        tasks[name]()


COMMAND = "python -m bench.watch_overhead"
NOTE = (
    "*Own account*: the watch's own time as a share of the loop's, by its own clock, over all rounds. *Naive hooks*: "
    "mean and deviation of each layer's output and the norm of each gradient, read with `.item()` at each step. "
    "`every=1` is one look a step, judged at steps that grow by a tenth; looks at steps 1, 2, 4, 8, ... repeat "
    "nothing, and unroll an LSTM over time. *Steps*: of each way, in all. "
    "Other tools: `python -m bench.peers overhead`; how soon it tells: `watch_delay.md`."
)

if __name__ == "__main__":
    main(sys.argv[1:])
