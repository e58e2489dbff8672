"""Predicted numbers against true ones: where they lie, what is left over, and whether the uncertainty is honest."""

import numpy as np

from evenkeel.page.comparisons import RegressionSection
from evenkeel.page.html import Markup, counted, figure, join, paragraph, plots
from evenkeel.svg import calibration_chart, histogram_chart, interval_chart, numbers, percent, scatter_chart

PIT_BINS = 10
NOMINAL = np.linspace(0.05, 0.95, 19)  # levels of the central intervals whose coverage is drawn


def regression_section(section: RegressionSection) -> Markup:
    """Scatter, residuals, intervals, and the calibration of the predicted distributions."""
    drawn = [_scatter(section), _residuals(section)]
    if section.lower is not None:
        drawn.append(_intervals(section))
    if section.pit is not None and np.isfinite(numbers(section.pit)).any():
        drawn += [_coverage(section), _transform(section)]
    return join(paragraph(_sentence(section)), plots(*drawn))


def _with_unit(words: str, section: RegressionSection) -> str:
    return f"{words} ({section.unit})" if section.unit else words


def _sentence(section: RegressionSection) -> str:
    rows = f"{counted(len(section.truth), 'test row')}."
    if section.lower is None or section.upper is None:
        return rows
    truth, lower, upper = numbers(section.truth), numbers(section.lower), numbers(section.upper)
    known = np.isfinite(truth) & np.isfinite(lower) & np.isfinite(upper)
    if not known.any():
        return rows
    held = ((lower <= truth) & (truth <= upper))[known]
    stated = percent(section.level)
    return f"{rows} Of the {stated} intervals, {percent(held.mean(), 1)} hold the truth ({held.sum()} of {held.size})."


def _scatter(section: RegressionSection) -> Markup:
    chart = scatter_chart(
        section.truth,
        section.prediction,
        title="Prediction against truth",
        x_label=_with_unit(f"true {section.target}", section),
        y_label=_with_unit(f"predicted {section.target}", section),
        reference="diagonal",
    )
    return figure(chart, "On the dashed line a prediction equals the truth.")


def _residuals(section: RegressionSection) -> Markup:
    chart = scatter_chart(
        section.prediction,
        numbers(section.truth) - numbers(section.prediction),
        title="What is left over",
        x_label=_with_unit(f"predicted {section.target}", section),
        y_label=_with_unit("truth − prediction", section),
        reference="zero",
    )
    return figure(chart, "Without pattern: nothing left to learn. A bend: something missed. A funnel: uneven noise.")


def _intervals(section: RegressionSection) -> Markup:
    assert section.lower is not None and section.upper is not None
    chart = interval_chart(
        section.prediction,
        section.lower,
        section.upper,
        truth=section.truth,
        title=f"{percent(section.level)} intervals",
        x_label="test rows in order of prediction",
        y_label=_with_unit(section.target, section),
    )
    return figure(chart, f"About {percent(1 - section.level)} of the truths should lie outside their interval.")


def _coverage(section: RegressionSection) -> Markup:
    assert section.pit is not None
    known = numbers(section.pit)
    known = known[np.isfinite(known)]
    observed = [float((np.abs(known - 0.5) <= level / 2).mean()) for level in NOMINAL]
    chart = calibration_chart(
        NOMINAL,
        observed,
        title="Coverage of the intervals",
        x_label="probability stated",
        y_label="share of truths inside",
    )
    return figure(chart, "Above the line: intervals too wide. Below it: too narrow, the network is overconfident.")


def _transform(section: RegressionSection) -> Markup:
    assert section.pit is not None
    known = numbers(section.pit)
    chart = histogram_chart(
        known,
        title="Where the truth fell in the predicted distribution",
        x_label="predicted probability of values below the truth",
        y_label="test rows",
        bins=PIT_BINS,
        limits=(0.0, 1.0),
        expected=float(np.isfinite(known).sum()) / PIT_BINS,
        expected_label="if every distribution were right",
    )
    return figure(
        chart, "Level: honest. A hump: too wide. High ends: too narrow. A slope: predictions off to one side."
    )
