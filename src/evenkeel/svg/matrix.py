"""Heat-map of counts, above all the confusion matrix: a row per true class, a column per predicted class.

The shade of a cell is the square root of its share of its row, so that rare errors show. On the diagonal (right) it is
blue, off it (wrong) amber. Counts are written where the cells are large enough; resting the pointer on a cell names
it. As many names are written as have room: all of about 25 classes, beyond that every second, third, ... one.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from evenkeel.errors import DataError
from evenkeel.svg.axes import EDGE, ROW, WIDTH, heading, nothing, picture
from evenkeel.svg.marks import FONT_SIZE, GRID_OPACITY, INK, colour, element, words
from evenkeel.svg.text import NumberLike, escape, number, percent, shorten, text_width

LARGEST_CELL = 72.0  # pixels
LONGEST_NAME = 104.0  # pixels
SLOPE = 0.71  # of a name's length, upwards and to the right, where names stand at 45 degrees
SMALLEST_WRITTEN = 17.0  # pixels, of a cell that still has its count written in it
PALEST, DEEPEST = 0.08, 0.72  # opacity at shares 0 and 1; even the deepest leaves dark and light ink legible
PALEST_TINY = 0.35  # the same of cells that are too small to be written in
LARGEST_COUNT = 1e15  # sums of larger ones would lose whole numbers
Emphasis = Literal["diagonal", "none"]


def matrix_chart(
    counts: np.ndarray,
    names: Sequence[str],
    *,
    title: str,
    row_label: str = "true class",
    column_label: str = "predicted class",
    emphasis: Emphasis = "diagonal",
    width: NumberLike = WIDTH,
) -> str:
    """An SVG of a square matrix of counts, `counts[row, column]`, with the same names along both sides.

    Example:
        >>> svg = matrix_chart(np.array([[8, 2], [1, 9]]), ["no", "yes"], title="Confusion")
        >>> "80" in svg and ">9<" in svg
        True

    """
    table = np.clip(np.nan_to_num(np.asarray(counts, dtype=np.float64), posinf=0.0), 0.0, LARGEST_COUNT)
    if table.shape != (len(names), len(names)):
        raise DataError(f"a matrix of {len(names)} names must have shape {(len(names),) * 2}, got {table.shape}")
    if len(names) == 0:
        return nothing(title, width=width)
    longest = min(max(text_width(name, FONT_SIZE) for name in names), LONGEST_NAME)
    gutter, cell = longest + 9, min(LARGEST_CELL, (float(width) - longest - 9 - EDGE) / len(names))
    horizontal = longest <= cell - 4
    if not horizontal:
        cell = min(cell, (float(width) - gutter - SLOPE * longest) / len(names))
    head = (ROW + 8 if title else 2.0) + ROW + 2
    top = head + (ROW if horizontal else SLOPE * longest + 14)
    drawn = heading(title, width) + words(f"{row_label} ↓   {column_label} →", 0, head - 8)
    drawn += _names(names, cell, gutter, top, horizontal) + _cells(table, names, cell, (gutter, top), emphasis)
    side = cell * len(names)
    drawn += element("rect", x=gutter, y=top, width=side, height=side, stroke=INK, stroke_opacity=2 * GRID_OPACITY)
    return picture(drawn, width=width, height=top + side + EDGE, title=title)


def _names(names: Sequence[str], cell: NumberLike, left: NumberLike, top: NumberLike, horizontal: bool) -> str:
    drawn = ""
    for index, name in enumerate(names):
        middle, short = (index + 0.5) * cell, shorten(name, FONT_SIZE, LONGEST_NAME)
        hover = name if short != name else ""
        if index % _every(cell, FONT_SIZE + 1.5) == 0:
            drawn += words(short, left - 8, top + middle + 4, anchor="end", fill=INK, hover=hover)
        if horizontal:
            drawn += words(short, left + middle, top - 6, anchor="middle", fill=INK)
        elif index % _every(cell, FONT_SIZE * 1.5) == 0:
            drawn += words(short, left + middle + 3, top - 6, fill=INK, turn=-45, hover=hover)
    return drawn


def _every(cell: NumberLike, needed: NumberLike) -> int:
    """Every how manyth name has room, where one name needs so many pixels."""
    return max(1, int(np.ceil(needed / cell)))


def _cells(
    table: np.ndarray, names: Sequence[str], cell: NumberLike, corner: tuple[NumberLike, NumberLike], emphasis: Emphasis
) -> str:
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    gap = 1.0 if cell > 12 else 0.0
    palest = PALEST if cell >= SMALLEST_WRITTEN else PALEST_TINY
    boxes, counts = "", ""
    for row, column in np.argwhere(table > 0):
        share, count = float(shares[row, column]), number(int(table[row, column]))
        tip = f"{names[row]} → {names[column]}: {count} ({percent(share, 1)} of its row)"
        x, y = corner[0] + column * cell, corner[1] + row * cell
        boxes += element(
            "rect",
            element("title", escape(tip)),
            x=x + gap,
            y=y + gap,
            width=cell - 2 * gap,
            height=cell - 2 * gap,
            fill=colour(1) if emphasis == "diagonal" and row != column else colour(0),
            fill_opacity=palest + (DEEPEST - palest) * np.sqrt(share),
        )
        if cell >= max(SMALLEST_WRITTEN, text_width(count, FONT_SIZE) + 3):
            counts += words(count, x + cell / 2, y + cell / 2 + 4, anchor="middle", fill=INK)
    return boxes + element("g", counts, pointer_events="none")
