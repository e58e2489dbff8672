"""Read one long text as a stream of tokens, in windows: each step's answer is the token that comes next.

    tokens   ... t_i t_(i+1) ... t_(i+window-1)          answer   ... t_(i+1) ... t_(i+window)

The first part of the text trains, the next decides when to stop, the last is measured on. Windows of the training part
overlap where the text is short, so that each token is met at several distances from the start of a window; those of
the other parts do not, so that each token counts once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from evenkeel.data.columns import Column
from evenkeel.data.fields import Windows
from evenkeel.data.split import Split
from evenkeel.errors import DataError
from evenkeel.kinds.text.schema import TextSchema
from evenkeel.kinds.text.tokens import Codes, Unit, fit_tokenizer
from evenkeel.shapes import Int, Tensor

OVERLAP = 4  # windows in which a token of a short text is met
SHORT = 2**22  # tokens of a training part that is short
MOST_HELD = 2**17  # tokens measured on in each other part: more cost memory without changing the score
SHORTEST_WINDOW = 4
WINDOWS = 8  # that at least fit into the training part


class Stream(NamedTuple):
    """The windows of a text, their answers, their split, and the schema that encodes another text."""

    inputs: Windows
    target: Windows
    split: Split
    schema: TextSchema
    notes: tuple[str, ...]


class Cuts(NamedTuple):
    """Shares of the text that are held out, at its end."""

    validation: float
    test: float


def read_stream(text: str, unit: Unit, *, vocabulary: int, window: int, cuts: Cuts) -> Stream:
    """Cut a text into windows; the tokens are learned on its training part alone.

    Raises:
        DataError: a text too short to hold anything out.

    Example:
        >>> text = "to be or not to be. " * 50
        >>> stream = read_stream(text, "characters", vocabulary=99, window=16, cuts=Cuts(0.1, 0.1))
        >>> stream.schema.tokens.decode(stream.inputs.index_select(0, torch.tensor([0]))[0])
        'to be or not to '
        >>> stream.schema.tokens.decode(stream.target.index_select(0, torch.tensor([0]))[0])
        'o be or not to b'
    """
    tested, held = round(len(text) * cuts.test), round(len(text) * cuts.validation)
    parts = (
        text[: len(text) - tested - held],
        text[len(text) - tested - held : len(text) - tested],
        text[len(text) - tested :],
    )
    tokens = fit_tokenizer([parts[0]], unit, form="exact", most=vocabulary)
    codes = tokens.encode(parts)
    window = _fitting(codes, window)
    starts, notes = _starts(codes, window)
    column = Column(name="text", kind="text", missing=0, examples=(" ".join(text[:200].split())[:40],))
    schema = TextSchema(columns=(column,), tokens=tokens, window=window)
    series = torch.from_numpy(np.concatenate(codes))
    unseen = int((series == 0).sum())
    if unseen:
        notes += (f"{unseen} of {len(series)} tokens are not among the {tokens.size - 1} of the training part.",)
    numbers = np.arange(sum(map(len, starts)))
    edges = np.cumsum([len(each) for each in starts])
    split = Split(
        train=numbers[: edges[0]],
        validation=numbers[edges[0] : edges[1]],
        test=numbers[edges[1] :],
        how="by position: the first part of the text trains, the last is the test",
    )
    windows = windows_at(series, torch.from_numpy(np.concatenate(starts)), window)
    return Stream(windows[0], windows[1], split, schema, notes)


def windows_at(series: Int[Tensor, "place"], starts: Int[Tensor, "row"], window: int) -> tuple[Windows, Windows]:
    """Windows that begin at `starts`, and those one token later."""
    return Windows(series, starts, window), Windows(series, starts + 1, window)


def _fitting(codes: list[Codes], window: int) -> int:
    """The window, shortened where it does not fit into every part of the text."""
    most = min([len(codes[0]) // WINDOWS, *(len(part) - 1 for part in codes[1:] if len(part))])
    if most < SHORTEST_WINDOW:
        sizes = ", ".join(str(len(part)) for part in codes)
        raise DataError(
            f"the text is too short: its parts have {sizes} tokens, expected at least {WINDOWS * SHORTEST_WINDOW} for "
            f"training and {SHORTEST_WINDOW + 1} for each other; bring more text, or set validation or test to 0"
        )
    return min(window, most)


def _starts(codes: list[Codes], window: int) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Starts of the windows of each part, counted from the start of the text, and notes."""
    step = max(1, window // OVERLAP) if len(codes[0]) <= SHORT else window
    starts, begin, notes = [], 0, ()
    for name, part in zip(("training", "validation", "test"), codes, strict=True):
        stride = step if name == "training" else window
        places = begin + np.arange(0, max(0, len(part) - window), stride)
        most = max(1, MOST_HELD // window)
        if name != "training" and len(places) > most:
            notes += (f"{most} of {len(places)} windows of the {name} part are measured on, evenly spread.",)
            places = places[np.linspace(0, len(places) - 1, most).round().astype(np.int64)]
        starts.append(places)
        begin += len(part)
    return starts, notes


def encode_stream(schema: TextSchema, text: str) -> tuple[Windows, Windows]:
    """Cut another text into consecutive windows, and their answers.

    Raises:
        DataError: it is shorter than a window.
    """
    window = schema.window or 1
    codes = torch.from_numpy(schema.tokens.encode([text])[0])
    if len(codes) <= window:
        raise DataError(f"expected a text of more than {window} tokens, as long as those of training, got {len(codes)}")
    return windows_at(codes, torch.arange(0, len(codes) - window, window), window)
