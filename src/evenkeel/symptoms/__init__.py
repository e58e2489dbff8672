"""Symptoms: from what a run has shown to findings. Each file is one symptom, a pure function of a history."""

from evenkeel.finding import Finding
from evenkeel.parts import Registry, fill
from evenkeel.symptoms.base import SymptomPart as SymptomPart
from evenkeel.symptoms.history import History

PARTS: Registry[SymptomPart] = fill(__name__, "symptom", globals())
SEVERITIES = ("critical", "warning", "note")
READS = ("facts", "output", "chain", "course")


def findings(history: History) -> tuple[Finding, ...]:
    """All findings of a history: the gravest first, and among equals what explains before what is explained."""
    judged = [(part, finding) for part in PARTS.values() for finding in part.call(history)]
    judged.sort(key=lambda pair: (SEVERITIES.index(pair[1].severity), READS.index(pair[0].reads)))
    return tuple(finding for _, finding in judged)
