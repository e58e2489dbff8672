"""The record that each symptom file ends with: how a symptom is read off a history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from evenkeel.finding import SYMPTOMS, Cause, Finding
from evenkeel.parts import Part
from evenkeel.symptoms.history import History

Reads = Literal["facts", "output", "chain", "course"]


@dataclass(frozen=True, kw_only=True)
class SymptomPart(Part):
    """A symptom: a pure function from what a run has shown to findings of this one symptom.

    `causes` are those that it may name, the commonest first. `reads` says what it rests on: facts of the set-up and
    its loop come before what the output can reach, that before the chain, and the course of the loss last. `no_onset`
    is the reason why it begins in no training that was sound at first; empty where it can.
    """

    symptom: str
    call: Callable[[History], tuple[Finding, ...]]
    causes: tuple[Cause, ...]
    reads: Reads
    no_onset: str = ""

    def __post_init__(self) -> None:
        SYMPTOMS.add(self.symptom)
