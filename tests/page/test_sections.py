import dataclasses

import pytest

from evenkeel.errors import ShapeError
from evenkeel.page import sections as records
from evenkeel.page.sections import BaselineRow, BaselinesSection, Curve, ShownMetric

RECORDS = [value for value in vars(records).values() if dataclasses.is_dataclass(value)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_are_frozen_and_filled_by_name(record):
    assert record.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(record))


def test_a_curve_needs_a_value_for_every_update():
    with pytest.raises(ShapeError, match="the curve 'loss' needs a value for every update, got 2 updates and 1 values"):
        Curve(name="loss", updates=[0, 1], values=[1.0])


def test_a_baseline_needs_every_metric():
    metrics = [ShownMetric(name="rmse", better="lower"), ShownMetric(name="r2", better="higher")]
    with pytest.raises(ShapeError, match="the baseline 'linear' has 1 values for 2 metrics; use None"):
        BaselinesSection(metrics=metrics, rows=[BaselineRow(name="linear", values=[1.0])])
