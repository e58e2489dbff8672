"""Date-times as numbers: the position in time, and the phase within the year, the week and the day.

    sine, cosine of 2 pi days / length       of each cycle, so that 23:59 lies beside 0:00

Time of day alone (without a date) counts from midnight. Moments with a time zone are taken in universal time.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

DatePart = Literal["value", "days", "year-sine", "year-cosine", "week-sine", "week-cosine", "day-sine", "day-cosine"]
CYCLES: dict[str, float] = {"year": 365.2425, "week": 7.0, "day": 1.0}  # lengths in days
SECONDS_A_DAY = 86_400.0


def date_parts(series: pl.Series) -> dict[DatePart, NDArray[np.float64]]:
    """Compute days since 1970, and the phase in the year, the week and the day as sine and cosine; NaN where missing.

    Example:
        >>> parts = date_parts(pl.Series(["2024-01-01 06:00"]).str.to_datetime("%Y-%m-%d %H:%M"))
        >>> float(parts["days"][0]), round(float(parts["day-sine"][0]), 6)
        (19723.25, 1.0)
    """
    moments = series.cast(pl.Datetime("us")) if series.dtype != pl.Time else series.cast(pl.Duration("us"))
    micros = moments.to_physical().cast(pl.Float64).to_numpy()
    days = micros / 1e6 / SECONDS_A_DAY
    parts: dict[DatePart, NDArray[np.float64]] = {"days": days}
    for cycle, length in CYCLES.items():
        phase = 2 * np.pi * days / length
        parts[f"{cycle}-sine"] = np.sin(phase)  # type: ignore[index]
        parts[f"{cycle}-cosine"] = np.cos(phase)  # type: ignore[index]
    return parts
