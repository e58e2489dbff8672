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

from evenkeel.data.dataset import (
    FEWEST_ROWS,
    Dataset,
    EncodedRows,
    LabelledTable,
    dataset_of,
    hold_out,
    set_target_apart,
    split_of,
)
from evenkeel.data.fields import Joined
from evenkeel.data.schema import Frozen
from evenkeel.data.target import Target, encode_target, fit_target, present_rows, take_target
from evenkeel.data.weights import BALANCED
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.sequence.baselines import BASELINES
from evenkeel.kinds.sequence.body import sequence_body
from evenkeel.kinds.sequence.gaps import gap_notes, require_numbers
from evenkeel.kinds.sequence.pictures import keep_sequences, sequence_pictures
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
from evenkeel.task import TaskChoice, infer_task


class SequenceOptions(Frozen):
    """How sequences are read."""

    series: str | None = Field(None, description="column of a long table that names the sequence of each row")
    time: str | None = Field(None, description="column of a long table that orders the steps; else they are in order")
    answers: Answers | None = Field(None, description="one answer an `example` or a `step`; else the shape tells")
    direction: Direction | None = Field(
        None, description="steps that may be known: `past` (the default where each step has an answer) or `both`"
    )


def prepare_sequences(data: Any, request: DataRequest[SequenceOptions]) -> Prepared[SequenceSchema]:
    """Read, infer the task, split and encode.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: weights for steps, or the task of generation.
    """
    options = request.options
    if request.task == "generation":
        raise RequestError(
            "sequences of numbers are not generated: a sequence run needs a target, as (X, y) or a column, and another "
            "task; to go on with a table of series, try kind='series'; of images say kind='image'"
        )
    found = read_answered(data, _roles(request), asked=options.answers)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {len(found)} sequences"
    if found.steps is not None:
        return _prepare_steps(found, request, source)
    target = found.target[0] if len(found.target) == 1 else found.target
    table = set_target_apart(found.table, target)
    choice = _task(table.target, request.task, found)
    rows = hold_out(table, choice.kind, request.split, weight=request.weight)
    fitted = _fit(found, table.rows, rows.split.train, options, "example")
    return Prepared(dataset=dataset_of(rows, fitted, source), choice=choice)


def _roles(request: DataRequest[SequenceOptions]) -> Roles:
    """The columns that are no channels."""
    options, how, aside = request.options, request.split.how, []
    if isinstance(how, str) and how.startswith("group:"):
        aside.append(how.removeprefix("group:"))
    if isinstance(request.weight, str) and request.weight != BALANCED:
        aside.append(request.weight)
    return Roles(series=options.series, time=options.time, target=request.columns, aside=tuple(aside))


def _task(answers: pl.DataFrame, task: str | None, found: Sequences) -> TaskChoice:
    """The task asked for, what the file says of its answers, or what their values tell."""
    if task is not None or found.said is None:
        return infer_task(answers, task)
    inferred = infer_task(answers)
    right: Any = "class" if found.said == "class" else "number"
    if inferred.kind == right:
        return inferred
    task = "single-label" if right == "class" else "probabilistic-regression"
    words = "classes" if right == "class" else "numbers"
    return dataclasses.replace(infer_task(answers, task), reason=f"the file calls its answers {words}")


def _fit(
    found: Sequences, rows: np.ndarray, train: np.ndarray, options: SequenceOptions, answers: Answers
) -> EncodedRows[SequenceSchema]:
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
    return EncodedRows(
        schema=schema,
        inputs=encode_sequences(schema, found, rows),
        notes=(*found.notes, *gap_notes(found, rows), *notes),
    )


def _prepare_steps(found: Sequences, request: DataRequest[SequenceOptions], source: str) -> Prepared[SequenceSchema]:
    """The dataset of sequences whose every step has an answer; rows are sequences."""
    answers = _complete(found)
    if request.weight is not None:
        raise RequestError("weights are of sequences, and here each step has an answer; leave sample_weight out")
    if len(found) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} sequences, got {len(found)}; a part of them must be held out to measure "
            "the result. Cut a long one into pieces, or forecast it with kind='series'"
        )
    choice = infer_task(answers, request.task)
    schema = fit_target(answers, choice.kind)
    rows = np.arange(len(found))
    table = LabelledTable(features=found.table, target=found.table, rows=rows, height=len(rows), notes=())
    split, _ = split_of(table, torch.zeros(len(rows)), "number", request.split)
    fitted = _fit(found, rows, split.train, request.options, "step")
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
    if found.steps is None:
        raise TypeError("these sequences have one answer each")
    there = present_rows(found.steps)
    if len(there) < found.steps.height:
        place = int(np.setdiff1d(np.arange(found.steps.height), there)[0])
        row = int(torch.searchsorted(found.starts, place, right=True)) - 1
        raise DataError(
            f"sequence {row} has no answer at its step {place - int(found.starts[row])}; each step needs one, or each "
            "sequence one alone"
        )
    return found.steps


def encode_new(schema: SequenceSchema, new: Any) -> Encoded:
    """New sequences as fields; those of a long table in the order in which they first appear."""
    found = read_inputs(schema, new)
    require_numbers(found)
    return Encoded(inputs=encode_sequences(schema, found), keys=_keys(schema, found))


def _keys(schema: SequenceSchema, found: Sequences) -> Mapping[str, Sequence[Any]]:
    """What each prediction belongs to: the series of a long table, with its time where each step has an answer.

    Of other sources nothing for one answer each, since these keep their order; else the sequence and the step, from 0.
    """
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


def answers_of_new(schema: SequenceSchema, target: Target, new: Any) -> Answered:
    """New sequences with known answers; those without are left out."""
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
    baselines=BASELINES,
    keep=keep_sequences,
    pictures=sequence_pictures,
)
