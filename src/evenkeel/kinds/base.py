"""The record that each kind of data ends with: how it is recognised, read, encoded, and what reads it.

data -> prepare -> Dataset + task -> recipe -> Plan -> body -> features; new data -> encode, or answers where they are
known. Everything after that is the same for all kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from evenkeel.data.dataset import Dataset, SplitRequest
from evenkeel.data.fields import Field, Fields
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.data.target import Target
from evenkeel.data.weights import Weighting
from evenkeel.heads import HeadPart
from evenkeel.nets import Net
from evenkeel.nets.base import Body
from evenkeel.parts import Part
from evenkeel.plan import Plan
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice


class NetShape(Frozen):
    """What a net's size owes to the data it was built for, beyond the schema; so far only tables leave something.

    `pieces` of each number column, and the columns that are `flagged` for missing values.
    """

    pieces: tuple[int, ...] | None = None
    flagged: tuple[int, ...] = ()


class NoOptions(Frozen):
    """A kind whose reading has no options."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for: the target columns, the task, the split, weights, and the options of the kind.

    `net` is the name of the net, for kinds that encode by it, or `given` for a module of the user's.
    """

    target: str | Sequence[str] | None = None
    task: str | None = None
    request: SplitRequest = field(default_factory=SplitRequest)
    weight: Weighting = None
    options: Frozen = field(default_factory=NoOptions)
    net: str = ""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The dataset, and the task of its target."""

    dataset: Dataset
    choice: TaskChoice


@dataclass(frozen=True, kw_only=True)
class Answered:
    """New examples as fields, and their answers as `Dataset.target` holds them."""

    inputs: Fields
    target: Field


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a net is built from: the plan, the record of the net or a module of the user's, the schema, the target.

    `dataset` is None where weights will be loaded.
    """

    plan: Plan
    part: Net | None
    given: nn.Module | None
    schema: DataSchema
    target: Target
    shape: NetShape
    dataset: Dataset | None = None


Rival = Callable[[HeadPart, Dataset, Tensor, Tensor, int], np.ndarray | None]
"""(head, dataset, known rows, asked rows, seed) -> predictions of the asked rows as metrics take them, or None."""


@dataclass(frozen=True, kw_only=True)
class Kind(Part):
    """A kind of data.

    Args:
        schema: the class of what is learned of the training rows.
        recognises: whether data (a path or an object) of no stated kind are of this one; asked in the order of `rank`.
        without_target: the same for data of which neither kind nor target is said, given the task; asked before that.
        rank: the lower is asked first; `table` is asked last and takes what nobody else wants.
        prepare: reads, splits and encodes.
        encode: new data without answers as fields.
        answers: new data with known answers.
        net: the default net.
        usual: the default net by what the data are, where one does not suit them all.
        recipe: (name of the net, dataset, choice) -> defaults of the plan where they differ from a table's.
        body: the module from the fields of a batch to features, and what it needs of its head.
        shape: what the net's size owes to the data.
        options: settings of reading and encoding, as a frozen pydantic model with a description of each.
        rivals: plain models beside the network, by name.
        restore: (schema, what a latent head decoded) -> examples as the data hold them.
        keep: (dataset, test rows) -> tensors of some examples, kept with the run for the report's pictures.
        open: (schema, new data) -> the same as it was read, which `encode` and `keys` take as well: read once for both.
        keys: (schema, new data) -> columns that say which prediction belongs to what: names of files, of nodes, of
            series and their times; as long as the predictions, in their order. Without: a row is its own key.
    """

    schema: type[DataSchema]
    recognises: Callable[[Any], bool]
    rank: int
    prepare: Callable[[Any, Asked], Prepared]
    encode: Callable[[Any, Any], Fields]
    answers: Callable[[Any, Target, Any], Answered]
    net: str
    recipe: Callable[[str, Dataset, TaskChoice], Mapping[str, Any]]
    body: Callable[[Build], Body]
    usual: Callable[[Dataset], str] | None = None
    without_target: Callable[[Any, str | None], bool] = lambda data, task: False
    shape: Callable[[Plan, Dataset, nn.Module | None], NetShape] = lambda plan, dataset, net: NetShape()
    options: type[Frozen] = NoOptions
    rivals: Mapping[str, Rival] = field(default_factory=dict)
    restore: Callable[[Any, Tensor], Tensor] = lambda schema, decoded: decoded
    keep: Callable[[Dataset, Tensor], Mapping[str, Tensor]] = lambda dataset, rows: {}
    open: Callable[[Any, Any], Any] = lambda schema, new: new
    keys: Callable[[Any, Any], Mapping[str, Sequence[Any]]] = lambda schema, new: {}
