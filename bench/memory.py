"""Memory of `evenkeel train` on Parquet files of 50 columns of float32, above what the import holds.

python -m bench.memory          peak of all resident memory: 1,000,000 rows, read whole
python -m bench.memory parts    peak of anonymous memory, which nothing can take back: 1 and 4 million rows, whole and
                                in parts (pages of the mapped file are left out: the system drops them when it needs to)
"""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from bench._machine import publish, table

COLUMNS = 50
SECONDS = 20
MIB = 2**20
CHILD = """
import sys
import evenkeel as ek
from evenkeel.run import fit, run  # what a run needs is imported before it starts
import sklearn.ensemble, sklearn.linear_model, sklearn.tree, polars, torch
import numpy, scipy.linalg
# The buffers that each matrix library takes once, whatever the table: part of what is resident before.
torch.ones(512, 512) @ torch.ones(512, 512)
numpy.ones((512, 512)) @ numpy.ones((512, 512))
scipy.linalg.cho_factor(1e4 * numpy.eye(512) + numpy.ones((512, 512)))
print("imported", flush=True)
sys.stdin.readline()
settings = {"memory": 0.0} if sys.argv[4] == "parts" else {"memory": 1e6}
ek.fit(sys.argv[1], target="y", out=sys.argv[2], progress=False, time_limit=float(sys.argv[3]), settings=settings)
print("done", flush=True)
sys.stdin.readline()
"""


def measure(rows: int, how: str) -> dict[str, int]:
    """Bytes resident before, the peak of all, and the peaks of anonymous memory, of one run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        write(path, rows)
        arguments = [sys.executable, "-c", CHILD, str(path), str(Path(folder) / "run"), str(SECONDS), how]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
            assert child.stdin is not None and child.stdout is not None
            if child.stdout.readline().strip() != "imported":
                raise RuntimeError("the measured program did not start; its message stands above")
            before = resident(child.pid)
            child.stdin.write("go\n")
            highest = follow(child, before["RssAnon"])
            after = resident(child.pid)
            child.stdin.write("end\n")
    return {"before": before["VmRSS"], "peak": after["VmHWM"], "anonymous": highest - before["RssAnon"]}


def follow(child: subprocess.Popen[str], anonymous: int) -> int:
    """The most anonymous memory that the program holds until it says that it is done, looked at 50 times a second."""
    assert child.stdout is not None
    while not select.select([child.stdout], [], [], 0.02)[0]:
        anonymous = max(anonymous, resident(child.pid)["RssAnon"])
    if child.stdout.readline().strip() != "done":
        raise RuntimeError("the measured program ended early; its message stands above")
    return anonymous


def resident(process: int) -> dict[str, int]:
    """Bytes of every kind of memory that the system tells of a program."""
    lines = (line.split() for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines if line[-1] == "kB"}


def write(path: Path, rows: int) -> None:
    """49 random features and a target that depends on some of them."""
    generator = np.random.default_rng(0)
    columns = {f"x{i}": generator.standard_normal(rows, dtype=np.float32) for i in range(COLUMNS - 1)}
    noise = generator.standard_normal(rows, dtype=np.float32)
    x0, x1, x2 = (columns[name] for name in ("x0", "x1", "x2"))
    columns["y"] = (x0 + x1 * x2 + noise / 2).astype(np.float32)
    pl.DataFrame(columns).write_parquet(path)


def whole() -> None:
    """The peak of a table that fits."""
    rows = 1_000_000
    found, size = measure(rows, "whole"), rows * COLUMNS * 4
    above = (found["peak"] - found["before"]) / size
    row: list[object] = [
        f"{size / MIB:.0f}",
        f"{found['before'] / MIB:.0f}",
        f"{found['peak'] / MIB:.0f}",
        f"{above:.2f}",
    ]
    header = ["table, MiB", "after import, MiB", "peak, MiB", "peak above import / table"]
    publish("memory", "Peak memory of train, 1,000,000 x 50 float32", "python -m bench.memory", table(header, [row]))


def in_parts() -> None:
    """What must stay in memory, as the table grows."""
    body: list[list[object]] = []
    for how in ("whole", "parts"):
        for rows in (1_000_000, 4_000_000):
            found, size = measure(rows, how), rows * COLUMNS * 4
            body.append([how, f"{rows:,}", f"{size / MIB:.0f}", f"{found['anonymous'] / MIB:.0f}"])
    header = ["read", "rows", "table, MiB", "peak of anonymous memory above import, MiB"]
    publish(
        "memory_parts", "Memory of train, 50 columns of float32", "python -m bench.memory parts", table(header, body)
    )


if __name__ == "__main__":
    in_parts() if sys.argv[1:] == ["parts"] else whole()
