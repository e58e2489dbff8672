"""Horizontal bars: one row per name with its value written at the end, and an optional spread as a whisker."""

from collections.abc import Sequence

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.axes import EDGE, ROW, WIDTH, heading, nothing, picture
from evenkeel.svg.marks import FONT_SIZE, INK, element, segment, words
from evenkeel.svg.marks import colour as palette
from evenkeel.svg.scale import AxisScale, NumbersLike, fit_scale, numbers, position
from evenkeel.svg.text import NumberLike, number, shorten, text_width

ROW_HEIGHT = 23.0  # pixels
NAME_SHARE = 0.38  # of the width: what long names may take


def bar_chart(
    names: Sequence[str],
    values: NumbersLike,
    *,
    title: str,
    label: str = "",
    spread: NumbersLike | None = None,
    written: Sequence[str] | None = None,
    colour: str | None = None,
    width: NumberLike = WIDTH,
) -> str:
    """An SVG of horizontal bars from zero, in their order; `written` replaces the numbers at their ends.

    A value that is not finite has no bar and its number is a dash. `label` says what the bars measure, with its unit.

    Example:
        >>> svg = bar_chart(["age", "bmi"], [0.5, 3.25], title="Importance", spread=[0.1, 0.4])
        >>> "bmi" in svg and "3.25" in svg
        True

    """
    amounts, spreads = numbers(values), np.zeros(len(names)) if spread is None else numbers(spread)
    if not len(names) == len(amounts) == len(spreads):
        raise DataError(f"bars need a value and a spread per name, got {len(names)}, {len(amounts)}, {len(spreads)}")
    if len(names) == 0:
        return nothing(title, width=width)
    ends = [number(float(amount)) for amount in amounts] if written is None else list(written)
    spreads = np.where(np.isfinite(spreads), spreads, 0.0)
    gutter = min(max(text_width(name, FONT_SIZE) for name in names) + 9, NAME_SHARE * float(width))
    scale = _scale(amounts, spreads, ends, gutter, float(width) - EDGE)
    top = (ROW + 5 if title else 2.0) + (ROW + 3 if label else 0.0)
    bottom, zero = top + len(names) * ROW_HEIGHT, position(scale, 0)
    drawn = heading(title, width) + (words(label, 0, top - 8) if label else "")
    for index, middle in enumerate(top + (np.arange(len(names)) + 0.5) * ROW_HEIGHT):
        amount, error = float(amounts[index]), float(spreads[index])
        drawn += _name(names[index], middle, gutter) + _bar(scale, amount, error, middle, colour)
        drawn += _end(scale, amount, error, middle, ends[index])
    drawn += segment(zero, top, zero, bottom, stroke=INK, stroke_opacity=0.45)
    return picture(drawn, width=width, height=bottom + EDGE, title=title or label)


def _scale(
    amounts: np.ndarray, spreads: np.ndarray, ends: list[str], gutter: NumberLike, right: NumberLike
) -> AxisScale:
    """From zero over all bars and whiskers, with room for the numbers at their ends."""
    room = max(text_width(end, FONT_SIZE) for end in ends) + 10
    start = gutter + (room if (amounts < 0).any() else 4.0)
    return fit_scale([amounts - spreads, amounts + spreads], include=[0], room=0.0, start=start, stop=right - room)


def _name(name: str, middle: NumberLike, gutter: NumberLike) -> str:
    short = shorten(name, FONT_SIZE, gutter - 9)
    return words(short, gutter - 9, middle + 4, anchor="end", fill=INK, hover=name if short != name else "")


def _bar(scale: AxisScale, amount: NumberLike, spread: NumberLike, middle: NumberLike, paint: str | None) -> str:
    if not np.isfinite(amount):
        return ""
    left, right = sorted((position(scale, 0), position(scale, amount)))
    fill = paint or palette(0)
    drawn = element("rect", x=left, y=middle - 7, width=right - left, height=14, rx=1.5, fill=fill, fill_opacity=0.85)
    if spread:
        ends = position(scale, amount - spread), position(scale, amount + spread)
        drawn += segment(ends[0], middle, ends[1], middle, stroke=INK, stroke_width=1.5, stroke_opacity=0.75)
    return drawn


def _end(scale: AxisScale, amount: NumberLike, spread: NumberLike, middle: NumberLike, written: str) -> str:
    if not np.isfinite(amount):
        return words(written, position(scale, 0) + 6, middle + 4)
    beyond = position(scale, amount - spread if amount < 0 else amount + spread)
    if amount < 0:
        return words(written, beyond - 6, middle + 4, anchor="end", fill=INK)
    return words(written, beyond + 6, middle + 4, fill=INK)
