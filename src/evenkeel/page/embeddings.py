"""The section with a map of embeddings: test rows in the plane along which they vary most.

    x = (z - mean) V,   V the two first principal directions of all points          Source: Pearson 1901
    share = variance in the plane / variance of all

Pairs are joined by a line, short where both sides lie near each other; groups have a colour each, the largest first.
A plane shows a part of what many units hold: points that coincide here may be far apart, those far apart are so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenkeel.errors import ShapeError
from evenkeel.page.sections import Section
from evenkeel.svg import MUTED, SERIES, AxisScale, Entry, colour, element, fit_scale, percent, pixel, plot, positions

MOST_POINTS = 800  # of rows; more hide one another
RADIUS = 2.6  # pixels
WIDE, HIGH = 620.0, 420.0  # pixels


def embedding_section(
    points: np.ndarray, groups: Sequence[object] | None = None, *, sides: tuple[str, str] = ("left", "right")
) -> Section | None:
    """A map of points (row, unit), coloured by group, or of pairs (row, 2, unit), joined by lines; None of too few.

    Args:
        points: embeddings; rows that are not finite are left out.
        groups: the name of each row's group.
        sides: what the two sides of a pair are called.

    Raises:
        ShapeError: other axes, or another number of groups than of rows.

    Example:
        >>> section = embedding_section(np.eye(4), ["a", "a", "b", "b"])
        >>> section.title, section.svg.count("<circle")
        ('Map of the embeddings', 6)
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim not in (2, 3) or (points.ndim == 3 and points.shape[1] != 2):
        raise ShapeError(f"embeddings must be (row, unit), or (row, 2, unit) of pairs, got {points.shape}")
    if groups is not None and len(groups) != len(points):
        raise ShapeError(f"expected one group a row, got {len(groups)} for {len(points)} rows")
    kept = np.flatnonzero(np.isfinite(points.reshape(len(points), -1)).all(axis=1))
    if len(kept) < 3:
        return None
    if len(kept) > MOST_POINTS:
        kept = np.sort(np.random.default_rng(0).choice(kept, MOST_POINTS, replace=False))
    flat, share = plane(points[kept].reshape(-1, points.shape[-1]))
    shown = f"{len(kept)} of {len(points)} test rows" if len(kept) < len(points) else f"{len(points)} test rows"
    caption = f"{shown} in the plane of largest variance, which holds {percent(share)} of it."
    if points.ndim == 3:
        return _of_pairs(flat.reshape(-1, 2, 2), sides, caption)
    return _of_groups(flat, None if groups is None else [str(groups[row]) for row in kept.tolist()], caption)


def plane(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Points (row, unit) along their two principal directions, (row, 2), and the share of variance in these.

    Example:
        >>> flat, share = plane(np.array([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]]))
        >>> np.abs(flat).round(6).tolist(), round(share, 6)
        ([[3.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 1.0]], 1.0)
    """
    centred = points - points.mean(axis=0)
    _, size, directions = np.linalg.svd(centred, full_matrices=False)
    # The sign of a direction is arbitrary: the largest part of each is made positive, so that a page stays the same.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    flat = centred @ (directions * signs[:, None])[:2].T
    flat = np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))
    total = float((size**2).sum())
    return flat, float((size[:2] ** 2).sum()) / total if total else 1.0


def _of_pairs(ends: np.ndarray, sides: tuple[str, str], caption: str) -> Section:
    def body(x: AxisScale, y: AxisScale) -> str:
        across, down = positions(x, ends[:, :, 0].ravel()), positions(y, ends[:, :, 1].ravel())
        across, down = across.reshape(-1, 2), down.reshape(-1, 2)
        paths = "".join(
            f"M{pixel(a[0])} {pixel(d[0])}L{pixel(a[1])} {pixel(d[1])}" for a, d in zip(across, down, strict=True)
        )
        lines = element("path", d=paths, stroke=MUTED, stroke_opacity=0.35)
        return lines + "".join(_dots(across[:, side], down[:, side], colour(side)) for side in (0, 1))

    entries = [Entry(name=name, colour=colour(place), shape="dot") for place, name in enumerate(sides)]
    return _section(ends.reshape(-1, 2), body, entries, f"{caption} Each line joins a pair.")


def _of_groups(flat: np.ndarray, groups: list[str] | None, caption: str) -> Section:
    names, place = np.unique(groups or [""] * len(flat), return_inverse=True)
    largest = np.argsort(-np.bincount(place), kind="stable")
    own = {int(name): number for number, name in enumerate(largest[: len(SERIES)])}
    paints = [colour(own[int(each)]) if int(each) in own else MUTED for each in place]

    def body(x: AxisScale, y: AxisScale) -> str:
        across, down = positions(x, flat[:, 0]), positions(y, flat[:, 1])
        paint = np.array(paints)
        # Those without a colour of their own lie below.
        order = [MUTED, *sorted(set(paints) - {MUTED})]
        return "".join(_dots(across[paint == one], down[paint == one], one) for one in order)

    entries = [Entry(name=str(names[name]), colour=colour(number), shape="dot") for name, number in own.items()]
    if len(names) > len(own):
        entries.append(Entry(name=f"{len(names) - len(own)} others", colour=MUTED, shape="dot"))
    return _section(flat, body, entries if groups else [], caption)


def _dots(across: np.ndarray, down: np.ndarray, paint: str) -> str:
    places = zip(across, down, strict=True)
    dots = [f'<circle cx="{pixel(left)}" cy="{pixel(top)}" r="{RADIUS}"/>' for left, top in places]
    return element("g", *dots, fill=paint, fill_opacity=0.6) if dots else ""


def _section(flat: np.ndarray, body: object, entries: list[Entry], caption: str) -> Section:
    title = "Map of the embeddings"
    drawn = plot(
        body,  # type: ignore[arg-type]
        x=fit_scale([flat[:, 0]]),
        y=fit_scale([flat[:, 1]]),
        title=title,
        x_label="first direction",
        y_label="second direction",
        entries=entries,
        width=WIDE,
        height=HIGH,
    )
    return Section(
        title=title, svg=drawn, caption=f"{caption} What lies apart here is apart; what coincides may not be."
    )
