"""The record that each kind of data ends with: how it is recognised, read, encoded, and what reads it.

data -> prepare -> Dataset + task -> recipe -> Plan -> body -> features; new data -> encode, or answers where they are
known. Everything after that is the same for all kinds.

A kind is typed by its schema (what it learns of the training rows) and by its options (how it is read).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import polars as pl
from torch import nn

from evenkeel.data.dataset import Dataset, SplitRequest
from evenkeel.data.fields import Field, Fields
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.data.target import Target
from evenkeel.data.weights import Weighting
from evenkeel.errors import RequestError
from evenkeel.heads import HeadPart
from evenkeel.heads.answers import Answers
from evenkeel.heads.base import Head
from evenkeel.kinds.side import Side
from evenkeel.nets import Net
from evenkeel.nets.base import Body
from evenkeel.page import Section
from evenkeel.parts import Part
from evenkeel.plan import Plan
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice

S = TypeVar("S", bound=DataSchema)
O = TypeVar("O", bound=Frozen)  # noqa: E741 - the options, beside the schema


class NetShape(Frozen):
    """What a net's size owes to the data it was built for, beyond the schema; so far only tables leave something.

    `pieces` of each number column, and the columns that are `flagged` for missing values.
    """

    pieces: tuple[int, ...] | None = None
    flagged: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataRequest(Generic[O]):
    """Request for a dataset: the target columns, the task, the split, weights, and the options of the kind.

    `net` is the name of the net, for kinds that encode by it, or `given` for a module of the user's.
    """

    options: O
    target: str | Sequence[str] | None = None
    task: str | None = None
    split: SplitRequest = field(default_factory=SplitRequest)
    weight: Weighting = None
    net: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the target columns; none where no target is asked for."""
        return () if self.target is None else (self.target,) if isinstance(self.target, str) else tuple(self.target)


@dataclass(frozen=True, kw_only=True)
class Prepared(Generic[S]):
    """The dataset, and the task of its target."""

    dataset: Dataset[S]
    choice: TaskChoice


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """New examples as fields.

    `keys` are columns that say which prediction belongs to what: names of files, of nodes, of series and their times;
    as long as the predictions, in their order. Without, a row is its own key.
    """

    inputs: Fields
    keys: Mapping[str, Sequence[Any] | pl.Series] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """New examples as fields, and their answers as `Dataset.target` holds them."""

    inputs: Fields
    target: Field


@dataclass(frozen=True, kw_only=True)
class Build(Generic[S]):
    """What a net is built from: the plan, the record of the net or a module of the user's, the schema, the target.

    `dataset` is None where weights will be loaded.
    """

    plan: Plan
    part: Net | None
    given: nn.Module | None
    schema: S
    target: Target
    shape: NetShape
    dataset: Dataset[S] | None = None


@dataclass(frozen=True, kw_only=True)
class Shown(Generic[S]):
    """Test rows that a run kept for the pictures of its report.

    `tensors` are those that the kind kept, under its own names; `output` and `target` are of the kept rows; `answers`
    are both in words, where there are words for them; `network` is the net with its head.
    """

    schema: S
    head: Head
    network: nn.Module
    tensors: Mapping[str, np.ndarray]
    output: Tensor | None = None
    target: Tensor | None = None
    answers: Answers | None = None


Baseline = Callable[[HeadPart, Dataset[S], Tensor, Tensor, int], np.ndarray | None]
"""(head, dataset, rows to learn from, rows to predict, seed) -> predictions as metrics take them, or None."""


def refuse_to_generate(network: nn.Module, schema: DataSchema, prompt: object, **options: Any) -> str:
    """Say that data of this kind are no texts.

    Raises:
        RequestError: always.
    """
    raise RequestError("this run was not trained to continue a text; train on a text without target for that")


@dataclass(frozen=True, kw_only=True)
class Kind(Part, Generic[S, O]):
    """A kind of data, typed by its schema and its options.

    Args:
        schema: the class of what is learned of the training rows.
        options: settings of reading and encoding, as a frozen pydantic model with a description of each.
        recognises: whether data (a path or an object) of no stated kind are of this one; asked in the order of `rank`.
        without_target: the same for data of which neither kind nor target is said, given the task; asked before that.
        rank: the lower is asked first; `table` is asked last and takes what nobody else wants.
        prepare: reads, splits and encodes.
        encode: new data without answers as fields, with the keys of what will be predicted.
        answers: new data with known answers.
        net: the default net.
        usual: the default net by what the data are, where one does not suit them all.
        recipe: (name of the net, dataset, choice) -> defaults of the plan where they differ from a table's.
        body: the module from the fields of a batch to features, and what it needs of its head.
        shape: what the net's size owes to the data.
        baselines: plain models beside the network, by name.
        restore: (schema, what a latent head decoded) -> examples as the data hold them.
        keep: (dataset, test rows) -> tensors of some examples, kept with the run for the report's pictures.
        pictures: what the report shows of these; None where there is nothing to show.
        generate: (network, schema, prompt, options of `continue_text`) -> the text that follows.
        side: how such data are read as one side of a pair; None where they cannot be.
    """

    schema: type[S]
    options: type[O]
    recognises: Callable[[Any], bool]
    rank: int
    prepare: Callable[[Any, DataRequest[O]], Prepared[S]]
    encode: Callable[[S, Any], Encoded]
    answers: Callable[[S, Target, Any], Answered]
    net: str
    recipe: Callable[[str, Dataset[S], TaskChoice], Mapping[str, Any]]
    body: Callable[[Build[S]], Body]
    usual: Callable[[Dataset[S]], str] | None = None
    without_target: Callable[[Any, str | None], bool] = lambda data, task: False
    shape: Callable[[Plan, Dataset[S], nn.Module | None], NetShape] = lambda plan, dataset, net: NetShape()
    baselines: Mapping[str, Baseline[S]] = field(default_factory=dict)
    restore: Callable[[S, Tensor], Tensor] = lambda schema, decoded: decoded
    keep: Callable[[Dataset[S], Tensor], Mapping[str, Tensor]] = lambda dataset, rows: {}
    pictures: Callable[[Shown[S]], Section | None] = lambda shown: None
    generate: Callable[..., str] = refuse_to_generate
    side: Side[S] | None = None
