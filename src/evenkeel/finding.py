"""A finding: a symptom, where it shows, how much it matters, the evidence, and one plain sentence.

*Note*: worth knowing, learning is not harmed. *Warning*: learning is harmed. *Critical*: nothing is learned.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["note", "warning", "critical"]
Symptom = Literal[
    "vanishing-gradient",
    "exploding-gradient",
    "input-blind",
    "dead-units",
    "saturated-units",
    "non-finite",
    "loss-spike",
    "no-learning",
    "oscillation",
    "wrong-first-loss",
    "output-mismatch",
    "frozen-parameters",
    "unscaled-data",
    "collapsed-output",
    "accumulating-gradient",
    "overfitting",
]


class Finding(BaseModel):
    """What was found: `evidence` holds the numbers behind the sentence, by name.

    Example:
        >>> Finding(symptom="no-learning", where="training", severity="critical", sentence="Nothing moved.").severity
        'critical'
    """

    # A loss that overflowed is evidence too; JSON's usual null would not read back as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    symptom: Symptom
    where: str
    severity: Severity
    sentence: str
    evidence: dict[str, float] = {}
