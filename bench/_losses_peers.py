"""NT-Xent as other libraries have it, where they are installed."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import torch
from torch import Tensor

from bench._losses_measure import Case, Step, best_times, peak_memory
from bench._machine import table
from evenkeel import losses

SMALL = (64, 128, 256)
"""Views of a batch that pytorch-metric-learning can be measured at: what it needs grows with their cube."""

UNITS = 256


def peers(left: Tensor, right: Tensor) -> dict[str, Step]:
    """Peers that can take thousands of views."""
    found = _class("lightly.loss", "NTXentLoss")
    if found is None:
        return {}
    loss = found(temperature=0.5)
    return {"lightly": lambda: loss(left, right)}


def cubic() -> str:
    """What pytorch-metric-learning needs at small batches, and by extrapolation at 512 and 4096 views."""
    missing = "" if _class("lightly.loss", "NTXentLoss") else "lightly: not installed, or not with all it needs. "
    found = _class("pytorch_metric_learning.losses", "NTXentLoss")
    if found is None:
        return missing + "pytorch-metric-learning: not installed."
    loss, rows, words = found(temperature=0.5), [], 0.0
    for views in SMALL:
        case = _labelled(loss, views)
        times, memory = best_times(case, 3), {way: peak_memory(case, way) for way in case.steps}
        words = memory["peer"] * 2**20 / 4 / views**3
        cells = [f"{1000 * times['peer']:.0f}", f"{memory['peer']:.1f}", f"{words:.0f}"]
        rows.append([views, *cells, f"{1000 * times['evenkeel']:.1f}", f"{memory['evenkeel']:.1f}"])
    header = ["views", "their ms", "their MiB", "their numbers / views³", "evenkeel, ms", "evenkeel, MiB"]
    needs = ", ".join(f"{4 * words * (2 * pairs) ** 3 / 1e9:,.0f} GB for {pairs}" for pairs in (512, 4096))
    said = (
        f"pytorch-metric-learning's NTXentLoss holds about {8 * words:.0f} numbers for each pair cubed: {needs} pairs."
    )
    return f"{table(header, rows)}\n\n{missing}{said}"


def _labelled(loss: Any, views: int) -> Case:
    torch.manual_seed(0)
    embedding = torch.randn(views, UNITS, requires_grad=True)
    labels = torch.arange(views // 2).repeat(2)
    return Case(
        leaves=(embedding,),
        steps={
            "peer": lambda: loss(embedding, labels),
            "evenkeel": lambda: losses.nt_xent_from_labels(embedding, labels),
        },
    )


def _class(module: str, name: str) -> Any:
    """A peer's class, or None where it cannot be imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            return None
