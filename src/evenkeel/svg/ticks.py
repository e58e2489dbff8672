"""Round numbers along an axis: 1, 2, 2.5 or 5 times a power of ten, or the decades of a logarithmic axis."""

from dataclasses import dataclass

import numpy as np

from evenkeel.svg.text import MINUS, SUPERSCRIPT, NumberLike, scientific

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
ROUNDING = 1e-9  # of a step: what floating point may lose where an end of the axis is itself a tick
FEW_DECADES = 1.2  # below this many decades a logarithmic axis gets evenly spaced numbers
PLAIN_DECADES = range(-2, 4)  # powers of ten that are clearer written out: 0.01 to 1,000


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One mark on an axis: its value in data units and the label written there (may be empty)."""

    value: NumberLike
    label: str


def linear_ticks(low: NumberLike, high: NumberLike, most: int = 6) -> list[Tick]:
    """At most `most` round numbers from `low` to `high`, labelled with as many decimals as the step needs.

    Example:
        >>> [tick.label for tick in linear_ticks(0, 1)]
        ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']

    """
    step = round_step((high - low) / max(most - 1, 1))
    first, last = np.ceil(low / step - ROUNDING), np.floor(high / step + ROUNDING)
    if last - first + 1 > most:
        step = round_step(1.01 * step)
        first, last = np.ceil(low / step - ROUNDING), np.floor(high / step + ROUNDING)
    values = [float(step * index) for index in np.arange(first, last + 1)]
    return [Tick(value=value, label=label) for value, label in zip(values, _labels(values, step), strict=True)]


def round_step(least: NumberLike) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`.

    Example:
        >>> [round_step(least) for least in (0.13, 0.9, 21.0)]
        [0.2, 1.0, 25.0]

    """
    if not least > np.finfo(float).tiny:
        return 1.0
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(step * power for step in STEPS if step * power >= least * (1 - ROUNDING)))


def _labels(values: list[float], step: NumberLike) -> list[str]:
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 1e13 or 0 < largest < 1e-3:
        decimals = _decimals(step / 10.0 ** np.floor(np.log10(largest)))
        return ["0" if value == 0 else scientific(value, decimals) for value in values]
    size, suffix = next(
        (size, suffix) for least, size, suffix in _SUFFIXES if largest >= least and (step >= size / 100 or size == 1)
    )
    decimals = _decimals(step / size)
    return [_plain(value / size, decimals) + (suffix if value else "") for value in values]


_SUFFIXES = ((1e10, 1e9, "G"), (1e7, 1e6, "M"), (1e4, 1e3, "k"), (0.0, 1.0, ""))


def _plain(value: NumberLike, decimals: int) -> str:
    if value == 0 and decimals == 0:
        return "0"
    return f"{value + 0.0:,.{decimals}f}".replace("-", MINUS)


def _decimals(step: NumberLike) -> int:
    """How many decimals tell two neighbouring multiples of `step` apart, and show 2.5 as such."""
    for decimals in range(13):
        if abs(round(step, decimals) - step) <= 1e-6 * step:
            return decimals
    return 12


def log_ticks(low: NumberLike, high: NumberLike, most: int = 6) -> list[Tick]:
    """Ticks of a logarithmic axis: decades, with 2 and 5 between where there are few, thinned where there are many.

    Example:
        >>> [tick.label for tick in log_ticks(1e-6, 1.0)]
        ['10⁻⁶', '10⁻⁴', '0.01', '1']

    """
    bottom, top = np.log10(low), np.log10(high)
    if top - bottom < FEW_DECADES:
        even = linear_ticks(low, high, most)
        between = _one_two_five(bottom, top)
        return between if len(between) >= 3 else even
    first, last = int(np.ceil(bottom - ROUNDING)), int(np.floor(top + ROUNDING))
    if 3 * (last - first + 1) <= most + 1:
        return _one_two_five(bottom, top)
    stride = next(stride for stride in range(1, 1000) if (last - first) // stride + 1 <= most)
    powers = [power for power in range(first, last + 1) if power % stride == 0]
    return [Tick(value=10.0**power, label=power_of_ten(power)) for power in powers]


def _one_two_five(bottom: NumberLike, top: NumberLike) -> list[Tick]:
    ticks = []
    for power in range(int(np.floor(bottom)), int(np.ceil(top)) + 1):
        for leading in (1, 2, 5):
            if bottom - ROUNDING <= np.log10(leading) + power <= top + ROUNDING:
                label = power_of_ten(power) if leading == 1 or power in PLAIN_DECADES else ""
                shown = label if leading == 1 or not label else _plain(leading * 10.0**power, max(0, -power))
                ticks.append(Tick(value=leading * 10.0**power, label=shown))
    return ticks


def power_of_ten(power: int) -> str:
    """The label of a decade: written out near one, `10⁻⁵` elsewhere.

    Example:
        >>> power_of_ten(2), power_of_ten(-5)
        ('100', '10⁻⁵')

    """
    if power in PLAIN_DECADES:
        return _plain(10.0**power, max(0, -power))
    return "10" + str(power).translate(SUPERSCRIPT)
