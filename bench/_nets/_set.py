"""What is measured on one data set: by which figure, with which result wanted, and beside which others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Figures = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class NetSet:
    """One data set and its protocol.

    `floor` is a cheap baseline that must be beaten, `wanted` the figure hoped for, `published` others' figures in
    words. `run(folder, seed)` trains with the defaults of the library on the set's folder and gives the figures, that
    of `metric` among them; `minutes` is about how long one seed takes on one core.
    """

    name: str
    metric: str
    better: Literal["higher", "lower"]
    floor: float
    floor_text: str
    wanted: float | None
    published: str
    minutes: float
    run: Callable[[Path, int], Figures]
    seeds: tuple[int, ...] = (0, 1, 2)
    protocol: str = ""
