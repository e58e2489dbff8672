"""Symptoms: from what a run has shown to findings. Each file is one symptom, a pure function of a history."""

from evenkeel.finding import Finding
from evenkeel.parts import Registry, fill
from evenkeel.symptoms._history import History
from evenkeel.symptoms._record import SymptomPart as SymptomPart

PARTS: Registry[SymptomPart] = fill(__name__, "symptom", globals())
SEVERITIES = ("critical", "warning", "note")


def findings(history: History) -> tuple[Finding, ...]:
    """All findings of a history, the gravest first."""
    found = [finding for part in PARTS.values() for finding in part.call(history)]
    return tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity)))
