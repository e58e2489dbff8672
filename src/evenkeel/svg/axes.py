"""The frame of a plot: title, legend, axes and grid around a body that draws itself between two scales.

`plot` is all that most charts need: it measures the labels, leaves room for them, lays the scales along the free
rectangle and calls `body(x, y)` with them. `picture` is the outermost element of every chart, also of those without
axes. A plot is as wide as its column, at most its own width; it has no script, no style sheet and no address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from evenkeel.svg.marks import (
    FONT,
    FONT_SIZE,
    GRID_OPACITY,
    INK,
    MUTED_OPACITY,
    TITLE_SIZE,
    element,
    segment,
    words,
)
from evenkeel.svg.scale import AxisScale, position, stretch, ticks
from evenkeel.svg.text import NumberLike, escape, shorten, text_width
from evenkeel.svg.ticks import Tick

WIDTH, HEIGHT = 420.0, 280.0  # pixels: two side by side on a desk, and still legible when shrunk to a phone
EDGE = 6.0  # pixels, free at the left, right and bottom
ROW = 17.0  # pixels, height of a line of title or legend
SWATCH = 16.0  # pixels, width of the sample stroke in a legend
MOST_Y_TICKS = 6
PIXELS_PER_X_TICK = 62.0

Shape = Literal["line", "dashed", "area", "dot"]
DrawBody = Callable[[AxisScale, AxisScale], str]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a legend: what it is called, its colour, and the kind of stroke that stands for it."""

    name: str
    colour: str
    shape: Shape = "line"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The free rectangle of a plot in pixels; `top` is less than `bottom`, as SVG counts downwards."""

    left: NumberLike
    right: NumberLike
    top: NumberLike
    bottom: NumberLike


def picture(body: str, *, width: NumberLike, height: NumberLike, title: str, description: str = "") -> str:
    """A whole inline SVG around its body; `title` and `description` are read out and shown on resting the pointer.

    Example:
        >>> picture("", width=100, height=50, title="nothing")[:33]
        '<svg xmlns="http://www.w3.org/200'

    """
    labels = element("title", escape(title) or "plot") + (element("desc", escape(description)) if description else "")
    return element(
        "svg",
        labels + body,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        style="max-width:100%;height:auto",
        font_family=FONT,
        font_size=FONT_SIZE,
        fill="none",
    )


def heading(title: str, width: NumberLike) -> str:
    """The title of a plot on its first line, cut to the width.

    Example:
        >>> "loss" in heading("loss", 300)
        True

    """
    if not title:
        return ""
    return words(shorten(title, TITLE_SIZE, float(width)), 0, 13, fill=INK, size=TITLE_SIZE, weight=600)


def legend(entries: Sequence[Entry], *, left: NumberLike, top: NumberLike, right: NumberLike) -> tuple[str, float]:
    """The lines of a legend between `left` and `right`, wrapped; and the height in pixels that they take.

    Example:
        >>> legend([Entry(name="training", colour="red")], left=0, top=0, right=300)[1]
        17.0

    """
    drawn, x, y = "", float(left), float(top)
    for entry in entries:
        name = shorten(entry.name, FONT_SIZE, float(right) - float(left) - SWATCH - 6)
        needed = SWATCH + 5 + text_width(name, FONT_SIZE) + 16
        if x > left and x + needed - 16 > right:
            x, y = float(left), y + ROW
        drawn += _swatch(entry, x, y + ROW / 2) + words(name, x + SWATCH + 5, y + ROW / 2 + 4)
        x += needed
    return drawn, (y - float(top) + ROW if entries else 0.0)


def _swatch(entry: Entry, x: NumberLike, y: NumberLike) -> str:
    if entry.shape == "area":
        return element("rect", x=x, y=y - 4.5, width=SWATCH, height=9, rx=2, fill=entry.colour, fill_opacity=0.25)
    if entry.shape == "dot":
        return element("circle", cx=x + SWATCH / 2, cy=y, r=3.5, fill=entry.colour)
    dashes = "4 3" if entry.shape == "dashed" else None
    return segment(x, y, x + SWATCH, y, stroke=entry.colour, stroke_width=2, stroke_dasharray=dashes)


def x_axis(frame: Frame, scale: AxisScale, marks: Sequence[Tick], label: str) -> str:
    """The horizontal axis under a frame: base line, tick marks, numbers, and its label at the right end.

    Example:
        >>> frame = Frame(left=0, right=100, top=0, bottom=50)
        >>> "update" in x_axis(frame, AxisScale(low=0, high=1, stop=100), [], "update")
        True

    """
    drawn = segment(frame.left, frame.bottom, frame.right, frame.bottom, stroke=INK, stroke_opacity=0.45)
    for tick in marks:
        x = position(scale, tick.value)
        half = text_width(tick.label, FONT_SIZE) / 2
        drawn += segment(x, frame.bottom, x, frame.bottom + 4, stroke=INK, stroke_opacity=0.45)
        drawn += words(tick.label, min(x, frame.right + EDGE - half), frame.bottom + 16, anchor="middle")
    cut = shorten(label, FONT_SIZE, frame.right - frame.left)
    return drawn + (words(cut, frame.right, frame.bottom + 33, anchor="end") if label else "")


def y_axis(frame: Frame, scale: AxisScale, marks: Sequence[Tick], label: str) -> str:
    """The vertical axis: grid lines across the frame, numbers at its left, and its label above the frame.

    Example:
        >>> "loss" in y_axis(Frame(left=30, right=100, top=20, bottom=50), AxisScale(low=0, high=1), [], "loss")
        True

    """
    drawn = ""
    for tick in marks:
        y = position(scale, tick.value)
        drawn += segment(frame.left, y, frame.right, y, stroke=INK, stroke_opacity=GRID_OPACITY)
        drawn += words(tick.label, frame.left - 7, y + 4, anchor="end")
    return drawn + (words(shorten(label, FONT_SIZE, frame.right), 0, frame.top - 15) if label else "")


def plot(
    body: DrawBody,
    *,
    x: AxisScale,
    y: AxisScale,
    title: str,
    x_label: str = "",
    y_label: str = "",
    entries: Sequence[Entry] = (),
    width: NumberLike = WIDTH,
    height: NumberLike = HEIGHT,
    description: str = "",
    x_ticks: Sequence[Tick] | None = None,
) -> str:
    """A chart with two axes: `body` is called with the scales in pixels and returns what to draw between them.

    Labels carry their units, as in `"price (USD)"`. `x_ticks` replaces the numbers along the horizontal axis, where
    it stands for places rather than amounts.

    Example:
        >>> from evenkeel.svg.marks import element
        >>> from evenkeel.svg.scale import fit_scale, position
        >>> dot = lambda x, y: element("circle", cx=position(x, 2), cy=position(y, 3), r=4)
        >>> plot(dot, x=fit_scale([[0, 4]]), y=fit_scale([[0, 5]]), title="one dot").count("circle")
        1

    """
    y_marks = ticks(y, MOST_Y_TICKS)
    gutter = max((text_width(tick.label, FONT_SIZE) for tick in y_marks), default=0.0) + 11
    top = ROW + 5 if title else 2.0
    key, key_height = legend(entries, left=0, top=top, right=float(width) - EDGE)
    top += key_height + (ROW + 14 if y_label else 8.0)
    bottom = float(height) - (40.0 if x_label else 24.0)
    frame = Frame(left=gutter, right=float(width) - EDGE, top=top, bottom=bottom)
    x, y = stretch(x, frame.left, frame.right), stretch(y, frame.bottom, frame.top)
    most = max(2, int((frame.right - frame.left) / PIXELS_PER_X_TICK))
    drawn = heading(title, width) + key
    drawn += y_axis(frame, y, y_marks, y_label)
    drawn += x_axis(frame, x, ticks(x, most) if x_ticks is None else x_ticks, x_label)
    return picture(drawn + body(x, y), width=width, height=height, title=title, description=description)


def nothing(title: str, *, width: NumberLike = WIDTH, height: NumberLike = 96.0, text: str = "nothing to show") -> str:
    """The plot of no data: its title and a quiet sentence, so that an empty place explains itself.

    Example:
        >>> "nothing to show" in nothing("loss")
        True

    """
    quiet = words(text, 0, ROW + 22, opacity=MUTED_OPACITY)
    return picture(heading(title, width) + quiet, width=width, height=height, title=title)
