"""A chain as a picture: sizes of gradients and features by depth, how alike examples are, and what each path carries.

Three panels over the same links, input at the left, output at the right. Top: rms of the gradient and of the features
at each link's output on a log scale, with the band in which an ideally initialised chain of this kind would lie; thin
lines are what runs inside parallel paths. Middle: similarity. Bottom: the share of each path in the gradient that
reaches a link's input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from evenkeel import svg
from evenkeel.chain.link import Link

WIDTH = 760.0
"""Pixels; a picture shrinks with its page."""
LEFT, RIGHT = 56.0, WIDTH - 8.0
HEAD = 50.0
"""Pixels for the title and the first panel's label; the legend lies between them."""
PANELS = {"sizes": 230.0, "similarity": 84.0, "paths": 64.0}
"""Heights in pixels."""
GAP = 34.0
NAMES = 26
"""Up to so many links are named below the picture; more are numbered."""
BAND = 0.3
"""Decades of scatter that the band allows for where no law gives it: twofold either way."""
DEVIATIONS = 2.0
ALIKE = 0.95
"""Similarity beyond which features say little about their input."""

GRADIENT, FEATURE, ALIKENESS = svg.colour(1), svg.colour(0), svg.colour(2)


def figure(
    links: Sequence[Link],
    output_gradient: float | None,
    total_gain: float | None,
    *,
    title: str = "The back-propagation chain",
) -> str:
    """A chain as one SVG document; `output_gradient` is the norm of dL/dy, `total_gain` that of the whole.

    Example:
        >>> import torch
        >>> from evenkeel.chain import trace
        >>> chain = trace(torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, (torch.ones(4, 3), torch.ones(4, 1)))
        >>> figure(chain.links, chain.output_gradient, chain.total_gain).startswith("<svg")
        True
    """
    if not links:
        return svg.nothing(title)
    named = len(links) <= NAMES
    key, key_height = _legend(links)
    top, drawn = HEAD + key_height, [svg.heading(title, WIDTH), key]
    frame = svg.Frame(left=LEFT, right=RIGHT, top=top, bottom=top)
    for name, height in PANELS.items():
        if name == "paths" and not any(link.branches for link in links):
            continue
        frame = svg.Frame(left=LEFT, right=RIGHT, top=top, bottom=top + height)
        drawn.append(_sizes(links, output_gradient, frame) if name == "sizes" else _PANELS[name](links, frame))
        top += height + GAP
    foot = float(frame.bottom)
    drawn.append(_names(links, foot) if named else _numbers(links, frame))
    height = foot + (_names_height(links) if named else 40.0)
    total = "unknown" if total_gain is None else svg.number(total_gain)
    description = f"{len(links)} links, total gain {total}"
    return svg.picture("".join(drawn), width=WIDTH, height=height, title=title, description=description)


def ideal_band(links: Sequence[Link], output_gradient: float | None) -> tuple[list[float], list[float]]:
    """Lower and upper rms of the gradient at each link's output, for an ideal chain under this norm of dL/dy.

    A link without an ideal passes the band on by its measured gain. NaN where a gradient is missing. Where a law gives
    the variance v of ln gain², gains of mean square 1 are typically exp(-v / 4): narrow deep chains fade by chance.
    """
    norms = [0.0] * len(links)
    decades = [0.0] * len(links)
    norm, spread = output_gradient or math.nan, 0.0
    for index in range(len(links) - 1, -1, -1):
        link = links[index]
        norms[index], decades[index] = norm, spread
        ideal = link.ideal_gain if link.ideal_gain is not None else link.gain
        norm *= math.nan if ideal is None else ideal * math.exp(-(link.scatter or 0.0) / 4)
        spread = math.hypot(spread, BAND / 4 if link.scatter is None else 0.5 * math.sqrt(link.scatter) / math.log(10))
    low, high = [], []
    for link, size, off in zip(links, norms, decades, strict=True):
        entries = (link.output_gradient_norm or math.nan) / (link.backward_rms or math.nan)
        factor = 10 ** max(BAND / 4, DEVIATIONS * off)
        low.append(size / entries / factor)
        high.append(size / entries * factor)
    return low, high


def shares(link: Link) -> list[tuple[str, float]]:
    """Each path's share in the squared gradient at a link's input, with its kind; one whole for a plain link."""
    parts = [(branch.kind, (branch.contribution or 0.0) ** 2) for branch in link.branches]
    if not any(kind == "bypass" for kind, _ in parts):
        total = sum(size for _, size in parts)
        return [(kind, size / total) for kind, size in parts] if total > 0 else [("link", 1.0)]
    own = [("path", (link.contribution or 0.0) ** 2), ("bypass", sum(s for k, s in parts if k == "bypass"))]
    total = sum(size for _, size in own)
    return [(kind, size / total) for kind, size in own] if total > 0 else [("link", 1.0)]


def _legend(links: Sequence[Link]) -> tuple[str, float]:
    entries = [
        svg.Entry(name="gradient, rms", colour=GRADIENT),
        svg.Entry(name="features, rms", colour=FEATURE),
        svg.Entry(name="gradient of an ideal chain", colour=svg.GOOD, shape="area"),
        svg.Entry(name="similarity", colour=ALIKENESS),
    ]
    if any(kind != "link" for link in links for kind, _ in shares(link)):
        entries += [
            svg.Entry(name="by skip or bypass", colour=svg.colour(3), shape="dot"),
            svg.Entry(name="by layers", colour=svg.colour(0), shape="dot"),
        ]
    return svg.legend(entries, left=0, top=20, right=WIDTH)


def _across(links: Sequence[Link]) -> svg.AxisScale:
    return svg.stretch(svg.AxisScale(low=-0.5, high=len(links) - 0.5), LEFT, RIGHT)


def _sizes(links: Sequence[Link], output_gradient: float | None, frame: svg.Frame) -> str:
    backward = [link.backward_rms for link in links]
    forward = [link.forward_rms for link in links]
    low, high = ideal_band(links, output_gradient)
    inner = list(_inner(links))
    groups = [backward, forward, low, high, *([size for _, size in path] for path in inner)]
    y = svg.stretch(svg.fit_scale(groups, kind="log"), frame.bottom, frame.top)
    x, places = _across(links), list(range(len(links)))
    at = svg.positions(x, places)
    area = svg.ribbon(at, svg.positions(y, low), svg.positions(y, high))
    drawn = svg.y_axis(frame, y, svg.ticks(y, 6), "rms, log scale")
    drawn += svg.element("path", d=area, fill=svg.GOOD, fill_opacity=0.2)
    for path in inner:
        across = svg.positions(x, [place for place, _ in path])
        down = svg.positions(y, [size for _, size in path])
        line = svg.trail(across, down)
        drawn += svg.element("path", d=line, stroke=GRADIENT, stroke_width=1, stroke_opacity=0.45)
    drawn += _line(at, svg.positions(y, forward), FEATURE) + _line(at, svg.positions(y, backward), GRADIENT)
    return drawn


def _inner(links: Sequence[Link]) -> Iterator[list[tuple[float, float | None]]]:
    """The gradient along each parallel path, from the link's output back towards its input."""
    if len(links) > 4 * NAMES:
        return
    for place, link in enumerate(links):
        for branch in link.branches:
            if branch.links and branch.kind == "path":
                start = max(place - 0.95, -0.5)  # the first link has no place before it
                step = (place - 0.05 - start) / (len(branch.links) + 1)
                offsets = [start + step * (n + 1) for n in range(len(branch.links))]
                yield [*zip(offsets, (inner.backward_rms for inner in branch.links), strict=True)]


def _similarities(links: Sequence[Link], frame: svg.Frame) -> str:
    values = [None if link.similarity is None else min(max(link.similarity, -0.05), 1.0) for link in links]
    low = min([0.0, *(value for value in values if value is not None)])
    y = svg.stretch(svg.AxisScale(low=low - 0.02, high=1.04), frame.bottom, frame.top)
    line = svg.position(y, ALIKE)
    drawn = svg.y_axis(frame, y, [svg.Tick(value=v, label=f"{v:g}") for v in (0.0, 0.5, 1.0)], "similarity of examples")
    drawn += svg.segment(LEFT, line, RIGHT, line, stroke=svg.BAD, stroke_opacity=0.6, stroke_dasharray="4 3")
    return drawn + _line(svg.positions(_across(links), list(range(len(values)))), svg.positions(y, values), ALIKENESS)


def _paths(links: Sequence[Link], frame: svg.Frame) -> str:
    x = _across(links)
    y = svg.stretch(svg.AxisScale(low=0.0, high=1.0), frame.bottom, frame.top)
    ticks = [svg.Tick(value=v, label=f"{v:g}") for v in (0.0, 1.0)]
    drawn = svg.y_axis(frame, y, ticks, "share of each path in the gradient passed on")
    half = 0.5 if len(links) > 4 * NAMES else 0.42
    for place, link in enumerate(links):
        base = 0.0
        left, right = svg.position(x, place - half), svg.position(x, place + half)
        for kind, share in shares(link):
            if share <= 0:
                continue
            high, low = svg.position(y, min(1.0, base + share)), svg.position(y, base)
            paint, opacity = (svg.colour(3), 0.75) if kind in ("skip", "bypass") else (svg.colour(0), 0.55)
            opacity = 0.18 if kind == "link" else opacity
            drawn += svg.element(
                "rect",
                x=left,
                y=high,
                width=max(right - left, 0.5),
                height=low - high,
                fill=paint,
                fill_opacity=opacity,
                stroke=svg.SURFACE if half < 0.5 else None,
                stroke_width=1 if half < 0.5 else None,
            )
            base += share
    return drawn


def _line(x: svg.NumbersLike, y: svg.NumbersLike, paint: str) -> str:
    drawn = svg.element("path", d=svg.trail(x, y), stroke=paint, stroke_width=2, stroke_linejoin="round")
    if len(x) <= 2 * NAMES:
        dots = [(a, b) for a, b in zip(svg.numbers(x), svg.numbers(y), strict=True) if math.isfinite(b)]
        drawn += "".join(svg.element("circle", cx=a, cy=b, r=2.6, fill=paint) for a, b in dots)
    return drawn


def _names(links: Sequence[Link], top: float) -> str:
    x = _across(links)
    flat = len(links) <= 6
    drawn = ""
    for place, link in enumerate(links):
        name = link.name if len(link.name) <= 22 else "…" + link.name[-21:]
        at = svg.position(x, place)
        tip = f"{link.name}: {link.kind}"
        if flat:
            drawn += svg.words(name, at, top + 18, anchor="middle", hover=tip)
        else:
            drawn += svg.words(name, at + 4, top + 14, anchor="end", turn=-40, hover=tip)
    return drawn


def _names_height(links: Sequence[Link]) -> float:
    if len(links) <= 6:
        return 28.0
    longest = max(svg.text_width(link.name[:22], svg.FONT_SIZE) for link in links)
    return 26.0 + 0.66 * longest


def _numbers(links: Sequence[Link], frame: svg.Frame) -> str:
    x = _across(links)
    return svg.x_axis(frame, x, [tick for tick in svg.ticks(x, 8) if tick.value >= 0], "link, from input to output")


_PANELS = {"similarity": _similarities, "paths": _paths}
