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
    AnswersPer,
    KnownSteps,
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
    answers: AnswersPer | None = Field(None, description="one answer an `example` or a `step`; else the shape tells")
    direction: KnownSteps | None = Field(
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
    sequences = read_answered(data, _roles(request), per=options.answers)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {len(sequences)} sequences"
    if sequences.steps is not None:
        return _prepare_steps(sequences, request, source)
    target = sequences.target[0] if len(sequences.target) == 1 else sequences.target
    table = set_target_apart(sequences.table, target)
    choice = _task(table.target, request.task, sequences)
    rows = hold_out(table, choice.kind, request.split, weight=request.weight)
    fitted = _fit(sequences, table.rows, rows.split.train, options, "example")
    return Prepared(dataset=dataset_of(rows, fitted, source), choice=choice)


def _roles(request: DataRequest[SequenceOptions]) -> Roles:
    """Roles of the columns that are no channels."""
    options, how, aside = request.options, request.split.how, []
    if isinstance(how, str) and how.startswith("group:"):
        aside.append(how.removeprefix("group:"))
    if isinstance(request.weight, str) and request.weight != BALANCED:
        aside.append(request.weight)
    return Roles(series=options.series, time=options.time, target=request.columns, aside=tuple(aside))


def _task(answers: pl.DataFrame, task: str | None, sequences: Sequences) -> TaskChoice:
    """The task of the request; else by the file's own account of its answers, else by their values."""
    if task is not None or sequences.answer_kind is None:
        return infer_task(answers, task)
    inferred = infer_task(answers)
    right: Any = "class" if sequences.answer_kind == "class" else "number"
    if inferred.kind == right:
        return inferred
    task = "single-label" if right == "class" else "probabilistic-regression"
    words = "classes" if right == "class" else "numbers"
    return dataclasses.replace(infer_task(answers, task), reason=f"the file calls its answers {words}")


def _fit(
    sequences: Sequences, rows: np.ndarray, train: np.ndarray, options: SequenceOptions, answers: AnswersPer
) -> EncodedRows[SequenceSchema]:
    """The schema of the training rows, and all rows encoded; `train` counts among `rows`."""
    require_numbers(sequences, rows)
    direction = options.direction or ("past" if answers == "step" else "both")
    schema = SequenceSchema(
        columns=columns_of(sequences),
        channels=fit_channels(sequences, rows[train]),
        answers=answers,
        direction=direction,
        series=options.series,
        time=options.time,
        steps=sequences.wide,
    )
    notes = [f"Column {column.name!r} is {column.note}." for column in sequences.left_out]
    if answers == "step" and options.direction is None:
        notes.append("Each step is answered from those up to it; with direction='both' from the later ones too.")
    return EncodedRows(
        schema=schema,
        inputs=encode_sequences(schema, sequences, rows),
        notes=(*sequences.notes, *gap_notes(sequences, rows), *notes),
    )


def _prepare_steps(
    sequences: Sequences, request: DataRequest[SequenceOptions], source: str
) -> Prepared[SequenceSchema]:
    """Build the dataset of sequences whose every step has an answer; rows are sequences."""
    answers = _complete(sequences)
    if request.weight is not None:
        raise RequestError("weights are of sequences, and here each step has an answer; leave sample_weight out")
    if len(sequences) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} sequences, got {len(sequences)}; a part of them must be held out to "
            "measure the result. Cut a long one into pieces, or forecast it with kind='series'"
        )
    choice = infer_task(answers, request.task)
    schema = fit_target(answers, choice.kind)
    rows = np.arange(len(sequences))
    table = LabelledTable(features=sequences.table, target=sequences.table, rows=rows, height=len(rows), notes=())
    split, _ = split_of(table, torch.zeros(len(rows)), "number", request.split)
    fitted = _fit(sequences, rows, split.train, request.options, "step")
    dataset = Dataset(
        inputs=fitted.inputs,
        target=Joined(encode_target(schema, answers), sequences.starts),
        weight=None,
        split=split,
        schema=fitted.schema,
        target_schema=schema,
        source=source,
        notes=fitted.notes,
    )
    return Prepared(dataset=dataset, choice=choice)


def _complete(sequences: Sequences) -> pl.DataFrame:
    """The answers of all steps; refuses missing ones."""
    if sequences.steps is None:
        raise TypeError("these sequences have one answer each")
    present = present_rows(sequences.steps)
    if len(present) < sequences.steps.height:
        place = int(np.setdiff1d(np.arange(sequences.steps.height), present)[0])
        row = int(torch.searchsorted(sequences.starts, place, right=True)) - 1
        raise DataError(
            f"sequence {row} has no answer at its step {place - int(sequences.starts[row])}; each step needs one, or "
            "each sequence one alone"
        )
    return sequences.steps


def encode_new(schema: SequenceSchema, new: Any) -> Encoded:
    """Encode new sequences; those of a long table in the order in which they first appear."""
    sequences = read_inputs(schema, new)
    require_numbers(sequences)
    return Encoded(inputs=encode_sequences(schema, sequences), keys=_keys(schema, sequences))


def _keys(schema: SequenceSchema, sequences: Sequences) -> Mapping[str, Sequence[Any]]:
    """Keys of the predictions: the series of a long table, with its time where each step has an answer.

    Other sources keep their order and have no keys for one answer each; else the sequence and the step, from 0.
    """
    if schema.answers == "example":
        return {} if sequences.names is None else {sequences.names.name: sequences.names.to_list()}
    lengths = sequences.lengths.numpy()
    steps = np.concatenate([np.arange(length) for length in lengths]).tolist()
    if sequences.names is None:
        return {"sequence": np.repeat(np.arange(len(sequences)), lengths).tolist(), "step": steps}
    series = sequences.names.gather(np.repeat(np.arange(len(sequences)), lengths)).to_list()
    if sequences.times is not None:
        return {sequences.names.name: series, sequences.times.name: sequences.times.to_list()}
    return {sequences.names.name: series, "step" if sequences.names.name != "step" else "place": steps}


def answers_of_new(schema: SequenceSchema, target: Target, new: Any) -> Answered:
    """Encode new sequences with known answers; those without are left out."""
    roles = Roles(series=schema.series, time=schema.time, target=target.columns)
    sequences = read_answered(new, roles, per=schema.answers, trained=schema)
    require_numbers(sequences)
    if schema.answers == "step":
        answers = encode_target(target, _complete(sequences))
        return Answered(inputs=encode_sequences(schema, sequences), target=Joined(answers, sequences.starts))
    answers, _ = take_target(sequences.table, sequences.target)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no sequence has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode_sequences(schema, sequences, rows), target=encode_target(target, answers[rows]))


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
