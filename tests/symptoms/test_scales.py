import math

import pytest

from evenkeel.symptoms.history import Start
from evenkeel.symptoms.scales import input_size, largest_step, off_center, step_cause, target_size
from symptoms._made import history, look, parameter


@pytest.mark.parametrize(
    ("numbers", "cause"),
    [
        ({}, "learning-rate"),
        ({"target_mean": -200.0, "target_spread": 1.0}, "target-scale"),
        ({"target_mean": 0.0, "target_spread": 90.0, "input_scales": (200.0,)}, "target-scale"),
        ({"input_scales": (1.0, 200.0)}, "data-scale"),
        ({"target_mean": math.nan, "input_scales": (math.inf,)}, "learning-rate"),
    ],
)
def test_the_raw_one_is_named(numbers, cause):
    assert step_cause(history(start=Start(loss=1.0, **numbers))) == cause


def test_without_a_start_sizes_are_unknown():
    assert (target_size(history()), input_size(history()), off_center(history())) == (0.0, 0.0, 0.0)
    assert step_cause(history()) == "learning-rate"


def test_off_center_is_in_standard_deviations():
    start = Start(loss=1.0, input_scales=(5.0, 3.0, 1.0), input_spreads=(1.0, 0.5, 0.0))
    assert off_center(history(start=start)) == 6.0


def test_the_largest_step_is_relative():
    seen = history(look(parameters=(parameter(update_rms=0.07), parameter(weight_rms=0.0))), look(2))
    assert largest_step(seen) == pytest.approx(0.2)
    assert largest_step(history()) is None
