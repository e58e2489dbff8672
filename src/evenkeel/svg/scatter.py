"""Scatter chart: one point per row, with an optional line to read it against (the diagonal, or zero).

More points than `most` are thinned by a fixed random draw, and the chart says so.
"""

from typing import Literal

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.axes import HEIGHT, WIDTH, nothing, plot
from evenkeel.svg.marks import INK, element, pixel, segment, words
from evenkeel.svg.marks import colour as palette
from evenkeel.svg.scale import AxisScale, NumbersLike, drawable, fit_scale, numbers, position, positions
from evenkeel.svg.text import NumberLike, number

MOST_POINTS = 1500  # keeps a chart near 50 KB; more points hide one another
RADIUS = 2.6  # pixels
ReferenceLine = Literal["diagonal", "zero", "none"]


def scatter_chart(
    x: NumbersLike,
    y: NumbersLike,
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    reference: ReferenceLine = "none",
    colour: str | None = None,
    width: NumberLike = WIDTH,
    height: NumberLike = HEIGHT,
    most: int = MOST_POINTS,
) -> str:
    """An SVG of points (x, y); points that are not finite are left out.

    Example:
        >>> svg = scatter_chart([1, 2, 3], [1.1, 1.9, 3.2], title="Truth and prediction", reference="diagonal")
        >>> svg.count("<circle")
        3

    """
    if len(x) != len(y):
        raise DataError(f"a scatter chart needs as many x as y, got {len(x)} and {len(y)}")
    seen = np.flatnonzero(drawable(x) & drawable(y))
    if seen.size == 0:
        return nothing(title, width=width)
    kept = sample(seen, most)
    across, up = numbers(x)[seen], numbers(y)[seen]
    x_scale, y_scale = _scales(across, up, reference)
    note = f"{number(len(kept))} of {number(seen.size)} points" if len(kept) < seen.size else ""

    def body(right: AxisScale, up: AxisScale) -> str:
        points = _points(positions(right, numbers(x)[kept]), positions(up, numbers(y)[kept]), colour or palette(0))
        label = words(note, right.stop, up.stop - 15, anchor="end") if note else ""
        return _reference(reference, right, up) + points + label

    return plot(body, x=x_scale, y=y_scale, title=title, x_label=x_label, y_label=y_label, width=width, height=height)


def _scales(across: np.ndarray, up: np.ndarray, reference: ReferenceLine) -> tuple[AxisScale, AxisScale]:
    if reference == "diagonal":
        return fit_scale([across, up]), fit_scale([across, up])
    return fit_scale([across]), fit_scale([up], include=[0] if reference == "zero" else [])


def _points(across: np.ndarray, down: np.ndarray, paint: str) -> str:
    places = zip(across, down, strict=True)
    points = [f'<circle cx="{pixel(left)}" cy="{pixel(top)}" r="{RADIUS}"/>' for left, top in places]
    return element("g", *points, fill=paint, fill_opacity=0.5)


def _reference(reference: ReferenceLine, x: AxisScale, y: AxisScale) -> str:
    if reference == "none":
        return ""
    left, right = (0.0, 0.0) if reference == "zero" else (x.low, x.high)
    ends = position(y, left), position(y, right)
    return segment(x.start, ends[0], x.stop, ends[1], stroke=INK, stroke_opacity=0.5, stroke_dasharray="5 4")


def sample(indices: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the indices in their order, drawn at random but always the same way.

    Example:
        >>> len(sample(np.arange(5000), 100))
        100

    """
    if len(indices) <= most:
        return indices
    return np.sort(np.random.default_rng(0).choice(indices, size=most, replace=False))
