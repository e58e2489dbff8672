"""Line chart: several series over one axis, optionally with a band between two lines and vertical markers.

Long series are thinned to what the eye can tell apart: of each stretch of points the least and the greatest are kept,
so that a spike of one update in a million still shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.axes import HEIGHT, WIDTH, Entry, nothing, plot
from evenkeel.svg.marks import FONT_SIZE, INK, colour, element, ribbon, segment, trail, words
from evenkeel.svg.scale import AxisScale, NumbersLike, ScaleKind, drawable, fit_scale, numbers, position, positions
from evenkeel.svg.text import NumberLike, text_width

MOST_POINTS = 800  # of one series: about two for each pixel of a chart's width
LONE = 6.0  # pixels, the dot that stands for a line of a single point

Stroke = Literal["solid", "dashed", "faint"]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line: its name in the legend (empty: none) and as many values `y` as places `x`.

    `stroke="faint"` is for noisy lines that others are read against; a colour of `None` is the palette's next.
    """

    name: str
    x: NumbersLike
    y: NumbersLike
    stroke: Stroke = "solid"
    colour: str | None = None

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise DataError(f"series {self.name!r} needs as many x as y, got {len(self.x)} and {len(self.y)}")


@dataclass(frozen=True, kw_only=True)
class Band:
    """The area between two lines over the same places, such as what theory expects or an interval."""

    name: str
    x: NumbersLike
    low: NumbersLike
    high: NumbersLike
    colour: str | None = None

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.low) == len(self.high):
            sizes = f"{len(self.x)}, {len(self.low)} and {len(self.high)}"
            raise DataError(f"band {self.name!r} needs x, low and high of one length, got {sizes}")


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A vertical line at a place of the horizontal axis, with a short word at its top."""

    x: NumberLike
    label: str


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    y_kind: ScaleKind = "linear",
    band: Band | None = None,
    markers: Sequence[Marker] = (),
    include: Sequence[NumberLike] = (),
    width: NumberLike = WIDTH,
    height: NumberLike = HEIGHT,
    most: int = MOST_POINTS,
) -> str:
    """An SVG of the series as lines; values that cannot be drawn (NaN, infinite, not positive on a log axis) are gaps.

    Example:
        >>> falling = Series(name="training", x=[0, 10, 20], y=[1.0, 0.1, 0.01])
        >>> svg = line_chart([falling], title="Loss", x_label="update", y_label="loss", y_kind="log")
        >>> svg.startswith("<svg") and "training" in svg
        True

    """
    values = [*(one.y for one in series), *([] if band is None else [band.low, band.high])]
    if not any(drawable(group, y_kind).any() for group in values):
        return nothing(title, width=width)
    across = [*(one.x for one in series), *([] if band is None else [band.x]), [marker.x for marker in markers]]
    shown = [one.colour or colour(index) for index, one in enumerate(series)]

    def body(x: AxisScale, y: AxisScale) -> str:
        area = "" if band is None else _area(band, x, y)
        lines = [_line(one, paint, x, y, most) for one, paint in zip(series, shown, strict=True)]
        return area + "".join(lines) + "".join(_marker(marker, x, y) for marker in markers)

    right, up = fit_scale(across, room=0.0), fit_scale(values, kind=y_kind, include=include)
    key = _entries(series, shown, band)
    return plot(
        body, x=right, y=up, title=title, x_label=x_label, y_label=y_label, entries=key, width=width, height=height
    )


def _entries(series: Sequence[Series], shown: Sequence[str], band: Band | None) -> list[Entry]:
    entries = [
        Entry(name=one.name, colour=paint, shape="dashed" if one.stroke == "dashed" else "line")
        for one, paint in zip(series, shown, strict=True)
        if one.name
    ]
    if band is not None and band.name:
        entries.append(Entry(name=band.name, colour=band.colour or INK, shape="area"))
    return entries


def _line(series: Series, paint: str, x: AxisScale, y: AxisScale, most: int) -> str:
    kept = thin(series.y, most)
    path = trail(positions(x, numbers(series.x)[kept]), positions(y, numbers(series.y)[kept]))
    if (drawable(series.x, x.kind) & drawable(series.y, y.kind)).sum() == 1:
        return element("path", d=path, stroke=paint, stroke_width=LONE, stroke_linecap="round")
    return element(
        "path",
        d=path,
        stroke=paint,
        stroke_width=1.2 if series.stroke == "faint" else 2,
        stroke_opacity=0.55 if series.stroke == "faint" else None,
        stroke_dasharray="5 4" if series.stroke == "dashed" else None,
        stroke_linejoin="round",
        stroke_linecap="butt" if series.stroke == "dashed" else "round",
    )


def _area(band: Band, x: AxisScale, y: AxisScale) -> str:
    path = ribbon(positions(x, band.x), positions(y, band.low), positions(y, band.high))
    return element("path", d=path, fill=band.colour or INK, fill_opacity=0.12 if band.colour is None else 0.2)


def _marker(marker: Marker, x: AxisScale, y: AxisScale) -> str:
    if not drawable([marker.x], x.kind).all():
        return ""
    at = position(x, marker.x)
    fits = at + 5 + text_width(marker.label, FONT_SIZE) <= max(x.start, x.stop)
    stroke = segment(at, y.start, at, y.stop, stroke=INK, stroke_opacity=0.6, stroke_dasharray="2 3")
    return stroke + words(marker.label, at + (5 if fits else -5), y.stop + 9, anchor="start" if fits else "end")


def thin(values: NumbersLike, most: int) -> np.ndarray:
    """The indices of at most about `most` values that keep the picture: both ends of every stretch, and its gaps.

    Example:
        >>> spike = [0.0] * 500 + [9.0] + [0.0] * 500
        >>> kept = thin(spike, 100)
        >>> len(kept) <= 104 and 500 in kept
        True

    """
    flat = numbers(values)
    if len(flat) <= most:
        return np.arange(len(flat))
    seen = np.isfinite(flat)
    kept = {0, len(flat) - 1}
    for stretch_ in np.array_split(np.arange(len(flat)), max(1, most // 2)):
        known = stretch_[seen[stretch_]]
        if known.size:
            kept |= {int(known[flat[known].argmin()]), int(known[flat[known].argmax()])}
        else:
            kept.add(int(stretch_[0]))
    return np.array(sorted(kept))
