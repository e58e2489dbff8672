"""Sequences from arrays and from `.ts` files.

    (row, step, channel)            all of one length, as an array or a tensor
    [(step, channel), ...]          of unequal length; (step,) where there is one channel
    (padded, lengths)               (row, step, channel), of which the first `lengths` (row,) steps are real

Answers: one for each sequence, or for each step: a list of arrays (step,) or (step, label), or an array
(row, step[, label]).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from evenkeel.data.arrays import as_frame
from evenkeel.data.columns import tidy
from evenkeel.data.fields import join
from evenkeel.errors import DataError
from evenkeel.kinds.sequence.schema import LENGTH, AnswersPer, Sequences
from evenkeel.kinds.sequence.ts_files import read_ts
from evenkeel.shapes import Tensor

AXES = "expected an array (row, step, channel), a list of arrays (step, channel), or a pair (padded array, lengths)"
SMALL = (torch.uint8, torch.int8, torch.int16, torch.bool, torch.float16, torch.bfloat16)  # which float32 holds exactly
PAIR = 2


def is_sequence_array(data: Any) -> bool:
    """Whether data can only be sequences: numbers of three axes that are no images, a list of matrices, a pair.

    Example:
        >>> is_sequence_array(np.zeros((5, 20, 3))), is_sequence_array(np.zeros((5, 28, 28), np.uint8))
        (True, False)
    """
    if isinstance(data, (np.ndarray, Tensor)):
        return len(data.shape) == 3 and "uint8" not in str(data.dtype)
    if isinstance(data, list) and data and all(isinstance(each, (np.ndarray, Tensor)) for each in data):
        axes = {len(each.shape) for each in data}
        return axes == {2} or (axes == {1} and len({len(each) for each in data}) > 1)
    return is_padded_pair(data)


def is_padded_pair(data: Any) -> bool:
    """Whether this is a pair (padded array, lengths)."""
    if not (isinstance(data, tuple) and len(data) == PAIR):
        return False
    shapes = [np.shape(each) for each in data if isinstance(each, (np.ndarray, Tensor))]
    return len(shapes) == PAIR and len(shapes[0]) == 3 and len(shapes[1]) == 1


def read_array(data: Any) -> Sequences:
    """Read sequences without answers.

    Raises:
        DataError: another shape, an empty sequence, unequal channels, or lengths beyond the steps.

    Example:
        >>> sequences = read_array([np.zeros((5, 2)), np.zeros((3, 2))])
        >>> sequences.lengths.tolist(), sequences.channels
        ([5, 3], ('x0', 'x1'))
    """
    pieces = _pieces(data)
    for row, piece in enumerate(pieces):
        if piece.dim() != 2 or piece.shape[1] != pieces[0].shape[1] or not piece.numel():
            raise DataError(
                f"sequence {row} has shape {tuple(piece.shape)}, the first one {tuple(pieces[0].shape)}; each must be "
                "(step, channel), with at least one step and as many channels in all of them"
            )
    values, starts = join(pieces)
    table = pl.DataFrame({LENGTH: starts.diff().numpy()})
    return Sequences(
        values=values, starts=starts, channels=tuple(f"x{index}" for index in range(values.shape[1])), table=table
    )


def _pieces(data: Any) -> Sequence[Tensor]:
    """Split data into one tensor (step, channel) a sequence."""
    if is_padded_pair(data):
        padded, lengths = _numbers(data[0]), _numbers(data[1])
        if len(padded) != len(lengths):
            raise DataError(
                f"got {len(padded)} sequences and {len(lengths)} lengths; expected a length for each sequence"
            )
        if not bool(((lengths >= 1) & (lengths <= padded.shape[1]) & (lengths == lengths.round())).all()):
            raise DataError(
                f"lengths must be whole numbers from 1 to the {padded.shape[1]} steps there are, got "
                f"{float(lengths.min()):g} to {float(lengths.max()):g}; leave out sequences without any step"
            )
        return [row[: int(length)] for row, length in zip(padded, lengths, strict=True)]
    if isinstance(data, (list, tuple)) and len(data) and np.ndim(data[0]) in (1, 2):
        pieces = [_numbers(each) for each in data]
        return [piece.unsqueeze(1) if piece.dim() == 1 else piece for piece in pieces]
    if isinstance(data, (np.ndarray, Tensor, list)) and len(np.shape(data)) == 3 and len(data):
        return _numbers(data).unbind(0)
    came = f"shape {tuple(np.shape(data))}" if isinstance(data, (np.ndarray, Tensor)) else type(data).__name__
    raise DataError(f"{AXES}; got {came}")


def _numbers(data: Any) -> Tensor:
    """Convert to floating-point numbers, without a copy where they are."""
    try:
        values = data.detach().cpu() if isinstance(data, Tensor) else torch.from_numpy(_plain(data))
    except (TypeError, ValueError) as problem:
        raise DataError(f"sequences must hold numbers: {str(problem).splitlines()[0]}") from problem
    if values.is_floating_point() and values.dtype not in SMALL:
        return values
    return values.float() if values.dtype in SMALL else values.double()


def _plain(data: Any) -> np.ndarray:
    """An array that torch takes: None as NaN."""
    array = np.asarray(data)
    array = array.astype(np.float64) if array.dtype == object else array
    return np.ascontiguousarray(array if array.flags.writeable else array.copy())


def with_answers(sequences: Sequences, answers: Any, target: Sequence[str], per: AnswersPer | None) -> Sequences:
    """Add answers to sequences, one each or one for each step.

    Args:
        sequences: sequences without answers.
        answers: as at the top of this file.
        target: names for them; `target`, or `target_0` ..., where there are none.
        per: `example` or `step`; None: inferred from the shape.

    Raises:
        DataError: not one answer for each sequence, or step.
    """
    if (per or _answers_per(sequences, answers)) == "step":
        return _with_steps(sequences, answers, target)
    table = as_frame((sequences.table, answers), target or None)
    names = tuple(name for name in table.columns if name != LENGTH)
    return Sequences(**{**vars(sequences), "table": table, "target": names})


def _answers_per(sequences: Sequences, answers: Any) -> AnswersPer:
    """Infer from the shape whether there are as many answers in each row as steps, or one."""
    shape = np.shape(answers) if isinstance(answers, (np.ndarray, Tensor)) else ()
    if len(shape) >= 2:
        return "step" if len(shape) == 3 or shape[1] == int(sequences.lengths.max()) > 1 else "example"
    sizes = _sizes(answers)
    if sizes == sequences.lengths.tolist() or is_uneven(answers):
        return "step"
    return "example"


def is_uneven(answers: Any) -> bool:
    """Whether answers are lists of unequal length and no lists of labels: then they can only be those of steps.

    Example:
        >>> is_uneven([np.zeros(2), np.zeros(3)]), is_uneven([["red"], ["red", "blue"]])
        (True, False)
    """
    sizes = _sizes(answers)
    if None in sizes or len(set(sizes)) < 2:
        return False
    first = answers[0]
    return not isinstance(first, (list, tuple)) or all(
        isinstance(item, (int, float)) for row in answers for item in row
    )


def _sizes(answers: Any) -> list[int | None]:
    """Number of answers in each entry of a list, None where the entry is one answer; empty where it is no list."""
    of_objects = isinstance(answers, np.ndarray) and answers.dtype == object and answers.ndim == 1
    if not (isinstance(answers, (list, tuple)) or of_objects):
        return []
    return [_size(each) for each in answers]


def _size(each: Any) -> int | None:
    if isinstance(each, (np.ndarray, Tensor, pl.Series)):
        return len(each) if len(each.shape) else None
    return len(each) if isinstance(each, (list, tuple)) else None


def _with_steps(sequences: Sequences, answers: Any, target: Sequence[str]) -> Sequences:
    """Add a row of answers for each step."""
    listed = answers.detach().cpu().numpy() if isinstance(answers, Tensor) else answers
    lengths = sequences.lengths.tolist()
    if len(listed) != len(lengths):
        raise DataError(f"X has {len(lengths)} sequences and y has {len(listed)}; they must be equal")
    pieces = [_piece(row, each) for row, each in enumerate(listed)]
    if isinstance(listed, np.ndarray) and listed.ndim > 1:  # as padded as the values
        pieces = [piece[:length] for piece, length in zip(pieces, lengths, strict=True)]
    for row, (piece, length) in enumerate(zip(pieces, lengths, strict=True)):
        if piece.shape[:1] != (length,) or piece.shape[1:] != pieces[0].shape[1:]:
            raise DataError(
                f"sequence {row} has {_plural(length, 'step')} and {_size_in_words(piece)}; expected one answer for "
                "each step, of one size in all of them"
            )
    joined = np.concatenate(pieces)
    columns = joined.reshape(len(joined), -1)
    names = tuple(target) if len(target) == columns.shape[1] else _names(columns.shape[1])
    steps = pl.DataFrame([tidy(_series(name, columns[:, index])) for index, name in enumerate(names)])
    return Sequences(**{**vars(sequences), "steps": steps, "target": names})


def _piece(row: int, answers: Any) -> np.ndarray:
    """The answers of one sequence."""
    try:
        return np.asarray(answers.detach().cpu() if isinstance(answers, Tensor) else answers)
    except ValueError as problem:
        raise DataError(
            f"the answers of sequence {row} are of unequal size; expected as many at each step"
        ) from problem


def _size_in_words(piece: np.ndarray) -> str:
    """Number of answers in words, or their shape where each is several."""
    if piece.ndim == 1:
        return _plural(len(piece), "answer")
    return f"answers of shape {piece.shape}" if piece.ndim else "one answer"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _series(name: str, values: np.ndarray) -> pl.Series:
    """A column of answers; of objects each by itself."""
    return pl.Series(name, values.tolist() if values.dtype == object else np.ascontiguousarray(values), strict=False)


def _names(count: int) -> tuple[str, ...]:
    return ("target",) if count == 1 else tuple(f"target_{index}" for index in range(count))


def read_ts_sequences(path: str | Path, target: Sequence[str]) -> Sequences:
    """The sequences of a `.ts` file; its answers are named by `target`, else as in its header.

    Raises:
        DataError: see `read_ts`.
    """
    file = read_ts(path)
    sequences = read_array(list(file.sequences))
    if file.answer is None:
        return sequences
    name = target[0] if target else file.answer
    answers = pl.Series(name, list(file.answers), dtype=pl.String)
    if file.answer == "target":
        answers = tidy(answers)
        if not answers.dtype.is_numeric():
            raise DataError(f"{path}: its header says @targetLabel, so answers must be numbers, got {answers[0]!r}")
    table = sequences.table.with_columns(answers)
    return Sequences(**{**vars(sequences), "table": table, "target": (name,), "answer_kind": file.answer})
