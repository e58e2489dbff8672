"""Some test texts with what was true and what was predicted, the surest mistakes first; and text that was generated."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.page.sections import Section
from evenkeel.svg import percent

MOST = 12  # texts shown
WIDTH = 100  # characters of a line
LINES = 4  # of a text
RIGHT, WRONG = "right", "WRONG"


@dataclass(frozen=True, kw_only=True)
class ShownText:
    """One text, its true and predicted answer in words.

    `miss` orders the texts, the largest first: the probability of what was not true, or the size of the error.
    `right` is None where an answer is not simply right or wrong; `confidence` is that of the prediction.
    """

    text: str
    truth: str
    prediction: str
    miss: float | int = 0.0
    right: bool | None = None
    confidence: float | int | None = None


def text_of(row: np.ndarray) -> str:
    """Bytes padded with zeros as text.

    Example:
        >>> text_of(np.array([104, 105, 0, 0], dtype=np.uint8))
        'hi'
    """
    return bytes(row[row > 0]).decode(errors="ignore")


def texts_section(texts: Sequence[ShownText]) -> Section:
    """The texts of the test part that the network was most wrong about.

    Example:
        >>> print(texts_section([ShownText(text="a bore", truth="bad", prediction="good", right=False)]).text)
        WRONG  predicted good, true bad
            a bore
    """
    ranked = sorted(texts, key=lambda each: -each.miss)[:MOST]
    caption = f"The {len(ranked)} of {len(texts)} texts that the network is surest and wrong about, or farthest from."
    return Section(title="Texts of the test part", text="\n\n".join(map(_told, ranked)), caption=caption)


def _told(shown: ShownText) -> str:
    """A head line and the text, indented."""
    sure = "" if shown.confidence is None else f" ({percent(shown.confidence)})"
    mark = "" if shown.right is None else f"{RIGHT if shown.right else WRONG}  "
    lines = [line for part in shown.text.splitlines() for line in textwrap.wrap(part, WIDTH - 4)] or ["(empty)"]
    cut = [*lines[: LINES - 1], lines[LINES - 1] + " ..."] if len(lines) > LINES else lines
    return "\n".join(
        [f"{mark}predicted {shown.prediction}{sure}, true {shown.truth}", *(f"    {line}" for line in cut)]
    )


def samples_section(samples: Sequence[str], *, temperature: float = 0.8) -> Section:
    """Text as the network writes it, one sample below the other."""
    caption = f"Drawn token by token at temperature {temperature:g}; nothing is left out and nothing chosen."
    between = "\n" + "· " * 20 + "\n"
    return Section(title="Text that the network writes", text=between.join(samples), caption=caption)
