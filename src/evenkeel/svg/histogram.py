"""Histogram: how many values fall into each of some equally wide bins."""

import numpy as np

from evenkeel.svg.axes import HEIGHT, WIDTH, Entry, nothing, plot
from evenkeel.svg.marks import INK, element, segment
from evenkeel.svg.marks import colour as palette
from evenkeel.svg.scale import AxisScale, NumbersLike, drawable, fit_scale, numbers, position, positions
from evenkeel.svg.text import NumberLike

FEWEST_BINS, MOST_BINS = 5, 40
MOST_WHOLE = 30  # whole numbers within so small a range get a bin each, centred on the number


def histogram_chart(
    values: NumbersLike,
    *,
    title: str,
    x_label: str = "",
    y_label: str = "rows",
    bins: int | None = None,
    limits: tuple[NumberLike, NumberLike] | None = None,
    expected: NumberLike | None = None,
    expected_label: str = "expected",
    colour: str | None = None,
    width: NumberLike = WIDTH,
    height: NumberLike = HEIGHT,
) -> str:
    """An SVG histogram of the finite values; `expected` draws a dashed level to compare the bins with.

    Example:
        >>> svg = histogram_chart([1.0, 2.0, 2.1, 4.0], title="Prices", x_label="price (USD)", bins=3)
        >>> svg.count("<rect")
        3

    """
    known = numbers(values)[drawable(values)]
    if known.size == 0:
        return nothing(title, width=width)
    edges = bin_edges(known, bins=bins, limits=limits)
    counts = np.histogram(known, edges)[0]
    key = [] if expected is None else [Entry(name=expected_label, colour=INK, shape="dashed")]

    def body(x: AxisScale, y: AxisScale) -> str:
        bars = _bars(positions(x, edges), positions(y, counts), position(y, 0), colour or palette(0))
        if expected is None:
            return bars
        at = position(y, expected)
        return bars + segment(x.start, at, x.stop, at, stroke=INK, stroke_opacity=0.8, stroke_dasharray="4 3")

    x, y = fit_scale([edges], room=0.0), fit_scale([counts, [expected]], include=[0])
    return plot(body, x=x, y=y, title=title, x_label=x_label, y_label=y_label, entries=key, width=width, height=height)


def _bars(edges: np.ndarray, tops: np.ndarray, base: NumberLike, paint: str) -> str:
    gap = 0.5 if edges[1] - edges[0] > 3 else 0.0
    bars = [
        element("rect", x=left + gap, y=top, width=max(right - left - 2 * gap, 0.1), height=base - top)
        for left, right, top in zip(edges[:-1], edges[1:], tops, strict=True)
    ]
    return element("g", *bars, fill=paint, fill_opacity=0.8)


def bin_edges(
    known: np.ndarray, *, bins: int | None = None, limits: tuple[NumberLike, NumberLike] | None = None
) -> np.ndarray:
    """The edges of the bins: `bins` of them, or one per whole number, or about 2·n^(1/3) (Rice), from 5 to 40.

    Example:
        >>> bin_edges(np.array([0.0, 1.0, 1.0, 3.0]))
        array([-0.5,  0.5,  1.5,  2.5,  3.5])

    """
    low, high = (float(known.min()), float(known.max())) if limits is None else limits
    whole = bool((known == np.round(known)).all()) and 0 < high - low <= MOST_WHOLE
    if bins is None and limits is None and whole:
        return np.arange(low - 0.5, high + 1.0)
    scale = fit_scale([[low, high]], room=0.0)
    several = int(np.clip(np.ceil(2 * known.size ** (1 / 3)), FEWEST_BINS, MOST_BINS))
    return np.linspace(scale.low, scale.high, (bins or several) + 1)
