"""Which columns the network of a run leans on."""

from __future__ import annotations

from evenkeel.page import ColumnImportance, ImportanceSection
from evenkeel.record import RunRecord
from evenkeel.train.importance import REPEATS


def importance(record: RunRecord) -> ImportanceSection | None:
    """How much the foremost metric worsens without each column; None where that was not measured."""
    if not record.importance:
        return None
    columns = [ColumnImportance(name=each.column, drop=each.drop, spread=each.spread) for each in record.importance]
    return ImportanceSection(metric=record.head.metrics[0], columns=columns, repeats=REPEATS)
