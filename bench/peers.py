"""Other public tools beside this one, on the same set-ups and on the same loops.

EVENKEEL_DATA=... python -m bench.peers specimens            all of them, and the tables
EVENKEEL_DATA=... python -m bench.peers look TOOL ...        only look, for instance beside another process
EVENKEEL_DATA=... python -m bench.peers tables               the tables of what every tool has answered so far
python -m bench.peers overhead                               what each costs a loop

They are no dependency: what is not installed is left out with a word. What they said is kept line by line in
bench/cache/peers.jsonl: broken off, it goes on. Some of them write files where they run: they run in a folder of their
own, which is thrown away.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from bench._machine import publish
from bench._peers.attach import Said, look_on
from bench._peers.observers import OBSERVERS, version
from bench._peers.tables import Answer, Answers, specimen_tables
from bench._specimens import generated, healthy, store
from bench._specimens.examine import STEPS
from bench._specimens.rows import ROWS
from bench._specimens.setup import Row, SetUp

SEEDS = (0, 1, 2)
DRAWS = 600
HEAVY = (6, 20, 21)
"""Rows whose training takes longest."""
CACHE = store.FOLDER / "peers.jsonl"
READING = 1
"""Of the way they are attached: raise it when that changes."""


def generated_labels() -> dict[str, list[generated.Definition]]:
    """The generated set-ups that have a label."""
    best = {name: generated.best_of(name) for name in generated.DATA}
    found: dict[str, list[generated.Definition]] = {"healthy": [], "sick": []}
    for one in map(generated.draw, range(DRAWS)):
        label = generated.label(one, best[one.table])
        if label != "between":
            found[label].append(one)
    return found


def set_ups(labels: dict[str, list[generated.Definition]]) -> Iterator[tuple[SetUp, int]]:
    """Everything that is looked at, the dearest last."""
    light, heavy = ([row for row in ROWS if (row.number in HEAVY) is dear] for dear in (False, True))
    yield from twins(light, SEEDS)
    yield from ((setup, seed) for seed in SEEDS for setup in healthy.HEALTHY)
    drawn = sorted((one for found in labels.values() for one in found), key=lambda one: one.seed)
    yield from ((generated.set_up(one), one.seed) for one in drawn)
    yield from twins(heavy, SEEDS)


def twins(rows: list[Row], seeds: tuple[int, ...]) -> Iterator[tuple[SetUp, int]]:
    """Both twins of each row."""
    return ((getattr(row, role), seed) for seed in seeds for row in rows for role in ("sick", "fixed"))


def key_of(tool: str, setup: SetUp, seed: int) -> str:
    """The name of an answer in the cache."""
    return store.digest(tool, version(tool), READING, setup.name, seed, STEPS)


def ask(tool: str, setup: SetUp, seed: int) -> dict[str, Any]:
    """Build the set-up and show its training to the tool; what it raises is an answer too."""
    case = setup.build(seed)
    torch.manual_seed(seed)
    start = time.perf_counter()
    said: list[Said] = []
    raised = None
    try:
        said = look_on(OBSERVERS[tool], setup, case, STEPS)
    except Exception as problem:  # whatever a tool does to a training is the result
        raised = f"{type(problem).__name__}: {problem}"[:200]
    seconds = round(time.perf_counter() - start, 3)
    told = [[one.name, one.severity, one.step] for one in said]
    return {"tool": tool, "setup": setup.name, "seed": seed, "said": told, "raised": raised, "seconds": seconds}


def look(tools: list[str], labels: dict[str, list[generated.Definition]]) -> None:
    """Ask each tool about each set-up that it was not asked about yet."""
    known = store.read(CACHE)
    for setup, seed in set_ups(labels):
        for tool in tools:
            key = key_of(tool, setup, seed)
            if key not in known:
                answer = ask(tool, setup, seed)
                store.append(CACHE, {"key": key, **answer})
                print(tool, setup.name, seed, answer["seconds"], answer["raised"] or "", flush=True)


def answers(tools: list[str], labels: dict[str, list[generated.Definition]]) -> Answers:
    """The answers to what every tool was asked, by tool, set-up and seed."""
    known, found = store.read(CACHE), {}
    asked = [pair for pair in set_ups(labels) if all(key_of(tool, *pair) in known for tool in tools)]
    for setup, seed in asked:
        for tool in tools:
            line = known[key_of(tool, setup, seed)]
            said = [Said(name=name, severity=severity, step=step) for name, severity, step in line["said"]]
            found[tool, setup.name, seed] = Answer(said=said, raised=line["raised"], seconds=line["seconds"])
    return found


def write_tables(labels: dict[str, list[generated.Definition]]) -> None:
    """Publish."""
    tools = [tool for tool in OBSERVERS if version(tool)]
    left = [tool for tool in OBSERVERS if not version(tool)]
    body = "\n\n".join(specimen_tables(answers(tools, labels), labels, tools, left))
    command = "EVENKEEL_DATA=... python -m bench.peers specimens"
    publish("peers_specimens", "Other tools on the specimens", command, body)


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """A folder of their own, and no chatter."""
    os.environ["EVENKEEL_DATA"] = str(Path(os.environ.get("EVENKEEL_DATA", ".")).resolve())
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def main(arguments: list[str]) -> None:
    """One thread, as in the other measurements."""
    torch.set_num_threads(1)
    task, *rest = arguments or ["all"]
    with apart():
        if task in ("look", "specimens", "all"):
            look(rest or [tool for tool in OBSERVERS if version(tool)], generated_labels())
        if task in ("tables", "specimens", "all"):
            write_tables(generated_labels())
        if task in ("overhead", "all"):
            from bench._peers.overhead import run_overhead  # the long list of imports is for this task alone

            run_overhead()


if __name__ == "__main__":
    main(sys.argv[1:])
