"""What a report shows of series: some windows of the test part, with the forecast and its band."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import in_form
from evenkeel.kinds.base import Shown
from evenkeel.kinds.series.schema import SeriesSchema
from evenkeel.kinds.series.windows import SeriesWindows
from evenkeel.page import Section
from evenkeel.page.forecasts import ShownForecast, forecasts_section
from evenkeel.shapes import Tensor

SHOWN = 4  # series of which a test window is kept


def keep_windows(dataset: Dataset[SeriesSchema], rows: Tensor) -> Mapping[str, Tensor]:
    """A test window of each of some series, at different times: what came before it, and which of the rows it is."""
    ahead, schema = in_form(dataset.target, SeriesWindows), dataset.schema
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


def series_pictures(sample: Shown[SeriesSchema]) -> Section | None:
    """The kept windows, each with the steps after it and what was forecast of them."""
    if "history" not in sample.tensors or sample.output is None or sample.target is None:
        return None
    head, place = sample.head, torch.from_numpy(sample.tensors["place"])
    output = sample.output.index_select(0 if head.members is None else 1, place)
    shape = (len(place), sample.schema.horizon)
    distribution = head.distribution(output)
    low, high = (None, None) if distribution is None else distribution.interval(0.9)
    mean, truth = head.predict(output).double().numpy(), sample.target[place].double().numpy()
    forecasts = [
        ShownForecast(
            name=sample.schema.names[int(sample.tensors["series"][row])],
            history=sample.tensors["history"][row],
            truth=truth[row],
            mean=mean[row],
            low=None if low is None else low.reshape(shape)[row],
            high=None if high is None else high.reshape(shape)[row],
        )
        for row in range(len(place))
    ]
    return forecasts_section(forecasts, sample.schema.step.text)
