"""The network of a run beside plain models on the same test rows."""

from __future__ import annotations

from evenkeel import metrics
from evenkeel.page import BaselineRow, BaselinesSection, ShownMetric
from evenkeel.record import RunRecord


def baselines(record: RunRecord) -> BaselinesSection | None:
    """The metrics that at least one plain model has too; None where there was none."""
    if not record.baselines:
        return None
    shared = [name for name in record.metrics if any(name in theirs for theirs in record.baselines.values())]
    columns = [
        ShownMetric(name=name, better="higher" if metrics.PARTS[name].better == "higher" else "lower")
        for name in shared
    ]
    ours = BaselineRow(name="evenkeel", values=[record.metrics[name] for name in shared], model="ours")
    plain = [
        BaselineRow(name=name, values=[theirs.get(metric) for metric in shared])
        for name, theirs in record.baselines.items()
    ]
    return BaselinesSection(metrics=columns, rows=[ours, *plain], sentence=record.verdict)
