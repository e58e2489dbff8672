import numpy as np
import pytest

from evenkeel.svg.ticks import linear_ticks, log_ticks, power_of_ten, round_step

RANGES = [(0, 1), (-3, 7), (0.1234, 0.1299), (-1e6, 5e6), (1e-9, 3e-9), (1e9, 1e9 + 1), (-1e300, 1e300), (0, 2e-310)]


@pytest.mark.parametrize("most", [2, 4, 6, 10])
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_linear_ticks_are_round_within_and_few(low, high, most):
    ticks = linear_ticks(low, high, most)
    values = np.array([tick.value for tick in ticks])
    slack = 1e-6 * (high - low)
    assert len(ticks) <= most
    assert (values >= low - slack).all() and (values <= high + slack).all()
    assert len({tick.label for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(("low", "high"), RANGES[:-1])
def test_there_are_always_some_linear_ticks(low, high):
    assert len(linear_ticks(low, high, 6)) >= 2


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (-1, 1, ["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
        (0, 45_000, ["0", "10k", "20k", "30k", "40k"]),
        (0, 3e7, ["0", "10M", "20M", "30M"]),
        (0, 5e-5, ["0", "1×10⁻⁵", "2×10⁻⁵", "3×10⁻⁵", "4×10⁻⁵", "5×10⁻⁵"]),
        (10_000, 10_004, ["10,000", "10,001", "10,002", "10,003", "10,004"]),
    ],
)
def test_linear_labels(low, high, labels):
    assert [tick.label for tick in linear_ticks(low, high)] == labels


@pytest.mark.parametrize("least", [1e-300, 3.7e-5, 0.2, 1, 1.0000001, 6, 99, 2.6e200])
def test_a_round_step_is_the_smallest_that_is_enough(least):
    step = round_step(least)
    leading = step / 10.0 ** np.floor(np.log10(step) + 1e-12)
    assert step >= least * (1 - 1e-8) and step <= least * 2.5
    assert min(abs(leading - choice) for choice in (1, 2, 2.5, 5, 10)) < 1e-6


def test_a_step_of_nothing_is_one():
    assert round_step(0.0) == round_step(float("nan")) == 1.0


@pytest.mark.parametrize("most", [4, 6])
@pytest.mark.parametrize(("low", "high"), [(1e-15, 1e3), (0.02, 2), (1, 1000), (3e-7, 8e-7), (1e-300, 1e300), (2, 4)])
def test_log_ticks_are_within_and_few(low, high, most):
    ticks = log_ticks(low, high, most)
    assert 2 <= len(ticks) <= most + 2
    assert all(low * (1 - 1e-6) <= tick.value <= high * (1 + 1e-6) for tick in ticks)


def test_log_labels():
    assert [tick.label for tick in log_ticks(0.02, 2.0)] == ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]
    assert [tick.label for tick in log_ticks(1e-9, 1e-6)] == ["10⁻⁹", "10⁻⁸", "10⁻⁷", "10⁻⁶"]
    assert [power_of_ten(power) for power in (-12, -1, 0, 3, 9)] == ["10⁻¹²", "0.1", "1", "1,000", "10⁹"]
