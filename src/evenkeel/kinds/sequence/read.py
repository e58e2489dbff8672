"""Read `Sequences` from `.ts` files, arrays (X, y), long and wide tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evenkeel.data.arrays import as_frame
from evenkeel.errors import DataError
from evenkeel.kinds.sequence.arrays import (
    is_padded_pair,
    is_sequence_array,
    is_uneven,
    read_array,
    read_ts_sequences,
    with_answers,
)
from evenkeel.kinds.sequence.schema import AnswersPer, Sequences, SequenceSchema
from evenkeel.kinds.sequence.tables import Roles, read_long, read_wide
from evenkeel.kinds.sequence.ts_files import is_ts_path
from evenkeel.shapes import Tensor

PAIR = 2


def is_sequences(data: Any) -> bool:
    """Whether data can only be sequences: a `.ts` path, or (X, y) whose X can be nothing else.

    Example:
        >>> is_sequences((np.zeros((5, 20, 3)), np.zeros(5))), is_sequences("prices.csv")
        (True, False)
    """
    if is_ts_path(data):
        return True
    if not isinstance(data, tuple):
        return is_sequence_array(data)  # which lacks answers: reading it says so
    return len(data) == PAIR and (is_sequence_array(data[0]) or (is_list_of_arrays(data[0]) and is_uneven(data[1])))


def read_answered(
    data: Any, roles: Roles, *, per: AnswersPer | None = None, trained: SequenceSchema | None = None
) -> Sequences:
    """Read sequences with their answers.

    Args:
        data: a `.ts` path, a pair (X, y), or a table.
        roles: the columns of a table that are no channels; `target` also names the answers of arrays.
        per: `example` or `step`; None: inferred from the answers.
        trained: the schema, where the sequences are new ones of a trained network.

    Raises:
        DataError: the data cannot be read, or have no answers.
    """
    if is_ts_path(data):
        sequences = read_ts_sequences(data, roles.target)
    elif isinstance(data, tuple):
        sequences = _read_pair(data, roles, per, trained)
    elif not is_flat(data):
        sequences = read_array(data)
    else:
        sequences = _read_table(as_frame(data, None), roles, per, trained)
    if not sequences.target:
        raise DataError(
            "these sequences come without answers, and a sequence run needs a target; name the target column, or give "
            "y in (X, y)"
        )
    return sequences


def _read_pair(
    data: tuple[Any, ...], roles: Roles, per: AnswersPer | None, trained: SequenceSchema | None
) -> Sequences:
    """Read (X, y); of a table X the answers become columns."""
    if len(data) != PAIR:
        raise DataError(f"expected a pair (X, y), got a tuple of {len(data)}")
    if not is_flat(data[0]) or (is_list_of_arrays(data[0]) and is_uneven(data[1])):
        return with_answers(read_array(data[0]), data[1], roles.target, per)
    before = set(as_frame(data[0], None, _steps(trained)).columns)
    frame = as_frame(data, roles.target or None, _steps(trained))
    answers = tuple(name for name in frame.columns if name not in before)
    return _read_table(frame, replace(roles, target=answers), per, trained)


def read_inputs(schema: SequenceSchema, new: Any) -> Sequences:
    """Read new sequences, with answers or without, in the form of training or any other with the same channels.

    Raises:
        DataError: the data cannot be read as sequences.
    """
    if isinstance(new, Sequences):  # read already
        return new
    if is_ts_path(new):
        return read_ts_sequences(new, ())
    _refuse_one(schema, new)
    if not is_flat(new):
        return read_array(new)
    return _read_table(as_frame(new, None, _steps(schema)), Roles(series=schema.series, time=schema.time), None, schema)


def _refuse_one(schema: SequenceSchema, new: Any) -> None:
    """Refuse one sequence outside a list, and a pair that is not (padded array, lengths).

    Raises:
        DataError: nothing, one sequence that is in no list, or a pair of something else.
    """
    if isinstance(new, (list, tuple)) and not len(new):
        raise DataError(f"expected at least one sequence, got an empty {type(new).__name__}")
    if isinstance(new, tuple) and len(new) == PAIR and len(getattr(new[0], "shape", ())) == 3:
        if not is_padded_pair(new):
            raise DataError(
                "expected (padded array, lengths) with lengths as an array of whole numbers, one a sequence"
            )
        return
    if isinstance(new, (list, tuple)):
        shape = (len(new),) if isinstance(new[0], (int, float, np.number)) else ()
    else:
        shape = tuple(new.shape) if isinstance(new, (np.ndarray, Tensor)) else ()
    channels = len(schema.channels)
    # Of one channel an array (row, step) is several sequences: only a single column can be nothing but steps.
    alone = len(shape) == 2 and shape[1] == channels and (channels > 1 or not schema.steps)
    if len(shape) == 1 or alone:
        raise DataError(
            f"expected a list of sequences, each (step, channel), got shape {shape}; one sequence alone goes into a "
            "list: [x]"
        )


def is_list_of_arrays(data: Any) -> bool:
    """Whether this is a list of arrays or tensors, one a sequence."""
    return isinstance(data, list) and bool(data) and all(isinstance(each, (np.ndarray, Tensor)) for each in data)


def is_flat(inputs: Any) -> bool:
    """Whether this is a table rather than sequences: a data frame or its path, or numbers of two axes."""
    if is_padded_pair(inputs) or is_sequence_array(inputs):
        return False
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], (np.ndarray, Tensor)):
        return False
    return not isinstance(inputs, (np.ndarray, Tensor)) or len(inputs.shape) == PAIR


def _read_table(frame: Any, roles: Roles, per: AnswersPer | None, trained: SequenceSchema | None) -> Sequences:
    """Read a table as long where a series column is named, else as wide."""
    if roles.series is not None:
        channels = [channel.name for channel in trained.channels] if trained else None
        return read_long(frame, roles, channels=channels, per=per)
    return read_wide(frame, roles, steps=_steps(trained))


def _steps(trained: SequenceSchema | None) -> Sequence[str] | None:
    """Names for the columns of a wide table of training."""
    return trained.steps if trained is not None and trained.steps else None
