"""Peak memory of `evenkeel train` on a Parquet file of 1,000,000 x 50 float32, above what the import holds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from bench._machine import publish, table

ROWS, COLUMNS = 1_000_000, 50
CHILD = """
import resource, sys
import evenkeel as ek
from evenkeel import fitting, run  # what a run needs is imported before it starts
import sklearn.ensemble, sklearn.linear_model, sklearn.tree, polars, torch
import numpy, scipy.linalg
# The buffers that each matrix library takes once, whatever the table: part of what is resident before.
torch.ones(512, 512) @ torch.ones(512, 512)
numpy.ones((512, 512)) @ numpy.ones((512, 512))
scipy.linalg.cho_factor(1e4 * numpy.eye(512) + numpy.ones((512, 512)))
before = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))) * 1024
ek.fit(sys.argv[1], target="y", out=sys.argv[2], progress=False, time_limit=float(sys.argv[3]))
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main(time_limit: float = 20.0) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.parquet"
        write(path)
        arguments = [sys.executable, "-c", CHILD, str(path), str(Path(folder) / "run"), str(time_limit)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    before, peak = map(int, done.stdout.split())
    size = ROWS * COLUMNS * 4
    rows = [[f"{size / 2**20:.0f}", f"{before / 2**20:.0f}", f"{peak / 2**20:.0f}", f"{(peak - before) / size:.2f}"]]
    header = ["table, MiB", "after import, MiB", "peak, MiB", "peak above import / table"]
    publish("memory", "Peak memory of train, 1,000,000 x 50 float32", "python -m bench.memory", table(header, rows))


def write(path: Path) -> None:
    """49 random features and a target that depends on some of them."""
    generator = np.random.default_rng(0)
    columns = {f"x{i}": generator.standard_normal(ROWS, dtype=np.float32) for i in range(COLUMNS - 1)}
    noise = generator.standard_normal(ROWS, dtype=np.float32)
    columns["y"] = columns["x0"] + columns["x1"] * columns["x2"] + 0.5 * noise
    pl.DataFrame(columns).write_parquet(path)


if __name__ == "__main__":
    main()
