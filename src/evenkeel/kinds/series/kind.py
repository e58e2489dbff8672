"""Series: a table with a time column whose number columns are to be forecast, each from its own past.

One example is a window of one series and the steps after it; all series share the network. Reading is in
`regular`, splitting in `spans`, the contents of an example in `schema`. No window is scored on values that were filled
in: `gaps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Option

from evenkeel.data.dataset import Dataset
from evenkeel.data.schema import Frozen
from evenkeel.data.split import Split
from evenkeel.data.target import Target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.series.baselines import BASELINES
from evenkeel.kinds.series.body import series_body
from evenkeel.kinds.series.gaps import Usable, require_windows, usable_windows
from evenkeel.kinds.series.moments import read_frame
from evenkeel.kinds.series.pictures import keep_windows, series_pictures
from evenkeel.kinds.series.recipe import series_recipe
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
from evenkeel.task import TaskChoice, check_task

TASKS = ("probabilistic-regression", "regression")
# Defaults: a day of hours; a window of several horizons, so long that training still has as many windows again.
HORIZON, WINDOWS_A_HORIZON, SHORT_WINDOW = 24, 4, 64
# Neighbouring windows are nearly the same: more would cost time at every evaluation, and memory at the end.
MOST_VALIDATION, MOST_TEST_STEPS = 2**14, 2**24


class SeriesOptions(Frozen):
    """How a table is read as series."""

    horizon: int | None = Option(None, ge=1, description="steps to forecast; 24 without, fewer for a short table")
    window: int | None = Option(None, ge=2, description="steps that are read; four horizons without, where they fit")
    time: str | None = Option(
        None, description="the time column; without, the only one of moments or that counts steps"
    )


def prepare_series(data: Any, request: DataRequest[SeriesOptions]) -> Prepared[SeriesSchema]:
    """Read, fill, split by time, standardise by the training steps, and number the windows."""
    options = request.options
    choice = _task(request)
    frame = read_frame(data, options.time)
    target = None if request.target is None else request.columns
    time = choose_time(frame, options.time, target=target)
    columns = describe_columns(frame, time, target)
    names = list(target) if target is not None else [column.name for column in columns if column.kind == "series"]
    regular = regular_series(frame, time, names)
    _check_parts(request, regular)
    spans = spans_of(request.split, regular.places, len(regular.values), time)
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
    note = [f"Column {time!r} counts up by {regular.step.text}: it is taken as the time."] if counted else []
    return Prepared(dataset=_dataset(schema, regular, spans, source, note), choice=choice)


def _check_parts(request: DataRequest[SeriesOptions], regular: Regular) -> None:
    """Refuse a split by row numbers of rows that are not in the order of time: sorting would tear its parts."""
    if not isinstance(request.split.how, str) and (np.diff(regular.places) <= 0).any():
        raise DataError(
            "parts given by rows need a table whose times ascend from row to row, got another order; sort the table"
        )


def _task(request: DataRequest[SeriesOptions]) -> TaskChoice:
    """The task of the request, a forecast; refuses others, and weights."""
    if request.weight is not None:
        raise RequestError("windows of a series all count the same; leave sample_weight out")
    if request.task is not None:
        check_task(request.task)
        if request.task not in TASKS:
            raise RequestError(f"series are forecast by {' or '.join(TASKS)}, got task={request.task!r}")
    task: Any = request.task or TASKS[0]
    reason = "as asked" if request.task else "series are forecast with the uncertainty of each step"
    return TaskChoice(task=task, kind="series", counts=False, reason=reason)


def _window(steps: int, horizon: int) -> int:
    """Default window: several horizons, but no more than half of the training steps besides one horizon."""
    return max(2, min(max(WINDOWS_A_HORIZON * horizon, SHORT_WINDOW), (steps - horizon) // 2))


def _dataset(
    schema: SeriesSchema, regular: Regular, spans: Spans, source: str, notes: Sequence[str]
) -> Dataset[SeriesSchema]:
    """Build the windows of all parts, those of training first, without those that have too many gaps."""
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
        notes=(*_notes(schema, spans, starts), *notes, *regular.notes, *_left_out(usable)),
    )


def _left_out(usable: Mapping[str, Usable]) -> list[str]:
    """Notes on the windows of each part that are left out for their gaps."""
    gaps = [(part, each) for part, each in usable.items() if each.text]
    return [f"Left out of the {each.keep.size} {part} windows: {each.text}." for part, each in gaps]


def _notes(schema: SeriesSchema, spans: Spans, starts: Mapping[str, NDArray[np.int64]]) -> list[str]:
    """Notes on how the series were read, what was left out, and which windows were thinned."""
    steps = ", ".join(f"{len(getattr(spans, part))} {part}" for part in ("train", "validation", "test"))
    notes = [
        f"A row is a window of {schema.window} steps of {schema.step.text} of one of {len(schema.series)} series, "
        f"and the {schema.horizon} after it. Steps: {steps}."
    ]
    notes += [f"Column {column.name!r} is {column.note}." for column in schema.columns if column.note]
    for part in ("validation", "test"):
        stride = np.diff(starts[part])
        if len(stride) and stride[0] > 1:
            notes.append(f"Of the {part} windows every {stride[0]}th is taken: neighbours say nearly the same.")
    return notes


def encode_series(schema: SeriesSchema, new: Any) -> Encoded:
    """Encode the last window of every series of a table; the keys are the times of the steps to forecast."""
    frame = read_frame(new, schema.time)
    return Encoded(inputs=last_windows(schema, frame), keys={schema.time: times_ahead(schema, frame)})


def answers_of_series(schema: SeriesSchema, target: Target, new: Any) -> Answered:
    """Encode every window of a table, and the steps after each, but for those with too many gaps.

    Raises:
        DataError: the table cannot be read, or no window is left.
    """
    regular = read_further(schema, read_frame(new, schema.time), schema.window + schema.horizon)
    starts = np.arange(len(regular.values) - schema.window - schema.horizon + 1)
    usable = usable_windows(regular.missing, starts, schema.window, schema.horizon)
    require_windows(usable, "the table")
    inputs, answers = window_fields(schema, regular.values, starts, usable.keep)
    return Answered(inputs=inputs, target=answers)


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
    baselines=BASELINES,
    keep=keep_windows,
    pictures=series_pictures,
)
