"""The strokes of a plot: SVG elements as strings, with colours that follow the page's light or dark theme.

Every colour is a CSS variable with a fallback: on a page that defines `--ek-ink`, `--ek-series-1` and so on, plots take
its theme; alone (a notebook, a file) text and axes take the surrounding text colour and the series take middle tones
that stand out on white and on black. Attribute values and texts are escaped here, once, for every plot.
"""

from typing import Literal

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.scale import NumbersLike, numbers
from evenkeel.svg.text import NumberLike, escape

INK = "var(--ek-ink, currentColor)"
MUTED = "var(--ek-muted, currentColor)"
SURFACE = "var(--ek-surface, Canvas)"
GOOD = "var(--ek-good, #2f9468)"
NOTE = "var(--ek-note, #b8801f)"
BAD = "var(--ek-bad, #cc5348)"
SERIES = (
    "var(--ek-series-1, #4a7ebf)",
    "var(--ek-series-2, #cf7f2e)",
    "var(--ek-series-3, #2f9a8d)",
    "var(--ek-series-4, #9d69b1)",
    "var(--ek-series-5, #c75b62)",
    "var(--ek-series-6, #858b3a)",
)
FONT = "var(--ek-font, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif)"
FONT_SIZE = 12.0  # pixels, of ticks, labels and legends
TITLE_SIZE = 13.5  # pixels
GRID_OPACITY = 0.13
MUTED_OPACITY = 0.72

Anchor = Literal["start", "middle", "end"]


def colour(index: int) -> str:
    """The colour of series `index`, counted from 0; the palette begins again after its six colours.

    Example:
        >>> colour(0) == colour(6) != colour(1)
        True

    """
    return SERIES[index % len(SERIES)]


def element(tag: str, *content: str, **attributes: str | NumberLike | None) -> str:
    """One SVG element; `content` is markup already, attribute values are escaped and `_` in their names is a hyphen.

    Attributes that are `None` are left out. A number that is not finite is an error: it would break the picture.

    Example:
        >>> element("circle", cx=1.25, cy=2, r=3, fill_opacity=0.5)
        '<circle cx="1.25" cy="2" r="3" fill-opacity="0.5"/>'

    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(name, value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(content)
    return f"<{tag}{written}>{inside}</{tag}>" if inside else f"<{tag}{written}/>"


def _attribute(name: str, value: str | NumberLike) -> str:
    return escape(value) if isinstance(value, str) else pixel(value, name)


def pixel(value: NumberLike, name: str = "a position") -> str:
    """A length in pixels at two decimals, without trailing zeros; an error where it is not finite.

    Example:
        >>> pixel(12.5), pixel(-0.001)
        ('12.5', '0')

    """
    if not np.isfinite(value):
        raise DataError(f"{name} must be a finite number, got {value}; leave out points that cannot be drawn")
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def words(
    content: str,
    x: NumberLike,
    y: NumberLike,
    *,
    anchor: Anchor = "start",
    fill: str = MUTED,
    size: NumberLike = FONT_SIZE,
    weight: NumberLike | None = None,
    turn: NumberLike = 0,
    opacity: NumberLike | None = None,
    hover: str = "",
) -> str:
    """A text at a position (its base line), turned by `turn` degrees; `hover` is what a pointer resting on it shows.

    Example:
        >>> words("a < b", 10, 20)
        '<text x="10" y="20" fill="var(--ek-muted, currentColor)">a &lt; b</text>'

    """
    tip = element("title", escape(hover)) if hover else ""
    return element(
        "text",
        tip + escape(content),
        x=x,
        y=y,
        text_anchor=None if anchor == "start" else anchor,
        fill=fill,
        font_size=None if size == FONT_SIZE else size,
        font_weight=weight,
        opacity=opacity,
        transform=f"rotate({pixel(turn)} {pixel(x)} {pixel(y)})" if turn else None,
    )


def segment(
    x1: NumberLike, y1: NumberLike, x2: NumberLike, y2: NumberLike, **attributes: str | NumberLike | None
) -> str:
    """A straight line between two points.

    Example:
        >>> segment(0, 0, 10, 0, stroke="red")
        '<line x1="0" y1="0" x2="10" y2="0" stroke="red"/>'

    """
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def trail(x: NumbersLike, y: NumbersLike) -> str:
    """The `d` of a path through points in pixels; it is interrupted where a point is not finite.

    A point alone between two gaps is drawn as a dot (round line ends make it visible).

    Example:
        >>> trail([0, 1, 2, 3], [5, float("nan"), 6, 7])
        'M0 5h0M2 6L3 7'

    """
    across, down = numbers(x), numbers(y)
    seen = np.isfinite(across) & np.isfinite(down)
    pieces: list[str] = []
    for index in np.flatnonzero(seen):
        joined = index > 0 and seen[index - 1]
        alone = not joined and not (index + 1 < len(seen) and seen[index + 1])
        pieces.append(f"{'L' if joined else 'M'}{pixel(across[index])} {pixel(down[index])}{'h0' if alone else ''}")
    return "".join(pieces)


def ribbon(x: NumbersLike, low: NumbersLike, high: NumbersLike) -> str:
    """The `d` of the area between two lines over the same points in pixels; gaps split it.

    Example:
        >>> ribbon([0, 1], [4, 5], [1, 2])
        'M0 4L1 5L1 2L0 1Z'

    """
    across, lower, upper = numbers(x), numbers(low), numbers(high)
    seen = np.isfinite(across) & np.isfinite(lower) & np.isfinite(upper)
    runs = np.split(np.arange(len(seen)), np.flatnonzero(np.diff(seen.astype(int))) + 1)
    whole = [run for run in runs if run.size > 1 and seen[run[0]]]
    return "".join(
        trail(np.r_[across[run], across[run][::-1]], np.r_[lower[run], upper[run][::-1]]) + "Z" for run in whole
    )
