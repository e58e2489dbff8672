"""What the training showed, as the page lists it."""

from __future__ import annotations

from evenkeel.page import ShownFinding
from evenkeel.record import RunRecord


def findings(record: RunRecord) -> list[ShownFinding]:
    """The findings of a run, the gravest first."""
    return [
        ShownFinding(
            symptom=each.symptom,
            sentence=each.sentence,
            severity=each.severity,
            where=each.where,
            cause=each.cause or "",
        )
        for each in record.findings
    ]
