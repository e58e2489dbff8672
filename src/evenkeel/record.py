"""Everything about a run besides its weights, as one value that is saved as JSON and read back checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, PlainValidator, SerializeAsAny

from evenkeel.chain import Chain
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.data.target import Target
from evenkeel.finding import Finding
from evenkeel.heads import HeadPart
from evenkeel.heads.for_task import head_for
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds import Kind
from evenkeel.kinds.base import NetShape
from evenkeel.kinds.choose import read_schema
from evenkeel.plan import Plan
from evenkeel.train.importance import Importance
from evenkeel.train.loop import Look

SHOWN = "shown."  # before the names of what a run's sample holds of the examples themselves
FORMAT = 1  # of the saved folder; a newer one is refused with a message, not misread


class RunRecord(Frozen):
    """What was asked, what was understood, what was done, what came out.

    `metrics` and `baselines` are those of the test rows; `rows` counts the rows of each part; `ended` says why
    training ended; `net` is `own` or, for a module of the user's, `given`; `net_text` and `loss_text` name them.
    `chains` are those of the first and of the last step that was looked at.
    """

    # A metric may be infinite; JSON's usual null would not read back as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    format: Literal[1] = FORMAT
    version: str
    created: str
    source: str
    command: str
    schema_: Annotated[SerializeAsAny[DataSchema], PlainValidator(read_schema)]
    target: Target
    plan: Plan
    shape: NetShape
    net: Literal["own", "given"]
    net_text: str
    loss_text: str
    reason: str
    split: str
    rows: dict[str, int]
    notes: tuple[str, ...]
    looks: tuple[Look, ...]
    best_update: int
    seconds: float
    ended: str
    engine: str
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    verdict: str
    importance: tuple[Importance, ...]
    findings: tuple[Finding, ...]
    chains: tuple[Chain, ...] = ()

    @property
    def head(self) -> HeadPart:
        """The record of the head."""
        return head_for(self.plan.task, self.target.kind, name=self.plan.head)

    @property
    def kind(self) -> Kind:
        """The record of the kind of data."""
        return KINDS[self.schema_.kind]
