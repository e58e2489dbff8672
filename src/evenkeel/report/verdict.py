"""What a person should know of a run first, in plain sentences."""

from __future__ import annotations

from evenkeel.page import Sentence
from evenkeel.record import RunRecord
from evenkeel.train.signals import EXIT_CODES

LATE = 0.98  # of the budget: a best update after that says that the loss was still falling
HONEST = (0.85, 0.95)  # share of the truth in the 90 % intervals


def verdict(record: RunRecord) -> list[Sentence]:
    """Interruption, the plain models, findings, what more training may do, intervals, leakage."""
    sentences = [
        *_interruption(record),
        *_beside_plain_models(record),
        *(Sentence(text=each.sentence, tone="bad") for each in record.findings if each.severity != "note"),
        *_unfinished(record),
        *_intervals(record),
        *(Sentence(text=note, tone="bad") for note in record.notes if "leakage" in note),
    ]
    return sentences or [Sentence(text=measured(record), tone="note")]


def _interruption(record: RunRecord) -> list[Sentence]:
    if record.ended not in EXIT_CODES:
        return []
    return [Sentence(text="Training was interrupted; this is the best network so far.", tone="bad")]


def _beside_plain_models(record: RunRecord) -> list[Sentence]:
    lost = record.verdict.startswith("A plain")
    return [Sentence(text=record.verdict, tone="note" if lost else "good")] if record.verdict else []


def _unfinished(record: RunRecord) -> list[Sentence]:
    looks = record.looks
    falling = looks and record.ended == "budget" and record.best_update >= LATE * looks[-1].update
    if not falling or not record.rows["validation"]:
        return []
    return [Sentence(text="The loss was still falling at the end: more updates may help.", tone="note")]


def _intervals(record: RunRecord) -> list[Sentence]:
    covered = record.metrics.get("coverage_90")
    if covered is None:
        return []
    text = f"The 90 % intervals hold {covered:.0%} of the truth on the test rows."
    return [Sentence(text=text, tone="good" if HONEST[0] <= covered <= HONEST[1] else "note")]


def measured(record: RunRecord) -> str:
    """Sentences on the metrics where no plain model was beside the network."""
    foremost = record.head.metrics[0]
    if foremost not in record.metrics:
        return "The network is trained; no rows were held out to measure it."
    name, value = foremost.replace("_", " "), f"{record.metrics[foremost]:.4g}"
    return (
        f"On {record.rows['test']} test rows that nothing has touched, {name} is {value}; no plain model answers this."
    )
