"""A finding: a symptom, where it shows, how much it matters, the evidence, and one plain sentence.

*Note*: worth knowing, learning is not harmed. *Warning*: learning is harmed. *Critical*: nothing is learned.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from evenkeel.errors import choices

Severity = Literal["note", "warning", "critical"]
Cause = Literal[
    "depth",
    "initialisation",
    "activation",
    "learning-rate",
    "optimizer",
    "data-scale",
    "target-scale",
    "output-activation",
    "loss-choice",
    "missing-normalisation",
    "batch-size",
    "numerics",
    "training-loop",
    "regularisation",
]


SYMPTOMS: set[str] = set()
"""Words for symptoms: each is added by the record of its file in `evenkeel.symptoms`, or in another package."""


def _known_symptom(symptom: str) -> str:
    """The word, if it names a symptom."""
    if symptom not in SYMPTOMS:
        raise ValueError(f"no symptom is called {symptom!r}; {choices(SYMPTOMS, symptom)}")
    return symptom


class Finding(BaseModel):
    """What was found: `evidence` holds the numbers behind the sentence, by name.

    `cause` is the likeliest cause by the evidence, not yet proved by an intervention; None where nothing speaks for any
    one.

    Example:
        >>> import evenkeel.symptoms  # the words
        >>> Finding(symptom="no-learning", where="training", severity="critical", sentence="Nothing moved.").severity
        'critical'
    """

    # A loss that overflowed is evidence too; JSON's usual null would not read back as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    symptom: Annotated[str, AfterValidator(_known_symptom)]
    where: str
    severity: Severity
    sentence: str
    evidence: dict[str, float] = {}
    cause: Cause | None = None
