"""Whether another tree of the source computes, says and saves the same to the last bit: written by one, compared by
the next.

OMP_NUM_THREADS=1 python -m bench.unchanged write   [FOLDER] [--only PATTERN]   what the present tree computes
OMP_NUM_THREADS=1 python -m bench.unchanged compare [FOLDER] [--only PATTERN]   the same again: equal, or how it differs

FOLDER, `bench/cache/unchanged` if not given, gets `digests.json`, a folder for each case with the text behind each
digest, and in it the saved run. `--only` takes a shell pattern of cases, as `'run-text*'`. Exit code 1: something
differs. Which tree is meant is decided by Python's path (`PYTHONPATH=.../src`); it is told in the first line.

    run-*       a small training of each kind of data and task: looks of the training, weights by name, metrics,
                findings, predictions in every way, the report, and what a saved run consists of; `kept-*` is the run
                that was saved when the folder was written, read by the present tree
    checkup-*   the JSON, text and page of a checkup, of sound set-ups and sick ones
    loop-*      what a watched loop finds, when it looks, what it tells on the way, and the weights of its end
    chain-*     table, numbers and figure of a traced model
    parts-*     losses with gradients, metrics, nets and heads alone; public names with their arguments
    terminal-*  help pages, lists of parts, a training from the command line to its use, and refusals

Everything runs on one thread, from fixed seeds. Left out by a mask: dates, versions, and seconds of training. One thing
varied from run to run: how often a training is looked at, and so its chains and what is found in them, follows from the
time that it took. So trainings and loops run by a clock that moves by a millisecond each time it is read
(`bench/_unchanged/clock.py`); a tree that reads the clock more often may look at other steps, which shows in
`loop-sound` first. Digests hold for one machine and one version of torch: another one is told, and is no proof.
"""

from __future__ import annotations

import argparse
import difflib
import json
import random
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import evenkeel as ek
from bench._machine import machine
from bench._unchanged.chains import CHAINS, items_of_chain
from bench._unchanged.checkups import SET_UPS, items_of_checkup
from bench._unchanged.facts import Items, digest
from bench._unchanged.loops import LOOPS, items_of_loop
from bench._unchanged.parts import PARTS
from bench._unchanged.runs import RUNS
from bench._unchanged.terminal import SESSIONS
from bench._unchanged.use import Purpose, items_of_run

FOLDER = Path(__file__).parent / "cache" / "unchanged"
DIGESTS, RUN = "digests.json", "run"
DIFFERENT_LINES, LONGEST_LINE = 12, 200  # of a difference that is shown
Case = Callable[[Path, Purpose], Items]


def all_cases() -> dict[str, Case]:
    """Every case by name; only runs have something in the folder that is read again."""
    found: dict[str, Case] = {
        f"run-{name}": lambda folder, purpose, make=make: items_of_run(make(), folder / RUN, purpose)
        for name, make in RUNS.items()
    }
    alone: dict[str, Callable[[], Items]] = {f"checkup-{name}": partial(items_of_checkup, name) for name in SET_UPS}
    alone |= {f"loop-{name}": partial(items_of_loop, name) for name in LOOPS}
    alone |= {f"chain-{name}": partial(items_of_chain, name) for name in CHAINS}
    alone |= {f"parts-{name}": make for name, make in PARTS.items()}
    alone |= {f"terminal-{name}": make for name, make in SESSIONS.items()}
    return found | {name: lambda folder, purpose, make=make: make() for name, make in alone.items()}


def computed(case: Case, folder: Path, purpose: Purpose) -> Items:
    """The items of a case from fixed seeds; one that raises has that as its only item."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    try:
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")
            return case(folder, purpose)
    except Exception as problem:
        if purpose == "write":
            raise
        return {"raised": f"{type(problem).__name__}: {problem}"}


def write(folder: Path, cases: Mapping[str, Case]) -> bool:
    """Write texts and digests of these cases; others that are there stay."""
    place = folder / DIGESTS
    kept = json.loads(place.read_text())["cases"] if place.is_file() else {}
    for name, case in cases.items():
        started = time.perf_counter()
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        items = computed(case, folder / name, "write")
        for item, text in items.items():
            (folder / name / f"{item}.txt").write_text(text)
        kept[name] = {item: digest(text) for item, text in items.items()}
        place.write_text(json.dumps({"computed by": computed_by(), "cases": kept}, indent=1) + "\n")
        print(f"written  {name}: {len(items)} items, {time.perf_counter() - started:.1f} s", flush=True)
    return True


def compare(folder: Path, cases: Mapping[str, Case]) -> bool:
    """Compute these cases again, print a line for each item, and say whether all are equal."""
    if not (folder / DIGESTS).is_file():
        print(f"nothing is written in {folder}; try `python -m bench.unchanged write {folder}` with the earlier tree")
        return False
    kept = json.loads((folder / DIGESTS).read_text())
    if kept["computed by"] != computed_by():
        print(f"NOTE: written by {kept['computed by']}; this is {computed_by()}: digests may differ by that alone")
    wanted = {name: case for name, case in cases.items() if name in kept["cases"]}
    counts = {"equal": 0, "differs": 0}
    for name, case in wanted.items():
        items, before = computed(case, folder / name, "compare"), kept["cases"][name]
        for item in sorted({*items, *before}):
            same = item in items and before.get(item) == digest(items[item])
            counts["equal" if same else "differs"] += 1
            print(f"{'equal  ' if same else 'DIFFERS'}  {name}  {item}", flush=True)
            if not same:
                print(difference(folder / name / f"{item}.txt", items.get(item)), flush=True)
    missing = [name for name in cases if name not in wanted]
    print(f"{counts['equal']} equal, {counts['differs']} differ; not in {folder}: {', '.join(missing) or 'none'}")
    return not counts["differs"] and not missing


def difference(place: Path, now: str | None) -> str:
    """The first lines of a unified diff, indented, long ones cut."""
    if now is None:
        return "    no longer there"
    before = place.read_text().splitlines() if place.is_file() else []
    found = list(difflib.unified_diff(before, now.splitlines(), "written", "now", lineterm="", n=0))
    shown = [f"    {line[:LONGEST_LINE]}" for line in found[:DIFFERENT_LINES]]
    left = len(found) - len(shown)
    return "\n".join([*shown, *([f"    ... {left} lines more"] if left else [])])


def computed_by() -> str:
    """Processor and versions."""
    return machine().partition(", ")[2]


def main(arguments: list[str]) -> None:
    """One thread: what is added up by several depends on how many they are."""
    if not arguments:
        print(__doc__)
        return
    parser = argparse.ArgumentParser(prog="python -m bench.unchanged")
    parser.add_argument("what", choices=("write", "compare"))
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--only", default="*", help="a shell pattern of cases")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"evenkeel from {Path(ek.__file__).parent}")
    cases = {name: case for name, case in all_cases().items() if fnmatch(name, asked.only)}
    if not cases:
        parser.error(f"no case is called {asked.only!r}; there are: {', '.join(all_cases())}")
    done = (write if asked.what == "write" else compare)(asked.folder, cases)
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
