"""Calibration plot: how often something happened against its predicted probability; the diagonal is right.

Serves classifiers (confidence against accuracy) and intervals (nominal against observed coverage) alike.
"""

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.axes import HEIGHT, WIDTH, nothing, plot
from evenkeel.svg.marks import INK, element, segment, trail
from evenkeel.svg.marks import colour as palette
from evenkeel.svg.scale import AxisScale, NumbersLike, drawable, numbers, position, positions
from evenkeel.svg.text import NumberLike, escape, number, percent

SMALLEST, LARGEST = 2.5, 8.0  # pixels: radius of the points with fewest and most examples (area grows with count)
UNSIZED = 3.2  # pixels, without counts
ROOM = 0.03  # beyond 0 and 1, so that points at the corners are whole


def calibration_chart(
    predicted: NumbersLike,
    happened: NumbersLike,
    *,
    title: str,
    count: NumbersLike | None = None,
    x_label: str = "said",
    y_label: str = "happened",
    colour: str | None = None,
    width: NumberLike = WIDTH,
    height: NumberLike = HEIGHT,
) -> str:
    """An SVG of shares in [0, 1], `happened` against `predicted`, with points as large as the examples they stand for.

    What is not a share, and bins without examples, are left out.

    Example:
        >>> svg = calibration_chart([0.1, 0.9], [0.2, 0.8], title="Calibration", count=[40, 60])
        >>> svg.count("<circle")
        2

    """
    counts = np.ones(len(predicted)) if count is None else numbers(count)
    if not len(predicted) == len(happened) == len(counts):
        raise DataError("a calibration chart needs `predicted`, `happened` and `count` of one length")
    seen = _share(predicted) & _share(happened) & np.isfinite(counts) & (counts > 0)
    if not seen.any():
        return nothing(title, width=width)
    across, up, counts = (column[seen] for column in (numbers(predicted), numbers(happened), counts))
    radii = np.full(len(counts), UNSIZED) if count is None else _radii(counts)

    def body(x: AxisScale, y: AxisScale) -> str:
        left, top, paint = positions(x, across), positions(y, up), colour or palette(0)
        joined = element("path", d=trail(left, top), stroke=paint, stroke_width=1.2, stroke_opacity=0.5)
        tips = [element("title", escape(tip)) for tip in _tips(across, up, None if count is None else counts)]
        points = [element("circle", tip, cx=left[i], cy=top[i], r=radii[i]) for i, tip in enumerate(tips)]
        return _right(x, y) + joined + element("g", *points, fill=paint, fill_opacity=0.85)

    both = AxisScale(low=-ROOM, high=1 + ROOM)
    return plot(body, x=both, y=both, title=title, x_label=x_label, y_label=y_label, width=width, height=height)


def _right(x: AxisScale, y: AxisScale) -> str:
    return segment(position(x, 0), position(y, 0), position(x, 1), position(y, 1), stroke=INK, stroke_opacity=0.5)


def _share(values: NumbersLike) -> np.ndarray:
    return drawable(values) & (numbers(values) >= 0) & (numbers(values) <= 1)


def _radii(counts: np.ndarray) -> np.ndarray:
    return SMALLEST + (LARGEST - SMALLEST) * np.sqrt(counts / counts.max())


def _tips(across: np.ndarray, up: np.ndarray, counts: np.ndarray | None) -> list[str]:
    tips = [f"said {percent(x, 1)}, happened {percent(y, 1)}" for x, y in zip(across, up, strict=True)]
    if counts is None:
        return tips
    return [f"{tip}, {number(int(n))} examples" for tip, n in zip(tips, counts, strict=True)]
