"""A chain's links as a table for the terminal: one line a link, parallel paths indented below.

Gains read from the output upwards: each row says what happens to the gradient on its way from the link's output to its
input. A chain of hundreds of links shows its two ends and, in between, what stands out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from evenkeel.chain.link import Branch, Link

MOST_ROWS = 64
"""Longer tables are cut in the middle."""
LONGEST_NAME = 34
MOST_BYPASSES = 4
"""More than that are counted, not listed: a loop over time has one a step."""
_SHORT = {"convolution": "conv", "concatenation": "concatenate"}
CELL = 9
"""Characters of a number column."""


def table(links: Sequence[Link], *, depth: int = 1, width: int = 110) -> str:
    """Links as text, `depth` levels of branches deep, at most `width` characters wide.

    Example:
        >>> import torch
        >>> from evenkeel.chain import trace
        >>> chain = trace(torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, (torch.ones(4, 3), torch.ones(4, 1)))
        >>> print(table(chain.links).splitlines()[0].split()[:4])
        ['link', 'what', 'gain', 'expected']
    """
    rows = [row for link in links for row in _rows(link, 0, depth)]
    names = max([len("link"), *(len(row[0]) for row in rows)])
    names = min(names, LONGEST_NAME)
    kinds = min(max([len("what"), *(len(row[1]) for row in rows)]), 26)
    count = max(1, min(len(COLUMNS), (width - names - kinds - 4) // CELL))
    lines = [_line(("link", "what", *(column.heading for column in COLUMNS[:count])), names, kinds)]
    lines += _shortened([_line(row[: count + 2], names, kinds) for row in rows])
    return "\n".join(lines)


def figure_of(value: float | None) -> str:
    """A number at three digits in as few characters as it takes; a dash where there is none.

    Example:
        >>> figure_of(0.41237), figure_of(3.4e-8), figure_of(None), figure_of(1.0)
        ('0.412', '3.4e-08', '-', '1')
    """
    if value is None:
        return "-"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:.1e}"


def share_of(value: float | None) -> str:
    """A number between -1 and 1 at three decimals: what is smaller does not matter.

    Example:
        >>> share_of(0.98812), share_of(-8.3e-4), share_of(None)
        ('0.988', '-0.001', '-')
    """
    return "-" if value is None else f"{value:.3f}"


def _flat_share(link: Link) -> float | None:
    """The greater of the shares of dead and of saturated units."""
    return max((share for share in (link.saturated, link.dead) if share is not None), default=None)


class Column(NamedTuple):
    """A column of numbers: its heading, the number of a link, and how it is written."""

    heading: str
    number: Callable[[Link], float | None]
    text: Callable[[float | None], str] = figure_of


COLUMNS = (
    Column("gain", lambda link: link.gain),
    Column("expected", lambda link: link.expected_gain),
    Column("ideal", lambda link: link.ideal_gain),
    Column("forward", lambda link: link.forward_rms),
    Column("backward", lambda link: link.backward_rms),
    Column("similar", lambda link: link.similarity, share_of),
    Column("flat", _flat_share),
    Column("weight", lambda link: link.weight_rms),
    Column("w.grad", lambda link: link.gradient_rms),
)


def _rows(link: Link, indent: int, depth: int) -> list[tuple[str, ...]]:
    rows = [_row(link, indent)]
    if indent // 2 < depth:
        bypasses = [branch for branch in link.branches if branch.kind == "bypass"]
        for branch in link.branches:
            if branch.kind != "bypass" or len(bypasses) <= MOST_BYPASSES:
                rows.append(_branch_row(branch, indent + 1))
                rows += [row for inner in branch.links for row in _rows(inner, indent + 2, depth)]
        if len(bypasses) > MOST_BYPASSES:
            rows.append((" " * (indent + 1) + "|", f"by {len(bypasses)} bypasses", *[""] * len(COLUMNS)))
    return rows


def _row(link: Link, indent: int) -> tuple[str, ...]:
    name = link.name if len(link.name) <= LONGEST_NAME - indent else "…" + link.name[indent - LONGEST_NAME + 1 :]
    return (" " * indent + name, _what(link), *(column.text(column.number(link)) for column in COLUMNS))


def _branch_row(branch: Branch, indent: int) -> tuple[str, ...]:
    what = f"by {branch.kind}"
    numbers = (branch.gain, branch.expected_gain, branch.ideal_gain)
    return (" " * indent + "|", what, *(figure_of(number) for number in numbers), *[""] * (len(COLUMNS) - 3))


def _what(link: Link) -> str:
    norm = None if link.norm is None else link.norm.removeprefix("native_").removeprefix("_fused_")
    kind = "" if link.kind == "norm" and norm else _SHORT.get(link.kind, link.kind)
    parts = dict.fromkeys(part for part in (kind, norm, link.activation) if part)
    return " ".join(part.replace("_", " ") for part in parts)


def _line(cells: tuple[str, ...], names: int, kinds: int) -> str:
    name, what, *numbers = cells
    shown = "".join(f"{number:>{CELL}}" for number in numbers)
    return f"{name[:names]:<{names}}  {what[:kinds]:<{kinds}}{shown}".rstrip()


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= MOST_ROWS:
        return lines
    half = MOST_ROWS // 2
    return [*lines[:half], f"... {len(lines) - 2 * half} rows more", *lines[-half:]]
