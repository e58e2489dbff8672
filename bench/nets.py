"""Every kind of data with the library's defaults, nothing tuned for a set, beside floors and published figures.

EVENKEEL_DATA=... python -m bench.nets [SET ...]      the sets named, or all; goes on where it was broken off
EVENKEEL_DATA=... python -m bench.nets table          the table of what is there

Each finished training is one line of bench/cache/nets.jsonl, with the commit it was made by. OMP_NUM_THREADS=1 leaves
the other cores to others.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

import bench._nets
from bench._machine import publish, table
from bench._nets._set import NetSet

CACHE = Path(__file__).parent / "cache" / "nets.jsonl"
COMMAND = "OMP_NUM_THREADS=1 EVENKEEL_DATA=... python -m bench.nets"
Done = dict[tuple[str, int], Mapping[str, float]]


def all_sets() -> dict[str, NetSet]:
    """The sets of every file in `bench/_nets`, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(bench._nets.__path__) if not found.name.startswith("_"))
    files = [importlib.import_module(f"bench._nets.{name}") for name in names]
    return {one.name: one for file in files for one in file.SETS}


def finished() -> Done:
    """Figures of what was trained before."""
    if not CACHE.is_file():
        return {}
    lines = [json.loads(line) for line in CACHE.read_text().splitlines()]
    return {(line["set"], line["seed"]): line["figures"] for line in lines}


def commit() -> str:
    """The commit of the working tree, if it is one."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


def train(one: NetSet, seed: int, folder: Path) -> Mapping[str, float]:
    """One training; its line goes to the cache."""
    started = time.perf_counter()
    figures = {name: float(value) for name, value in one.run(folder, seed).items()}
    figures["minutes"] = (time.perf_counter() - started) / 60
    CACHE.parent.mkdir(exist_ok=True)
    line = {"set": one.name, "seed": seed, "figures": figures, "commit": commit(), "threads": torch.get_num_threads()}
    with CACHE.open("a") as kept:
        kept.write(json.dumps(line) + "\n")
    print(one.name, seed, {name: round(value, 4) for name, value in figures.items()}, flush=True)
    return figures


def row(one: NetSet, done: Done) -> list[object]:
    """What came out for one set, beside what others reach."""
    figures = [done[one.name, seed] for seed in one.seeds if (one.name, seed) in done]
    values = np.array([each[one.metric] for each in figures])
    ahead = (lambda a, b: a > b) if one.better == "higher" else (lambda a, b: a < b)
    ours = f"{values.mean():.4g}" + (f" ± {values.std(ddof=1):.2g}" if len(values) > 1 else "") if len(values) else "-"
    floor = f"{one.floor:.4g} ({one.floor_text})"
    wanted = "-" if one.wanted is None else f"{one.wanted:.4g}"
    verdict = "not run"
    if len(values):
        reached = one.wanted is None or ahead(values.mean(), one.wanted) or values.mean() == one.wanted
        beaten = "floor beaten" if ahead(values.mean(), one.floor) else "BELOW the floor"
        verdict = beaten + ("" if one.wanted is None else ", reached" if reached else ", short of what is wanted")
    minutes = f"{np.mean([each['minutes'] for each in figures]):.1f}" if figures else "-"
    return [one.name, one.metric, ours, len(values), floor, wanted, one.published, minutes, verdict]


def main() -> None:
    """Train what is not yet in the cache, and print the table."""
    folder, asked = os.environ.get("EVENKEEL_DATA"), sys.argv[1:]
    if not folder or not Path(folder).is_dir():
        raise SystemExit("EVENKEEL_DATA must name the folder of the data sets")
    known = all_sets()
    unknown = [name for name in asked if name not in known and name != "table"]
    if unknown:
        raise SystemExit(f"no set is called {unknown[0]!r}; there are: {', '.join(known)}")
    done = finished()
    for one in known.values() if asked != ["table"] else ():
        for seed in one.seeds if not asked or one.name in asked else ():
            if (one.name, seed) not in done:
                done[one.name, seed] = train(one, seed, Path(folder))
    header = ["set", "figure", "ours", "seeds", "floor", "wanted", "published", "minutes", ""]
    body = table(header, [row(one, done) for one in known.values()])
    notes = "\n".join(f"- {one.name}: {one.protocol}" for one in known.values() if one.protocol)
    publish("nets", "Every kind of data, with defaults", COMMAND, f"{body}\n\n{notes}" if notes else body)


if __name__ == "__main__":
    main()
