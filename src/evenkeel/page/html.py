"""The bricks of the page. Text is escaped by its type: only what is `Markup` is taken as markup, all else is words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenkeel.svg import MINUS, NumberLike, escape, number

VOID = frozenset({"meta", "br", "hr"})
MOST_ROWS = 14  # of a table shown whole; a longer one folds
FIRST_ROWS = 10  # of a folded table that stay in sight

MOST_DECIMALS, LARGEST_PLAIN = 6, 1e12  # beyond these a column is written in powers of ten


class Markup(str):
    """A string that is HTML already and must not be escaped again."""

    __slots__ = ()


Content = str | Markup


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of a table's column; numbers are set to the right, in figures of one width."""

    text: str
    kind: Literal["text", "number"] = "text"


def tag(name: str, *content: Content, **attributes: str | None) -> Markup:
    """One HTML element; attribute names lose a trailing `_` (for `class_`), and `_` within them is a hyphen."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: Content) -> Markup:
    """Pieces one after the other, the words among them escaped."""
    return Markup("".join(piece if isinstance(piece, Markup) else escape(piece) for piece in content))


def section(anchor: str, title: str, *content: Content) -> Markup:
    """A section of the page under its heading."""
    return tag("section", tag("h2", title), *content, id=anchor)


def paragraph(*content: Content, kind: str | None = None) -> Markup:
    """A paragraph; `kind` is a class of the style sheet."""
    return tag("p", *content, class_=kind)


def figure(drawing: str, caption: Content = "", *, width: Literal["column", "wide"] = "column") -> Markup:
    """A drawing (safe markup) with what to see in it; a wide one may be scrolled sideways on a narrow screen."""
    below = tag("figcaption", caption) if caption else ""
    wide = width == "wide"
    drawn = tag("div", Markup(drawing), class_="scroll") if wide else Markup(drawing)
    return tag("figure", drawn, below, class_="wide" if wide else None)


def beside(*content: Content) -> Markup:
    """Two things side by side where there is room: facts and a drawing, a drawing and what it says."""
    return tag("div", *content, class_="beside")


def plots(*figures: Markup) -> Markup:
    """Figures side by side where there is room, one below the other on a phone."""
    return tag("div", *figures, class_="plots")


def aligned(values: Sequence[NumberLike | None]) -> list[str]:
    """The numbers of one column with the same decimals, chosen so that a middling one shows three digits."""
    known = [abs(float(value)) for value in values if value is not None and np.isfinite(value) and value != 0]
    middle = float(np.median(known)) if known else 1.0
    decimals = max(0, 2 - int(np.floor(np.log10(middle))))
    if decimals > MOST_DECIMALS or middle >= LARGEST_PLAIN:
        return [number(value) for value in values]
    return [_at(value, decimals) for value in values]


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural where there is not one: `1 row`, `12 rows`."""
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")


def _at(value: NumberLike | None, decimals: int) -> str:
    if value is None or not np.isfinite(value):
        return number(value)
    rounded = round(float(value), decimals) + 0.0
    return f"{rounded:,.{decimals}f}".replace("-", MINUS)


def facts(rows: Sequence[tuple[str, Content]]) -> Markup:
    """A list of names and what they stand for; rows without content are left out."""
    pairs = [join(tag("dt", name), tag("dd", content)) for name, content in rows if content]
    return tag("dl", *pairs)


def table(headings: Sequence[Heading], rows: Sequence[Sequence[Content]], *, rest: str = "rows") -> Markup:
    """A table without its empty columns; where it is long, what follows the first rows folds (`rest` names them)."""
    used = [index for index in range(len(headings)) if any(row[index] for row in rows)]
    heads, kept = [headings[index] for index in used], [[row[index] for index in used] for row in rows]
    if len(kept) <= MOST_ROWS:
        return _table(heads, kept)
    more = f"{len(kept) - FIRST_ROWS} more {rest}"
    return join(_table(heads, kept[:FIRST_ROWS]), fold(more, _table(heads, kept[FIRST_ROWS:])))


def fold(summary: str, *content: Content) -> Markup:
    """Something long behind one line that opens it, without a script."""
    return tag("details", tag("summary", summary), *content)


def _table(headings: Sequence[Heading], rows: Sequence[Sequence[Content]]) -> Markup:
    kinds = ["number" if heading.kind == "number" else None for heading in headings]
    head = tag("tr", *[tag("th", h.text, class_=k, scope="col") for h, k in zip(headings, kinds, strict=True)])
    body = [tag("tr", *[tag("td", c, class_=k) for c, k in zip(row, kinds, strict=True)]) for row in rows]
    whole = tag("table", tag("thead", head), tag("tbody", *body))
    return tag("div", whole, class_="scroll")
