import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from evenkeel.data.dataset import SplitRequest
from evenkeel.heads import PARTS as HEADS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.series.baselines import BASELINES, PENALTY
from evenkeel.kinds.series.kind import SeriesOptions, prepare_series
from kinds._series_made import hourly


@pytest.fixture
def data():
    options = SeriesOptions(horizon=4, window=12)
    request = SplitRequest(validation=0.2, test=0.2)
    return prepare_series(hourly(300), DataRequest(split=request, options=options)).dataset


def predicted(name, data):
    known = torch.from_numpy(np.concatenate([data.split.train, data.split.validation]))
    asked = torch.from_numpy(data.split.test)
    return BASELINES[name](HEADS["forecast"], data, known, asked, 0), known, asked


def test_the_last_value_is_repeated(data):
    found, _, asked = predicted("repeat-last", data)
    values = data.target.values.numpy()
    for row, number in enumerate(asked.tolist()):
        start, column = int(data.target.starts[number]), int(data.target.series[number])
        assert found[row].tolist() == [values[start - 1, column]] * 4


def test_the_linear_map_is_ridge_of_windows_without_their_level(data):
    found, known, asked = predicted("linear map", data)
    center, spread = data.schema.scales.numpy()

    def arrays(rows):
        window = data.inputs["window"].index_select(0, rows).double().numpy()
        level, series = window.mean(1, keepdims=True), data.inputs["series"][rows].numpy()
        return window - level, level, center[series][:, None], spread[series][:, None]

    given, level, middle, size = arrays(known)
    ahead = (data.target.index_select(0, known).numpy() - middle) / size - level
    model = Ridge(alpha=PENALTY * (given**2).sum(0).mean()).fit(given, ahead)
    given, level, middle, size = arrays(asked)
    np.testing.assert_allclose(found, (model.predict(given) + level) * size + middle, rtol=1e-5)


def test_a_cycle_is_continued_by_the_linear_map_and_not_by_the_last_value(data):
    truth = data.target.index_select(0, torch.from_numpy(data.split.test)).numpy()
    scale = data.schema.scales[1, data.inputs["series"][data.split.test]].numpy()[:, None]
    errors = {name: np.sqrt((((predicted(name, data)[0] - truth) / scale) ** 2).mean()) for name in BASELINES}
    assert errors["linear map"] < 0.4 < errors["repeat-last"]


def test_repeat_last_on_the_electricity_transformers_is_what_others_report(real_data):
    """The protocol: 12 / 4 / 4 months, standardised by training, 7 series, all windows; published 1.294 / 0.713."""
    from bench._nets.series import PARTS, standardised_table

    frame = standardised_table(real_data)
    asked = DataRequest(split=SplitRequest(how=PARTS), options=SeriesOptions(horizon=96, window=336))
    data = prepare_series(frame, asked).dataset
    assert len(data.split.test) == 7 * (2880 - 96 + 1)
    found, _, rows = predicted("repeat-last", data)
    error = found - data.target.index_select(0, rows).numpy()
    assert round(float((error**2).mean()), 4) == 1.2944 and round(float(np.abs(error).mean()), 4) == 0.7132
