"""Small self-contained SVG plots as strings: charts to call, and the pieces to build further figures from.

    charts  line_chart scatter_chart bar_chart histogram_chart matrix_chart calibration_chart interval_chart
    frame   plot (axes, grid, legend, title around a body)  picture heading legend Entry Frame x_axis y_axis nothing
    scales  fit_scale stretch position positions ticks drawable numbers
    marks   element words segment trail ribbon colour; the theme's colours INK MUTED SURFACE GOOD NOTE BAD SERIES
    text    escape number percent scientific text_width shorten

A figure of one's own is a body between two scales:

    >>> from evenkeel import svg
    >>> gains = [1.0, 0.4, 0.16, 0.06]
    >>> def body(x, y):
    ...     path = svg.trail(svg.positions(x, range(4)), svg.positions(y, gains))
    ...     return svg.element("path", d=path, stroke=svg.colour(0), stroke_width=2)
    >>> x, y = svg.fit_scale([range(4)], room=0.0), svg.fit_scale([gains], kind="log")
    >>> svg.plot(body, x=x, y=y, title="Gain", x_label="link", y_label="total gain")[:4]
    '<svg'
"""

from evenkeel.svg.axes import Entry, Frame, heading, legend, nothing, picture, plot, x_axis, y_axis
from evenkeel.svg.bar import bar_chart
from evenkeel.svg.calibration import calibration_chart
from evenkeel.svg.histogram import histogram_chart
from evenkeel.svg.interval import interval_chart
from evenkeel.svg.line import Band, Marker, Series, line_chart
from evenkeel.svg.marks import (
    BAD,
    FONT_SIZE,
    GOOD,
    INK,
    MUTED,
    NOTE,
    SERIES,
    SURFACE,
    colour,
    element,
    pixel,
    ribbon,
    segment,
    trail,
    words,
)
from evenkeel.svg.matrix import matrix_chart
from evenkeel.svg.scale import (
    AxisScale,
    NumbersLike,
    ScaleKind,
    drawable,
    fit_scale,
    numbers,
    position,
    positions,
    stretch,
    ticks,
)
from evenkeel.svg.scatter import scatter_chart
from evenkeel.svg.text import MINUS, NumberLike, escape, number, percent, scientific, shorten, text_width
from evenkeel.svg.ticks import Tick, linear_ticks, log_ticks

__all__ = [
    "BAD",
    "FONT_SIZE",
    "GOOD",
    "INK",
    "MINUS",
    "MUTED",
    "NOTE",
    "SERIES",
    "SURFACE",
    "AxisScale",
    "Band",
    "Entry",
    "Frame",
    "Marker",
    "NumberLike",
    "NumbersLike",
    "ScaleKind",
    "Series",
    "Tick",
    "bar_chart",
    "calibration_chart",
    "colour",
    "drawable",
    "element",
    "escape",
    "fit_scale",
    "heading",
    "histogram_chart",
    "interval_chart",
    "legend",
    "line_chart",
    "linear_ticks",
    "log_ticks",
    "matrix_chart",
    "nothing",
    "number",
    "numbers",
    "percent",
    "picture",
    "pixel",
    "plot",
    "position",
    "positions",
    "ribbon",
    "scatter_chart",
    "scientific",
    "segment",
    "shorten",
    "stretch",
    "text_width",
    "ticks",
    "trail",
    "words",
    "x_axis",
    "y_axis",
]
