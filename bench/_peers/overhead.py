"""What each tool costs a loop, in the same rounds as the watch: milliseconds of plain steps, and ratios to them.

Every way has its own copy of the model, so that what one leaves behind burdens no other; a tool stays fastened over
all rounds, as in a long training, and only steps are timed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bench import watch_overhead
from bench._machine import publish, table
from bench._peers.attach import Attach, Attachment, Heard
from bench._peers.observers import OBSERVERS, torch_audit, version
from bench.watch_overhead import SUBJECTS, Loop, interval, loop_of, naive
from evenkeel.observe import watch

ROUNDS = 8
SECONDS = 10.0
"""Of measurement for each architecture, all ways together."""

Steps = Callable[[int], None]

TOOLS: dict[str, tuple[str, Attach]] = {
    "torchmortem": ("torchmortem", OBSERVERS["torchmortem"]),
    "neuraldbg": ("neuraldbg", OBSERVERS["neuraldbg"]),
    "arc-training": ("arc-training", OBSERVERS["arc-training"]),
    "model-clinic": ("model-clinic", OBSERVERS["model-clinic"]),
    "torch-audit": ("torch-audit", partial(torch_audit, every=1000)),
    "torch-audit, every step": ("torch-audit", OBSERVERS["torch-audit"]),
}


def plain(loop: Loop) -> Steps:
    """Unwatched."""
    return loop.steps


def fastened(attach: Attach, loop: Loop, stack: ExitStack) -> Steps:
    """With a tool between the lines of the loop, where its documentation puts it."""
    heard = Heard(model=loop.model, optimizer=loop.optimizer)
    tool = attach(heard)
    stack.enter_context(tool.context)
    return partial(_steps, loop, heard, tool)


def _steps(loop: Loop, heard: Heard, tool: Attachment, count: int) -> None:
    for _ in range(count):
        loop.optimizer.zero_grad()
        heard.loss = (loop.model(loop.x) - 1).square().mean()
        heard.loss.backward()
        tool.before()
        loop.optimizer.step()
        heard.loss = heard.loss.detach()
        tool.after()
        heard.step += 1


def cockpit(loop: Loop, stack: ExitStack) -> Steps:
    """Tracks the quantities of its cheapest configuration at each step: backward runs inside its context."""
    from backpack import extend  # pyright: ignore[reportMissingImports]
    from cockpit import Cockpit  # pyright: ignore[reportMissingImports]
    from cockpit.utils.configuration import configuration  # pyright: ignore[reportMissingImports]

    loss_function, each = extend(nn.MSELoss()), nn.MSELoss(reduction="none")
    model = extend(loop.model)
    instrument: Any = Cockpit(model.parameters(), quantities=configuration("economy"))
    done = [0]

    def step() -> None:
        loop.optimizer.zero_grad()
        output: Tensor = model(loop.x)
        target = torch.ones_like(output)
        loss, own = loss_function(output, target), each(output, target).flatten(1).mean(1)
        said = {"batch_size": len(loop.x), "individual_losses": own, "loss": loss, "optimizer": loop.optimizer}
        with instrument(done[0], info=said):
            loss.backward(create_graph=instrument.create_graph(done[0]))
        loop.optimizer.step()
        done[0] += 1

    def steps(count: int) -> None:
        for _ in range(count):
            step()

    return steps


def ways_of(name: str, stack: ExitStack) -> tuple[dict[str, Steps], dict[str, str]]:
    """All ways that run on this architecture, and what stopped the others."""
    made: dict[str, Callable[[], Steps]] = {"plain": lambda: plain(loop_of(name))}
    made["naive hooks"] = lambda: _inside(naive, loop_of(name), stack)
    for way, (package, attach) in TOOLS.items():
        if version(package):
            made[way] = partial(fastened, attach, loop_of(name), stack)
    if version("cockpit-for-pytorch"):
        made["Cockpit, economy"] = partial(cockpit, loop_of(name), stack)
    ways, failed = {}, {}
    for way, make in made.items():
        try:
            ways[way] = make()
            ways[way](2)
        except Exception as problem:  # what does not run is told
            ways.pop(way, None)
            failed[way] = _first_words(problem)
    return ways, failed


def _first_words(problem: BaseException) -> str:
    """What was raised first: a context that is left by one error often raises another."""
    while problem.__context__ is not None:
        problem = problem.__context__
    return f"{type(problem).__name__}: {problem}".split("\n", maxsplit=1)[0][:160]


def _inside(context: Callable[[nn.Module], Any], loop: Loop, stack: ExitStack) -> Steps:
    stack.enter_context(context(loop.model))
    return loop.steps


def measured(name: str) -> tuple[list[object], dict[str, str]]:
    """One row: milliseconds, and for each way its ratio to plain steps of the same round."""
    with ExitStack() as stack:
        ways, failed = ways_of(name, stack)
        own = loop_of(name)
        live = watch(own.model, own.optimizer)
        accounts = watch_overhead._Accounts(live)  # lets the budget's clock run only while it watches
        counts = {way: _count(steps, len(ways) + 1) for way, steps in ways.items()}
        counts["evenkeel watch"] = counts["plain"]
        found: dict[str, list[float]] = {way: [] for way in counts}
        for number in range(ROUNDS):
            for way in random.Random(number).sample(list(found), len(found)):
                seconds = _timed(way, ways, accounts, live.looking, own, counts[way])
                found[way].append(seconds / counts[way])
    ratio = {w: interval([a / b for a, b in zip(found[w], found["plain"], strict=True)]) for w in found}
    print({way: f"{1e3 * statistics.median(times):.1f} ms" for way, times in found.items()}, flush=True)
    cells = [ratio.get(way, "-") for way in COLUMNS]
    return [name, f"{1e3 * statistics.median(found['plain']):.1f}", counts["plain"] * ROUNDS, *cells], failed


COLUMNS = ("evenkeel watch", "naive hooks", *TOOLS, "Cockpit, economy")


def _count(steps: Steps, ways: int) -> int:
    """Steps of one way in a round, so that all rounds of all ways together take about the time they may."""
    start = time.perf_counter()
    steps(2)
    return max(1, round(SECONDS / ROUNDS / ways / ((time.perf_counter() - start) / 2)))


def _timed(way: str, ways: dict[str, Steps], accounts: Any, looking: Callable[[], Any], own: Loop, count: int) -> float:
    if way == "evenkeel watch":
        return accounts.timed(looking, lambda: own.steps(count), ours=True)
    start = time.perf_counter()
    ways[way](count)
    return time.perf_counter() - start


def run_overhead() -> None:
    """All four architectures."""
    lines, notes = [], []
    for name in SUBJECTS:
        line, failed = measured(name)
        lines.append(line)
        notes += [f"* {way} on *{name}*: {what}" for way, what in failed.items()]
        print(line, failed, flush=True)
    versions = [f"{package} {version(package)}" for package in (*OBSERVERS, "cockpit-for-pytorch") if version(package)]
    stopped = ["Did not run:\n\n" + "\n".join(notes)] if notes else []
    shown = table(["step", "ms", "steps", *COLUMNS], lines)
    body = "\n\n".join([ABOUT, shown, *stopped, f"Versions: {', '.join(versions)}."])
    publish("peers_overhead", "What other tools cost a loop", "python -m bench.peers overhead", body)


ABOUT = f"""One thread, {ROUNDS} interleaved rounds; time of the steps over that of the same steps unwatched: median and
bootstrap 95 %. Each tool as its documentation attaches it, with its defaults; fastening and its last report are not
timed. *Naive hooks*: mean and deviation of each layer's output and the norm of each gradient, read with `.item()` at
each step. *torch-audit* looks at each 1000th step by default. *Cockpit*: its cheapest configuration, tracked at each
step; it gives no verdict."""
