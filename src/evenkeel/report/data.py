"""Where the data of a run come from and how they were understood."""

from __future__ import annotations

from collections.abc import Mapping

from evenkeel.data.columns import Column
from evenkeel.network import Network
from evenkeel.page import Count, DataSection, Sentence, ShownColumn
from evenkeel.page.sections import TargetSketch
from evenkeel.record import RunRecord
from evenkeel.shapes import Tensor


def data(record: RunRecord, network: Network, sample: Mapping[str, Tensor]) -> DataSection:
    """Source, parts, columns and notes; the target of the kept test rows as its head draws it."""
    truth = sample.get("target")
    sketch = TargetSketch() if truth is None else network.head.sketch(truth, record.target)
    return DataSection(
        source=record.source,
        parts=[Count(name=name, count=count) for name, count in record.rows.items()],
        split=record.split,
        target=record.target.name,
        task=record.plan.task,
        reason=record.reason,
        columns=[_column(column) for column in record.schema_.columns],
        notes=[Sentence(text=note, tone="bad" if "leakage" in note else "note") for note in record.notes],
        target_values=sketch.values,
        target_rows=0 if truth is None else len(truth),
        target_counts=sketch.counts,
    )


def _column(column: Column) -> ShownColumn:
    return ShownColumn(
        name=column.name,
        kind=column.kind,
        missing=column.missing,
        examples=column.examples,
        role="left out" if column.note else "input",
        note=column.note.removeprefix("left out: "),
    )
