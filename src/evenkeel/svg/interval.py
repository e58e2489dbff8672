"""Interval plot: predictions in rising order, each with its interval; the truth is coloured by whether it is inside."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.axes import HEIGHT, WIDTH, Entry, nothing, plot
from evenkeel.svg.marks import INK, colour, element, pixel
from evenkeel.svg.scale import AxisScale, NumbersLike, drawable, fit_scale, numbers, positions
from evenkeel.svg.text import NumberLike

MOST_INTERVALS = 70  # about one for every five pixels


def interval_chart(
    centre: NumbersLike,
    low: NumbersLike,
    high: NumbersLike,
    *,
    truth: NumbersLike | None = None,
    title: str,
    x_label: str = "examples in order of prediction",
    y_label: str = "",
    width: NumberLike = WIDTH,
    height: NumberLike = HEIGHT,
    most: int = MOST_INTERVALS,
) -> str:
    """An SVG of intervals [low, high] around centres; at most `most` of them, evenly spread over the order.

    Example:
        >>> svg = interval_chart([1, 2], [0.5, 1.5], [1.5, 2.5], truth=[1.2, 3.0], title="Intervals")
        >>> "outside" in svg
        True

    """
    rows = _rows([centre, low, high, *([] if truth is None else [truth])], most)
    if rows.shape[1] == 0:
        return nothing(title, width=width)

    def body(x: AxisScale, y: AxisScale) -> str:
        across = positions(x, np.arange(rows.shape[1]))
        return _draw(across, *(positions(y, row) for row in rows))

    x, y = fit_scale([[-0.5, rows.shape[1] - 0.5]], room=0.0), fit_scale(list(rows))
    ranked = partial(plot, entries=_entries(truth is not None), x_ticks=())
    return ranked(body, x=x, y=y, title=title, x_label=x_label, y_label=y_label, width=width, height=height)


def _rows(columns: Sequence[NumbersLike], most: int) -> np.ndarray:
    """The columns (one a row) without gaps, in the order of the first, at most `most` of them evenly spread."""
    if len({len(column) for column in columns}) != 1:
        raise DataError(f"intervals need columns of one length, got {[len(column) for column in columns]}")
    rows = np.stack([numbers(column) for column in columns])
    rows = rows[:, np.logical_and.reduce([drawable(column) for column in columns])]
    rows = rows[:, np.argsort(rows[0], kind="stable")]
    count = rows.shape[1]
    return rows[:, np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))] if count else rows


def _entries(with_truth: bool) -> list[Entry]:
    entries = [Entry(name="interval", colour=colour(0), shape="area")]
    if with_truth:
        entries.append(Entry(name="truth inside", colour=INK, shape="dot"))
        entries.append(Entry(name="truth outside", colour=colour(1), shape="dot"))
    return entries


def _draw(
    across: np.ndarray, centre: np.ndarray, low: np.ndarray, high: np.ndarray, truth: np.ndarray | None = None
) -> str:
    bars = "".join(f"M{pixel(x)} {pixel(a)}V{pixel(b)}" for x, a, b in zip(across, low, high, strict=True))
    dashes = "".join(f"M{pixel(x - 2)} {pixel(c)}h4" for x, c in zip(across, centre, strict=True))
    drawn = element("path", d=bars, stroke=colour(0), stroke_width=3.2, stroke_opacity=0.3)
    drawn += element("path", d=dashes, stroke=colour(0), stroke_width=1.6)
    if truth is None:
        return drawn
    inside = (truth <= np.maximum(low, high)) & (truth >= np.minimum(low, high))
    for chosen, paint in ((inside, INK), (~inside, colour(1))):
        dots = "".join(element("circle", cx=x, cy=t, r=2.4) for x, t in zip(across[chosen], truth[chosen], strict=True))
        drawn += element("g", dots, fill=paint)
    return drawn
