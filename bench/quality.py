"""Default settings on public data sets, beside published results. Resumable: each finished fit is kept in bench/cache.

EVENKEEL_DATA=... python -m bench.quality [SET ...]      the sets named, or all; the cache answers what is done
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch

import evenkeel as ek
from bench._machine import publish, table
from bench._sets import SETS, Case, Set

CACHE = Path(__file__).parent / "cache" / "quality.jsonl"
# What is to be reached, and what others have published on the same protocol.
PUBLISHED = {
    "uci-bostonHousing": ("Deep Ensembles 3.28 / 2.41, MC-dropout 2.90 / 2.40, NGBoost - / 2.43"),
    "uci-concrete": ("Deep Ensembles 6.03 / 3.06, MC-dropout 4.82 / 2.93, NGBoost - / 3.04"),
    "uci-energy": ("Deep Ensembles 2.09 / 1.38, MC-dropout 0.54 / 1.21, NGBoost - / 0.60"),
    "uci-wine-quality-red": ("Deep Ensembles .64 / .94, MC-dropout .62 / .93, NGBoost - / .91"),
    "uci-power-plant": ("Deep Ensembles 4.11 / 2.79, MC-dropout 4.01 / 2.80, NGBoost - / 2.79"),
    "california-housing": "RMSE: MLP .499, FT-Transformer .459, TabM .441, XGBoost .433; to reach .46",
    "insurance-charges": "R2: tree ensembles about .86 to .88; to reach .85",
    "nmes1988": "Poisson GLM 4.0789 (in sample); the net's Poisson NLL on held-out rows is to be below it",
    "adult": "accuracy: MLP .8522, FT-Transformer .8587, TabM .8575, XGBoost .8723; to reach .857",
    "phoneme": "AUC: tree ensembles about .96; to reach .95",
    "mammography": "AUC: SVM .957, random forest .950; to reach .94",
    "mammography, focal": "as above, with focal loss",
    "ml-emotions": "Hamming: RF-PCT .189, ridge .211; to reach .20",
    "ml-yeast": "Hamming: RF-PCT .197, ridge .198; to reach .195",
}


def fit_case(case: Case) -> dict[str, float]:
    """Fit with default settings and measure on the test rows."""
    start = time.perf_counter()
    options = {"task": case.task, "loss": case.loss, "split": case.split, "seed": case.seed}
    run = ek.fit(case.frame, target=case.target, progress=False, **options)
    found = {**run.metrics, "seconds": time.perf_counter() - start, "updates": float(run.history[-1].update)}
    found |= {f"{name}: {key}": value for name, theirs in run.record.baselines.items() for key, value in theirs.items()}
    if run.plan.task == "positive-regression" and run.plan.counts:
        test = case.frame[case.split["test"]]
        count, rate = test[str(case.target)].to_numpy().astype(float), run.predict(test)
        found["poisson_nll"] = float(np.mean(rate - count * np.log(rate) + [math.lgamma(c + 1) for c in count]))
    return found


def work(job: tuple[str, int, str]) -> None:
    """One fit in a process of its own thread; the result goes to the cache as one line."""
    name, index, version = job
    torch.set_num_threads(1)
    chosen = next(each for each in SETS if each.name == name)
    found = fit_case(chosen.case(index))
    line = json.dumps({"set": name, "case": index, "version": version, **found})
    with CACHE.open("a") as file:
        file.write(line + "\n")
    print(name, index, {key: round(found[key], 4) for key in (*chosen.metrics, "seconds")}, flush=True)


def version_of_defaults() -> str:
    """The commit that a cached result belongs to: results of other code are measured again."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD:src"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def cached(version: str) -> pl.DataFrame | None:
    """What is already measured with this version of src/."""
    if not CACHE.is_file():
        return None
    lines = [json.loads(line) for line in CACHE.read_text().splitlines()]
    kept = [line for line in lines if line["version"] == version]
    return pl.DataFrame(kept, infer_schema_length=None) if kept else None


def row_of(chosen: Set, found: pl.DataFrame) -> list[object]:
    """Means and standard errors of a set, the baselines' best, time, and what is published."""
    mine = found.filter(pl.col("set") == chosen.name)
    cells = []
    for name in chosen.metrics:
        values = mine[name].drop_nulls().to_numpy()
        error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else float("nan")
        cells.append(f"{name} {values.mean():.4f} ± {error:.4f}")
    beside = []
    for baseline in ("linear", "gradient boosting"):
        column = f"{baseline}: {chosen.metrics[0]}"
        if column in mine.columns and mine[column].drop_nulls().len():
            beside.append(f"{baseline} {mine[column].drop_nulls().mean():.4f}")
    seconds = mine["seconds"].mean()
    return [chosen.name, mine.height, "<br>".join(cells), "<br>".join(beside), f"{seconds:.0f}", PUBLISHED[chosen.name]]


def main(names: list[str]) -> None:
    CACHE.parent.mkdir(exist_ok=True)
    version = os.environ.get("EVENKEEL_BENCH_VERSION") or version_of_defaults()
    done = cached(version)
    have = set(zip(done["set"], done["case"], strict=True)) if done is not None else set()
    wanted = [each for each in SETS if not names or each.name in names]
    jobs = [(s.name, index, version) for s in wanted for index in range(s.cases) if (s.name, index) not in have]
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), maxtasksperchild=10) as pool:
        for _ in pool.imap_unordered(work, jobs, chunksize=1):
            pass
    found = cached(version)
    if found is None:
        return
    rows = [row_of(each, found) for each in SETS if (found["set"] == each.name).any()]
    header = ["set", "fits", "evenkeel, mean ± s.e.", "same rows, first metric", "s a fit", "published"]
    note = "Default settings on every set; one thread a fit. NLL in the target's units; coverage of the 90 % intervals."
    body = f"{note} Version of `src/`: {version}.\n\n{table(header, rows)}"
    publish("quality", "Quality on public sets", "EVENKEEL_DATA=... python -m bench.quality", body)


if __name__ == "__main__":
    main(sys.argv[1:])
