"""Some test windows as line plots: what came before, what was forecast with its 90 % band, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.errors import ShapeError
from evenkeel.page.sections import Section
from evenkeel.svg import INK, Band, Marker, Series, colour, line_chart

MOST = 4  # windows that are drawn
HISTORIES = 2.0  # steps before that are drawn, in horizons: more would squeeze what is to be seen


@dataclass(frozen=True, kw_only=True)
class ShownForecast:
    """One window of one series, in its own units: `history` (step,) before it, and (horizon,) of all others.

    `low` and `high` are the ends of the 90 % interval, None where the task gives no distribution.
    """

    name: str
    history: np.ndarray
    truth: np.ndarray
    mean: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def __post_init__(self) -> None:
        ahead = [each for each in (self.truth, self.mean, self.low, self.high) if each is not None]
        if {each.shape for each in ahead} != {(len(self.truth),)} or self.history.ndim != 1:
            raise ShapeError(
                f"a forecast to draw needs (step,) arrays of one horizon, got {[each.shape for each in ahead]} after a "
                f"history of shape {self.history.shape}"
            )


def forecasts_section(shown: Sequence[ShownForecast], step: str = "step") -> Section | None:
    """Up to four windows, each drawn around the end of what was known; None of nothing.

    Args:
        shown: windows of the test part.
        step: what one step is, such as `1 h`.

    Example:
        >>> one = ShownForecast(name="load", history=np.zeros(4), truth=np.ones(2), mean=np.ones(2))
        >>> forecasts_section([one], "1 h").svg.count("<svg")
        1
    """
    if not shown:
        return None
    drawn = "".join(_chart(one, step) for one in shown[:MOST])
    banded = any(one.low is not None for one in shown[:MOST])
    caption = "Each test window comes from another part of the test time." if len(shown) > 1 else ""
    caption += " About nine in ten of the true values should lie inside the band." if banded else ""
    return Section(title="Forecasts of test windows", svg=drawn, caption=caption.strip())


def _chart(one: ShownForecast, step: str) -> str:
    horizon = len(one.truth)
    history = one.history[-max(1, round(HISTORIES * horizon)) :]
    before, ahead = np.arange(1 - len(history), 1), np.arange(1, horizon + 1)
    band = None
    if one.low is not None and one.high is not None:
        band = Band(name="90 % interval", x=ahead, low=one.low, high=one.high, colour=colour(0))
    true = np.concatenate([history, one.truth])
    series = [
        Series(name="truth", x=np.concatenate([before, ahead]), y=true, colour=INK, stroke="faint"),
        Series(name="forecast", x=ahead, y=one.mean, colour=colour(0)),
    ]
    label = f"steps of {step} after what was known"
    return line_chart(
        series, title=one.name, x_label=label, y_label=one.name, band=band, markers=[Marker(x=0.5, label="")]
    )
