"""Sequences of numbers, of equal or unequal length: one answer for each sequence, or one for each of its steps.

Where each step has an answer, predictions come as one row a step, all of a sequence before the next one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from pydantic import Field

from evenkeel.data.dataset import FEWEST_ROWS, Dataset, Fitted, Labelled, labelled_dataset, set_target_apart, split_of
from evenkeel.data.fields import Fields, Joined
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.data.target import Target, encode_target, fit_target, present_rows, take_target
from evenkeel.data.weights import BALANCED
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, Asked, Kind, Prepared
from evenkeel.kinds.sequence.baselines import RIVALS
from evenkeel.kinds.sequence.body import sequence_body
from evenkeel.kinds.sequence.gaps import gap_notes, require_numbers
from evenkeel.kinds.sequence.read import is_sequences, read_answered, read_inputs
from evenkeel.kinds.sequence.recipe import sequence_recipe, usual_net
from evenkeel.kinds.sequence.schema import (
    Answers,
    Direction,
    Sequences,
    SequenceSchema,
    columns_of,
    encode_sequences,
    fit_channels,
)
from evenkeel.kinds.sequence.tables import Roles
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task

SHOWN_SEQUENCES, SHOWN_NUMBERS = 400, 100_000  # kept of the test part for the report's pictures


class SequenceOptions(Frozen):
    """How sequences are read."""

    series: str | None = Field(None, description="column of a long table that names the sequence of each row")
    time: str | None = Field(None, description="column of a long table that orders the steps; else they are in order")
    answers: Answers | None = Field(None, description="one answer an `example` or a `step`; else the shape tells")
    direction: Direction | None = Field(
        None, description="steps that may be known: `past` (the default where each step has an answer) or `both`"
    )


def prepare_sequences(data: Any, asked: Asked) -> Prepared:
    """Read, infer the task, split and encode.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: weights for steps, or the task of generation.
    """
    options = asked.options
    assert isinstance(options, SequenceOptions)
    if asked.task == "generation":
        raise RequestError(
            "sequences of numbers are not generated: a sequence run needs a target, as (X, y) or a column, and another "
            "task; to go on with a table of series, try kind='series'; of images say kind='image'"
        )
    found = read_answered(data, _roles(asked, options), asked=options.answers)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {len(found)} sequences"
    if found.steps is not None:
        return _prepare_steps(found, asked, options, source)
    target = found.target[0] if len(found.target) == 1 else found.target
    table = set_target_apart(found.table, target)
    choice = _task(table.target, asked.task, found)

    def fit(columns: pl.DataFrame, answers: Tensor, train: np.ndarray) -> Fitted:
        return _fitted(found, table.rows, train, options, "example")

    dataset = labelled_dataset(table, choice.kind, asked.request, fit, weight=asked.weight, source=source)
    return Prepared(dataset=dataset, choice=choice)


def _roles(asked: Asked, options: SequenceOptions) -> Roles:
    """The columns that are no channels."""
    target = asked.target
    named = () if target is None else (target,) if isinstance(target, str) else tuple(target)
    how, aside = asked.request.how, []
    if isinstance(how, str) and how.startswith("group:"):
        aside.append(how.removeprefix("group:"))
    if isinstance(asked.weight, str) and asked.weight != BALANCED:
        aside.append(asked.weight)
    return Roles(series=options.series, time=options.time, target=named, aside=tuple(aside))


def _task(answers: pl.DataFrame, asked: str | None, found: Sequences) -> TaskChoice:
    """The task asked for, what the file says of its answers, or what their values tell."""
    if asked is not None or found.said is None:
        return infer_task(answers, asked)
    inferred = infer_task(answers)
    right: Any = "class" if found.said == "class" else "number"
    if inferred.kind == right:
        return inferred
    task = "single-label" if right == "class" else "probabilistic-regression"
    words = "classes" if right == "class" else "numbers"
    return dataclasses.replace(infer_task(answers, task), reason=f"the file calls its answers {words}")


def _fitted(
    found: Sequences, rows: np.ndarray, train: np.ndarray, options: SequenceOptions, answers: Answers
) -> Fitted:
    """The schema of the training rows, and all rows encoded; `train` counts among `rows`."""
    require_numbers(found, rows)
    direction = options.direction or ("past" if answers == "step" else "both")
    schema = SequenceSchema(
        columns=columns_of(found),
        channels=fit_channels(found, rows[train]),
        answers=answers,
        direction=direction,
        series=options.series,
        time=options.time,
        steps=found.wide,
    )
    notes = [f"Column {column.name!r} is {column.note}." for column in found.left_out]
    if answers == "step" and options.direction is None:
        notes.append("Each step is answered from those up to it; with direction='both' from the later ones too.")
    return Fitted(
        schema=schema,
        inputs=encode_sequences(schema, found, rows),
        notes=(*found.notes, *gap_notes(found, rows), *notes),
    )


def _prepare_steps(found: Sequences, asked: Asked, options: SequenceOptions, source: str) -> Prepared:
    """The dataset of sequences whose every step has an answer; rows are sequences."""
    answers = _complete(found)
    if asked.weight is not None:
        raise RequestError("weights are of sequences, and here each step has an answer; leave sample_weight out")
    if len(found) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} sequences, got {len(found)}; a part of them must be held out to measure "
            "the result. Cut a long one into pieces, or forecast it with kind='series'"
        )
    choice = infer_task(answers, asked.task)
    schema = fit_target(answers, choice.kind)
    rows = np.arange(len(found))
    table = Labelled(features=found.table, target=found.table, rows=rows, height=len(rows), notes=())
    split, _ = split_of(table, torch.zeros(len(rows)), "number", asked.request)
    fitted = _fitted(found, rows, split.train, options, "step")
    dataset = Dataset(
        inputs=fitted.inputs,
        target=Joined(encode_target(schema, answers), found.starts),
        weight=None,
        split=split,
        schema=fitted.schema,
        target_schema=schema,
        source=source,
        notes=fitted.notes,
    )
    return Prepared(dataset=dataset, choice=choice)


def _complete(found: Sequences) -> pl.DataFrame:
    """The answers of all steps, if none is missing."""
    assert found.steps is not None
    there = present_rows(found.steps)
    if len(there) < found.steps.height:
        place = int(np.setdiff1d(np.arange(found.steps.height), there)[0])
        row = int(torch.searchsorted(found.starts, place, right=True)) - 1
        raise DataError(
            f"sequence {row} has no answer at its step {place - int(found.starts[row])}; each step needs one, or each "
            "sequence one alone"
        )
    return found.steps


def open_new(schema: DataSchema, new: Any) -> Sequences:
    """New sequences, read once."""
    assert isinstance(schema, SequenceSchema)
    return read_inputs(schema, new)


def encode_new(schema: DataSchema, new: Any) -> Fields:
    """New sequences as fields; those of a long table in the order in which they first appear."""
    assert isinstance(schema, SequenceSchema)
    found = read_inputs(schema, new)
    require_numbers(found)
    return encode_sequences(schema, found)


def keys_of_new(schema: DataSchema, new: Any) -> Mapping[str, Sequence[Any]]:
    """What each prediction belongs to: the series of a long table, with its time where each step has an answer.

    Of other sources nothing for one answer each, since these keep their order; else the sequence and the step, from 0.
    """
    assert isinstance(schema, SequenceSchema)
    found = read_inputs(schema, new)
    if schema.answers == "example":
        return {} if found.names is None else {found.names.name: found.names.to_list()}
    lengths = found.lengths.numpy()
    steps = np.concatenate([np.arange(length) for length in lengths]).tolist()
    if found.names is None:
        return {"sequence": np.repeat(np.arange(len(found)), lengths).tolist(), "step": steps}
    series = found.names.gather(np.repeat(np.arange(len(found)), lengths)).to_list()
    if found.times is not None:
        return {found.names.name: series, found.times.name: found.times.to_list()}
    return {found.names.name: series, "step" if found.names.name != "step" else "place": steps}


def answers_of_new(schema: DataSchema, target: Target, new: Any) -> Answered:
    """New sequences with known answers; those without are left out."""
    assert isinstance(schema, SequenceSchema)
    roles = Roles(series=schema.series, time=schema.time, target=target.columns)
    found = read_answered(new, roles, asked=schema.answers, trained=schema)
    require_numbers(found)
    if schema.answers == "step":
        answers = encode_target(target, _complete(found))
        return Answered(inputs=encode_sequences(schema, found), target=Joined(answers, found.starts))
    answers, _ = take_target(found.table, found.target)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no sequence has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode_sequences(schema, found, rows), target=encode_target(target, answers[rows]))


def keep_some(dataset: Dataset, rows: Tensor) -> Mapping[str, Tensor]:
    """The first test sequences, in units of the deviation, for the report's pictures."""
    lengths = _lengths(dataset, rows)
    count = int((lengths.cumsum(0) * _channels(dataset) <= SHOWN_NUMBERS).sum())
    chosen = rows[: min(count, SHOWN_SEQUENCES)]
    if not len(chosen):
        return {}
    values = dataset.inputs["values"].index_select(0, chosen)[..., : _channels(dataset)]
    return {"values": values, "lengths": lengths[: len(chosen)]}


def _channels(dataset: Dataset) -> int:
    assert isinstance(dataset.schema, SequenceSchema)
    return len(dataset.schema.channels)


def _lengths(dataset: Dataset, rows: Tensor) -> Tensor:
    """Steps of the given sequences."""
    if "lengths" in dataset.inputs:
        return dataset.inputs["lengths"].index_select(0, rows)
    return torch.full((len(rows),), dataset.inputs["values"].index_select(0, rows[:1]).shape[1])


SEQUENCE = Kind(
    name="sequence",
    summary="sequences of numbers: .ts files, arrays (row, step, channel), lists of matrices, long tables",
    source="Bagnall et al. 2018, arXiv:1811.00075 (the archives and their format)",
    schema=SequenceSchema,
    recognises=is_sequences,
    rank=20,
    prepare=prepare_sequences,
    encode=encode_new,
    answers=answers_of_new,
    net="cnn",
    usual=usual_net,
    recipe=sequence_recipe,
    body=sequence_body,
    options=SequenceOptions,
    rivals=RIVALS,
    keep=keep_some,
    keys=keys_of_new,
    open=open_new,
)
