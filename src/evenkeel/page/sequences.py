"""Some test sequences as small line plots, with what was true and what was predicted: the surest mistakes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.errors import ShapeError
from evenkeel.page.sections import Section
from evenkeel.svg import (
    BAD,
    FONT_SIZE,
    GOOD,
    INK,
    MUTED,
    SERIES,
    AxisScale,
    Entry,
    colour,
    element,
    fit_scale,
    legend,
    picture,
    positions,
    segment,
    shorten,
    stretch,
    trail,
    words,
)

PANELS, ACROSS = 12, 3
WIDTH, HEIGHT = 250.0, 120.0  # pixels of a panel
GAP, LINE = 14.0, 17.0  # pixels between panels; of a line of words
MOST_CHANNELS = len(SERIES)  # drawn of each sequence


@dataclass(frozen=True, kw_only=True)
class ShownSequence:
    """One sequence (step, channel), its true and predicted answer in words, and how the prediction came out.

    `miss` orders the pictures, the largest first, such as the probability given to what was not true; `right` is None
    where an answer is not simply right or wrong. `truth_steps` and `predicted_steps` (step,) are numbers to draw where
    each step has an answer.
    """

    values: np.ndarray
    truth: str = ""
    prediction: str = ""
    miss: float = 0.0
    right: bool | None = None
    truth_steps: np.ndarray | None = None
    predicted_steps: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or not len(self.values):
            raise ShapeError(f"a sequence to draw must be (step, channel), got shape {self.values.shape}")


def sequences_section(shown: Sequence[ShownSequence], channels: Sequence[str]) -> Section | None:
    """Up to twelve sequences: half of them the worst predicted, the others as they come; None of nothing.

    Args:
        shown: sequences of the test part, in units of the deviation of each channel.
        channels: their names.

    Example:
        >>> one = ShownSequence(values=np.array([[0.0], [1.0]]), truth="up", prediction="up", right=True)
        >>> sequences_section([one], ["x"]).svg.count("<path")
        1
    """
    if not shown:
        return None
    chosen = chosen_sequences(shown)
    drawn = _drawn_channels(chosen, len(channels))
    entries = [Entry(name=channels[index], colour=colour(place)) for place, index in enumerate(drawn)]
    stepwise = any(one.truth_steps is not None for one in chosen)
    if stepwise:
        entries = [Entry(name="truth", colour=INK), Entry(name="prediction", colour=colour(1), shape="dashed")]
    across = min(ACROSS, len(chosen))
    width = across * WIDTH + (across - 1) * GAP
    key, top = legend(entries if len(entries) > 1 else [], left=0, top=0, right=width)
    panels = [_panel(one, place, drawn, top) for place, one in enumerate(chosen)]
    rows = -(-len(chosen) // ACROSS)
    title = "Sequences of the test part"
    body = key + "".join(panels)
    caption = "The worst predicted come first." if len(shown) > len(chosen) else ""
    left_out = len(channels) - len(drawn)
    if left_out and not stepwise:
        caption += f" {left_out} more channel(s) are not drawn."
    svg = picture(body, width=width, height=top + rows * (HEIGHT + LINE + GAP), title=title)
    return Section(title=title, svg=svg, caption=caption.strip())


def chosen_sequences(shown: Sequence[ShownSequence], most: int = PANELS) -> list[ShownSequence]:
    """The worst half of a page, then others in the order in which they come.

    Example:
        >>> made = [ShownSequence(values=np.zeros((2, 1)), miss=miss) for miss in (0.1, 0.9, 0.2, 0.3)]
        >>> [one.miss for one in chosen_sequences(made, 2)]
        [0.9, 0.1]
    """
    order = sorted(range(len(shown)), key=lambda index: -shown[index].miss)
    worst = order[: (most + 1) // 2]
    others = [index for index in range(len(shown)) if index not in worst][: most - len(worst)]
    return [shown[index] for index in [*worst, *others]]


def _drawn_channels(shown: Sequence[ShownSequence], count: int) -> list[int]:
    """The channels that vary most, in their own order."""
    if count <= MOST_CHANNELS:
        return list(range(count))
    spread = np.nan_to_num(np.concatenate([one.values for one in shown])).std(0)
    return sorted(np.argsort(-spread)[:MOST_CHANNELS].tolist())


def _panel(one: ShownSequence, place: int, channels: Sequence[int], top: float) -> str:
    """One sequence in its place of the grid."""
    left = (place % ACROSS) * (WIDTH + GAP)
    up = top + (place // ACROSS) * (HEIGHT + LINE + GAP)
    line = " · ".join(part for part in (one.truth and f"true: {one.truth}", _predicted(one)) if part)
    fill = MUTED if one.right is None else GOOD if one.right else BAD
    head = words(shorten(line, FONT_SIZE, WIDTH), left, up + 12, fill=fill)
    lines = _answer_lines(one) or [
        (one.values[:, index], {"stroke": colour(number)}) for number, index in enumerate(channels)
    ]
    x = stretch(fit_scale([[0, max(len(one.values) - 1, 1)]], room=0.0), left, left + WIDTH)
    y = stretch(fit_scale([values for values, _ in lines]), up + LINE + HEIGHT, up + LINE)
    base = segment(left, y.start, left + WIDTH, y.start, stroke=INK, stroke_opacity=0.3)
    return head + base + "".join(_line(values, x, y, style) for values, style in lines)


def _predicted(one: ShownSequence) -> str:
    return f"predicted: {one.prediction}" if one.prediction else ""


def _answer_lines(one: ShownSequence) -> list[tuple[np.ndarray, dict[str, str]]]:
    """Truth and prediction of every step, where there are such."""
    if one.truth_steps is None or one.predicted_steps is None:
        return []
    return [(one.truth_steps, {"stroke": INK}), (one.predicted_steps, {"stroke": colour(1), "stroke_dasharray": "4 3"})]


def _line(values: np.ndarray, x: AxisScale, y: AxisScale, style: dict[str, str]) -> str:
    path = trail(positions(x, np.arange(len(values))), positions(y, values))
    return element("path", d=path, stroke_width=1.4, stroke_linejoin="round", **style)
