"""The headline numbers of a run on its test rows, each with its unit and what it says."""

from __future__ import annotations

from evenkeel import metrics, page
from evenkeel.record import RunRecord
from evenkeel.train.scores import metric_of


def figures(record: RunRecord) -> list[page.Figure]:
    """A figure for every metric, in the head's order."""
    return [_figure(name, value, record.target.name) for name, value in record.metrics.items()]


def _figure(name: str, value: float, target: str) -> page.Figure:
    metric = metrics.PARTS[metric_of(name)]
    return page.Figure(
        name=name.replace("_", " "),
        value=value,
        unit=f"in units of {target}" if metric.unit == "target" else "",
        explanation=metric.explain(name),
        form=metric.form,
    )
