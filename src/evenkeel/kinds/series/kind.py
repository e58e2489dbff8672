"""Series: a table with a time column whose number columns are to be forecast, each from its own past.

One example is a window of one series and the steps after it; all series share the network. What is read, how it is
split and what an example holds: `data.regular`, `data.spans`, `data.series`. No window is judged by values that were
filled in: `data._gaps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field as Option

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Fields
from evenkeel.data.schema import Frozen
from evenkeel.data.split import Split
from evenkeel.data.target import Target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, Asked, Kind, Prepared
from evenkeel.kinds.series.baselines import RIVALS
from evenkeel.kinds.series.body import series_body
from evenkeel.kinds.series.gaps import Usable, require_windows, usable_windows
from evenkeel.kinds.series.moments import read_frame
from evenkeel.kinds.series.regular import Regular, choose_time, regular_series
from evenkeel.kinds.series.schema import (
    SeriesSchema,
    describe_columns,
    fit_scales,
    last_windows,
    read_further,
    times_ahead,
    window_fields,
)
from evenkeel.kinds.series.spans import Spans, spans_of, window_starts
from evenkeel.kinds.series.windows import SeriesWindows
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, check_task

TASKS = ("probabilistic-regression", "regression")
# Defaults: a day of hours; a window of several horizons, so long that training still has as many windows again.
HORIZON, WINDOWS_A_HORIZON, SHORT_WINDOW = 24, 4, 64
# Neighbouring windows say nearly the same: more would cost time at every look, and memory at the end.
MOST_VALIDATION, MOST_TEST_STEPS = 2**14, 2**24
# Passes over the windows, within these numbers of updates: windows overlap, so that few passes are enough.
PASSES, FEWEST_UPDATES, MOST_UPDATES = 6, 600, 6000
SMALLEST_BATCH, LARGEST_BATCH = 32, 256
SHOWN = 4  # series of which a test window is kept for the report


class SeriesOptions(Frozen):
    """How a table is read as series."""

    horizon: int | None = Option(None, ge=1, description="steps to forecast; 24 without, fewer for a short table")
    window: int | None = Option(None, ge=2, description="steps that are read; four horizons without, where they fit")
    time: str | None = Option(
        None, description="the time column; without, the only one of moments or that counts steps"
    )


def prepare_series(data: Any, asked: Asked) -> Prepared:
    """Read, fill, split by time, standardise by the training steps, and number the windows."""
    options = asked.options
    if not isinstance(options, SeriesOptions):
        raise TypeError("series need their own options")
    choice = _task(asked)
    frame = read_frame(data, options.time)
    target = (asked.target,) if isinstance(asked.target, str) else asked.target
    time = choose_time(frame, options.time, target=target)
    columns = describe_columns(frame, time, target)
    names = list(target) if target is not None else [column.name for column in columns if column.kind == "series"]
    regular = regular_series(frame, time, names)
    _check_parts(asked, regular)
    spans = spans_of(asked.request, regular.places, len(regular.values), time)
    horizon = options.horizon or max(1, min(HORIZON, len(regular.values) // 20))
    window = options.window or _window(len(spans.train), horizon)
    schema = SeriesSchema(
        columns=columns,
        time=time,
        step=regular.step,
        window=window,
        horizon=horizon,
        series=fit_scales(regular.values[spans.train.start : spans.train.stop], names),
    )
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {frame.height} rows"
    counted = options.time is None and frame[time].dtype.is_integer()
    told = [f"Column {time!r} counts up by {regular.step.text}: it is taken as the time."] if counted else []
    return Prepared(dataset=_dataset(schema, regular, spans, source, told), choice=choice)


def _check_parts(asked: Asked, regular: Regular) -> None:
    """Parts given by rows need rows in the order of time: sorting would tear them."""
    if not isinstance(asked.request.how, str) and (np.diff(regular.places) <= 0).any():
        raise DataError(
            "parts given by rows need a table whose times ascend from row to row, got another order; sort the table"
        )


def _task(asked: Asked) -> TaskChoice:
    """What can be asked of series."""
    if asked.weight is not None:
        raise RequestError("windows of a series all count the same; leave sample_weight out")
    if asked.task is not None:
        check_task(asked.task)
        if asked.task not in TASKS:
            raise RequestError(f"series are forecast by {' or '.join(TASKS)}, got task={asked.task!r}")
    task: Any = asked.task or TASKS[0]
    reason = "as asked" if asked.task else "series are forecast with the uncertainty of each step"
    return TaskChoice(task=task, kind="series", counts=False, reason=reason)


def _window(steps: int, horizon: int) -> int:
    """Several horizons, but no more than half of the training steps besides one horizon."""
    return max(2, min(max(WINDOWS_A_HORIZON * horizon, SHORT_WINDOW), (steps - horizon) // 2))


def _dataset(schema: SeriesSchema, regular: Regular, spans: Spans, source: str, told: Sequence[str]) -> Dataset:
    """Windows of all parts, those of training first, without those that have too many gaps."""
    count, parts = len(schema.series), ("train", "validation", "test")
    most = {"validation": MOST_VALIDATION // count, "test": MOST_TEST_STEPS // (count * schema.horizon)}
    starts = {
        part: window_starts(getattr(spans, part), schema.window, schema.horizon, part, most=most.get(part))
        for part in parts
    }
    usable = {part: usable_windows(regular.missing, starts[part], schema.window, schema.horizon) for part in parts}
    for part in parts:
        require_windows(usable[part], f"the {part} part")
    keep = np.concatenate([usable[part].keep for part in parts])
    inputs, target = window_fields(schema, regular.values, np.concatenate([starts[part] for part in parts]), keep)
    ends = np.cumsum([0, *(int(usable[part].keep.sum()) for part in parts)])
    rows = {part: np.arange(ends[index], ends[index + 1]) for index, part in enumerate(parts)}
    return Dataset(
        inputs=inputs,
        target=target,
        weight=None,
        split=Split(**rows, how=spans.how),
        schema=schema,
        target_schema=Target(columns=schema.names, kind="series", size=schema.horizon),
        source=source,
        notes=(*_told(schema, spans, starts), *told, *regular.notes, *_left_out(usable)),
    )


def _left_out(usable: Mapping[str, Usable]) -> list[str]:
    """The windows of each part that are left out for their gaps."""
    found = [(part, each) for part, each in usable.items() if each.told]
    return [f"Left out of the {each.keep.size} {part} windows: {each.told}." for part, each in found]


def _told(schema: SeriesSchema, spans: Spans, starts: Mapping[str, NDArray[np.int64]]) -> list[str]:
    """How the series were understood, what was left out, and which windows were thinned."""
    steps = ", ".join(f"{len(getattr(spans, part))} {part}" for part in ("train", "validation", "test"))
    found = [
        f"A row is a window of {schema.window} steps of {schema.step.text} of one of {len(schema.series)} series, "
        f"and the {schema.horizon} after it. Steps: {steps}."
    ]
    found += [f"Column {column.name!r} is {column.note}." for column in schema.columns if column.note]
    for part in ("validation", "test"):
        apart = np.diff(starts[part])
        if len(apart) and apart[0] > 1:
            found.append(f"Of the {part} windows every {apart[0]}th is taken: neighbours say nearly the same.")
    return found


def open_series(schema: SeriesSchema, new: Any) -> Any:
    """The table of new series, read once."""
    return read_frame(new, schema.time)


def encode_series(schema: SeriesSchema, new: Any) -> Fields:
    """The end of every series of a table, from which the steps after it are forecast."""
    return last_windows(schema, read_frame(new, schema.time))


def keys_of_series(schema: SeriesSchema, new: Any) -> Mapping[str, Any]:
    """The times of the steps to come, one for each row of what is predicted."""
    return {schema.time: times_ahead(schema, read_frame(new, schema.time))}


def answers_of_series(schema: SeriesSchema, target: Target, new: Any) -> Answered:
    """Every window of a table, and the steps after each, but for those with too many gaps.

    Raises:
        DataError: the table cannot be read, or no window is left.
    """
    found = read_further(schema, read_frame(new, schema.time), schema.window + schema.horizon)
    starts = np.arange(len(found.values) - schema.window - schema.horizon + 1)
    usable = usable_windows(found.missing, starts, schema.window, schema.horizon)
    require_windows(usable, "the table")
    inputs, answers = window_fields(schema, found.values, starts, usable.keep)
    return Answered(inputs=inputs, target=answers)


def series_recipe(net: str, dataset: Dataset, choice: TaskChoice) -> Mapping[str, Any]:
    """One network, few passes over many windows; sizes by the net alone."""
    rows = len(dataset.split.train)
    batch = int(np.clip(2 ** round(np.log2(max(rows / 16, 1))), SMALLEST_BATCH, LARGEST_BATCH))
    shared = {
        "members": None,
        "bins": None,
        "learning_rate": 1e-3,
        "weight_decay": 1e-2,
        "batch_size": batch,
        "updates": int(np.clip(PASSES * rows / batch, FEWEST_UPDATES, MOST_UPDATES)),
        "evaluations": 20,
        # Calibration widens what late weights say too surely: then they are the better ones (LOG.md).
        "keep": "last",
        "dropout": 0.3,
        "depth": 1,
    }
    sizes: Mapping[str, Mapping[str, Any]] = {
        "rnn": {"width": 128, "activation": "tanh", "norm": "layer"},
        "cnn": {"width": 16, "depth": 4, "norm": "auto"},
        "transformer": {"width": 64, "depth": 2, "norm": "layer", "activation": "gelu"},
    }
    return {**shared, "width": 128, **sizes.get(net, {})}


def shown_windows(dataset: Dataset, rows: Tensor) -> Mapping[str, Tensor]:
    """A test window of each of some series, at different times: what came before it, and which of the rows it is."""
    ahead, schema = dataset.target, dataset.schema
    if not isinstance(ahead, SeriesWindows) or not isinstance(schema, SeriesSchema):
        raise TypeError("a forecast needs windows of series as its target")
    chosen: list[int] = []
    several = np.unique(np.linspace(0, len(schema.series) - 1, SHOWN).round().astype(int)).tolist()
    for turn, number in enumerate(several):
        places = torch.nonzero(ahead.series[rows] == number).flatten().tolist()
        chosen += places[int(len(places) * (turn + 0.5) / len(several)) :][:1]
    if not chosen:
        return {}
    place = torch.tensor(chosen)
    starts, series = ahead.starts[rows[place]], ahead.series[rows[place]]
    before = SeriesWindows(ahead.values, starts - schema.window, series, schema.window)
    return {"place": place, "series": series, "history": before.index_select(0, torch.arange(len(place)))}


SERIES = Kind(
    name="series",
    summary="a table with a time column, whose number columns are forecast: CSV, Parquet, data frames",
    source="windows: Nie et al. 2023, arXiv:2211.14730",
    schema=SeriesSchema,
    recognises=lambda data: False,  # a table with a date is a table: kind="series" or horizon=... must be said
    rank=90,
    prepare=prepare_series,
    encode=encode_series,
    answers=answers_of_series,
    net="mlp",
    recipe=series_recipe,
    body=series_body,
    options=SeriesOptions,
    rivals=RIVALS,
    keep=shown_windows,
    keys=keys_of_series,
    open=open_series,
)
