"""`import evenkeel` against `import torch`, each in fresh processes, alternating."""

from __future__ import annotations

import statistics
import subprocess
import sys

from bench._machine import publish, table

ROUNDS = 9
CODE = "import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"


def seconds(name: str) -> float:
    """Import time in a process of its own."""
    done = subprocess.run([sys.executable, "-c", CODE.format(name=name)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    found: dict[str, list[float]] = {"torch": [], "evenkeel": [], "evenkeel, torch": []}
    for name in found:
        seconds(name)  # the first import of each reads files from disk
    for _ in range(ROUNDS):
        for name, times in found.items():
            times.append(seconds(name))
    base = statistics.median(found["torch"])
    rows = [
        [f"import {n}", f"{statistics.median(t):.3f}", f"{statistics.median(t) / base:.3f}"] for n, t in found.items()
    ]
    # evenkeel imports torch only when something of it is used; what a user pays in the end is the last row.
    body = table(["statement", "median seconds", "of import torch"], rows)
    publish("import_time", "Import time", "python -m bench.import_time", body)


if __name__ == "__main__":
    main()
