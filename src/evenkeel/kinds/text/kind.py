"""Texts: classes and numbers of texts and of pairs of texts, and generation from one plain text.

Without anything else said a bag of words, neighbours and runs of letters is read by an MLP, which is fast and strong on
small data; `net="transformer"` and `net="rnn"` read tokens in their order, and a text without target is continued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field as Option

from evenkeel.data.columns import describe, tidy
from evenkeel.data.dataset import Dataset, Fitted, labelled_dataset, set_target_apart
from evenkeel.data.fields import Fields, Ragged
from evenkeel.data.schema import Frozen
from evenkeel.data.table import read_table
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, Asked, Kind, Prepared
from evenkeel.kinds.text.baselines import RIVALS
from evenkeel.kinds.text.body import text_body
from evenkeel.kinds.text.folders import has_classes, names_of
from evenkeel.kinds.text.read import (
    TARGET,
    Source,
    is_folder,
    is_list_of_texts,
    is_named_text,
    is_path,
    leads_somewhere,
    looks_like_prose,
    read_text,
    read_texts,
)
from evenkeel.kinds.text.recipe import text_recipe
from evenkeel.kinds.text.schema import Reading, TextSchema, encode_texts, fit_texts, shown_texts, texts_of
from evenkeel.kinds.text.streams import Cuts, encode_stream, read_stream
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task

VOCABULARY = {"words": 50_000, "characters": 5_000, "bytes": 256, "bpe": 2_000}


class TextOptions(Frozen):
    """How texts are read."""

    text: str | None = Option(None, description="column of text, or two for pairs: A,B; else the one of prose")
    tokens: Literal["auto", "words", "characters", "bytes", "bpe"] = Option(
        "auto", description="what a text is cut into; auto: words, and characters for generation"
    )
    vocabulary: int | None = Option(None, ge=1, description="most tokens, of bags also neighbours and runs of letters")
    ngrams: int = Option(2, ge=1, le=5, description="of bags: tokens side by side that count as one piece")
    letters: int = Option(5, ge=0, le=10, description="of bags: longest run of letters in a word; 0: none")
    longest: int = Option(512, ge=1, description="tokens kept of a text")
    window: int = Option(128, ge=4, description="of generation: tokens that are read at once")


def recognises_texts(data: Any) -> bool:
    """A folder of classes, or texts in a list with their answers."""
    if is_path(data):
        return has_classes(Path(data).expanduser())
    return isinstance(data, tuple) and len(data) == 2 and is_list_of_texts(data[0]) and not isinstance(data[1], str)


def without_target(data: Any, task: str | None) -> bool:
    """A plain text; or for generation any file of text, a table with a column of prose, or a list of texts."""
    if isinstance(data, str) and not is_path(data):
        return True
    if is_path(data) and looks_like_prose(Path(data).expanduser()):
        return True
    if task != "generation" or isinstance(data, tuple):
        return False
    if is_list_of_texts(data) or (is_path(data) and is_named_text(Path(data).expanduser())):
        return True
    try:
        frame = read_table(data)
    except DataError:
        return False
    return any(frame[name].dtype == pl.String and describe(tidy(frame[name])).kind == "text" for name in frame.columns)


def prepare_texts(data: Any, asked: Asked) -> Prepared:
    """Read, set the target apart, infer the task, split and encode; or cut one text into windows."""
    options = asked.options
    assert isinstance(options, TextOptions)
    if _to_continue(data, asked):
        return _prepare_stream(data, asked, options)
    target = (TARGET,) if asked.target is None else _names(asked.target)
    source = read_texts(data, text=options.text, target=target)
    table = set_target_apart(source.frame, _target_of(source, asked.target))
    choice = infer_task(table.target, asked.task)
    _require_columns(table.features, source.columns)

    def fit(features: pl.DataFrame, target: Tensor, train: np.ndarray) -> Fitted:
        found = fit_texts(features, source.columns, train, _reading(options, asked.net))
        shown = {"texts": _padded(features, source.columns)}
        return Fitted(schema=found.schema, inputs=found.inputs, notes=(*source.notes, *found.notes), shown=shown)

    said = str(data) if is_path(data) else f"a {type(data).__name__} of {source.frame.height} texts"
    dataset = labelled_dataset(table, choice.kind, asked.request, fit, weight=asked.weight, source=said)
    return Prepared(dataset=dataset, choice=choice)


def _names(target: str | Sequence[str]) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else tuple(target)


def _target_of(source: Source, asked: str | Sequence[str] | None) -> str | Sequence[str]:
    """What is to be predicted: as asked, or the answers that came with the texts."""
    if asked is not None:
        return asked
    names = [name for name in source.frame.columns if name == TARGET or name.startswith(f"{TARGET}_")]
    if not names:
        raise RequestError(
            f"which column is to be predicted? Give target=...; there are: {source.frame.columns[:20]}; or say "
            "task='generation' to continue the text"
        )
    return names[0] if len(names) == 1 else names


def _require_columns(features: pl.DataFrame, columns: tuple[str, ...]) -> None:
    """The text must not be the target."""
    lost = [name for name in columns if name not in features.columns]
    if lost:
        raise RequestError(f"column {lost[0]!r} is the target and cannot be the text as well; give text=...")


def _reading(options: TextOptions, net: str) -> Reading:
    """The options, with what they leave open."""
    unit = "words" if options.tokens == "auto" else options.tokens
    return Reading(
        unit=unit,
        order="bag" if net in ("", "mlp") else "order",
        vocabulary=options.vocabulary or VOCABULARY[unit],
        ngrams=options.ngrams,
        letters=options.letters,
        longest=options.longest,
    )


def _padded(frame: pl.DataFrame, columns: tuple[str, ...]) -> Ragged:
    found = shown_texts(frame, columns)
    return Ragged(found.values, found.starts)


def _to_continue(data: Any, asked: Asked) -> bool:
    """Whether a text is to be continued: as asked, or because it is a plain one and nothing else."""
    if asked.task == "generation":
        if asked.target is not None:
            raise RequestError("a text to be continued has no target; leave target out, or give another task")
        return True
    words = isinstance(data, str) and not leads_somewhere(data)
    return asked.target is None and (words or without_target(data, asked.task))


def _prepare_stream(data: Any, asked: Asked, options: TextOptions) -> Prepared:
    """One text in windows, split by position."""
    request = asked.request
    if request.how != "random" or asked.weight is not None:
        raise RequestError("a text to be continued is split by position and has no weights; leave split and weight out")
    if not 0 <= request.validation + request.test < 1:
        raise RequestError(f"validation + test must be in [0, 1), got {request.validation} + {request.test}")
    text, said, notes = _whole_text(data, options.text)
    unit = "characters" if options.tokens == "auto" else options.tokens
    cuts = Cuts(request.validation, request.test)
    vocabulary = options.vocabulary or VOCABULARY[unit]
    stream = read_stream(text, unit, vocabulary=vocabulary, window=options.window, cuts=cuts)
    dataset = Dataset(
        inputs={"tokens": stream.inputs},
        target=stream.target,
        weight=None,
        split=stream.split,
        schema=stream.schema,
        target_schema=Target(columns=("next token",), kind="tokens", size=stream.schema.tokens.size),
        source=said,
        notes=(*notes, *stream.notes),
    )
    choice = TaskChoice(task="generation", kind="tokens", counts=False, reason="a text without a target is continued")
    return Prepared(dataset=dataset, choice=choice)


def _whole_text(data: Any, column: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The text, where it came from, and notes; texts of a table or a list stand one below the other."""
    if column is None and is_path(data) and is_named_text(Path(data).expanduser()):
        found = read_text(Path(data).expanduser())
        return found.text, str(data), (found.note,) if found.note else ()
    if isinstance(data, str) and not leads_somewhere(data):
        return data, f"a text of {len(data)} characters", ()
    source = read_texts(data, text=column)
    if len(source.columns) > 1:
        raise RequestError("only one text can be continued, not pairs; give the name of one column")
    joined = "\n".join(texts_of(source.frame, *source.columns)) + "\n"
    return joined, str(data) if is_path(data) else f"{source.frame.height} texts", source.notes


def encode_new(schema: TextSchema, new: Any) -> Fields:
    """New texts without answers: a list, a frame with the columns of training, or a path.

    Raises:
        DataError: what is given is no text, or a column is missing.
        RequestError: the run continues texts and has nothing to say of rows.
    """
    if schema.window is not None:
        raise RequestError(
            "a run that continues a text predicts no rows; try run.generate(prompt), or run.evaluate(text) for scores"
        )
    return encode_texts(schema, _frame_of(schema, new))


def _frame_of(schema: TextSchema, new: Any, target: Sequence[str] = ()) -> pl.DataFrame:
    """New texts under the names of training."""
    given = isinstance(new, tuple) or is_list_of_texts(new) or is_path(new)
    source = read_texts(new, text=None if given and not _is_table(new) else schema.text, target=target)
    if len(source.columns) != len(schema.text):
        expected = "pairs of texts" if len(schema.text) > 1 else "single texts"
        raise DataError(f"expected {expected}, as in training; got {len(source.columns)} column(s) of text")
    return source.frame.rename(dict(zip(source.columns, schema.text, strict=True)), strict=False)


def keys_of_new(schema: TextSchema, new: Any) -> Mapping[str, Sequence[Any]]:
    """The files of a folder, one a prediction; texts from elsewhere keep their order and have no names."""
    if schema.window is not None or not is_folder(new):
        return {}
    return {"file": names_of(Path(new).expanduser())}


def _is_table(new: Any) -> bool:
    """Whether a path leads to a table, whose columns have names."""
    return is_path(new) and Path(new).expanduser().is_file() and not looks_like_prose(Path(new).expanduser())


def answers_of_new(schema: TextSchema, target: Target, new: Any) -> Answered:
    """New texts with known answers."""
    if schema.window is not None:
        inputs, answers = encode_stream(schema, _whole_text(new, None)[0])
        return Answered(inputs={"tokens": inputs}, target=answers)
    frame = _frame_of(schema, new, target.columns)
    answers, _ = take_target(frame, target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no text has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode_texts(schema, frame[rows]), target=encode_target(target, answers[rows]))


def keep_texts(dataset: Dataset, rows: Tensor) -> Mapping[str, Tensor]:
    """The texts of some rows as bytes (row, byte), padded with 0."""
    if "texts" not in dataset.shown:
        return {}
    return {"texts": dataset.shown["texts"].index_select(0, rows)}


TEXT = Kind(
    name="text",
    summary="texts and pairs of texts with answers: lists, tables, folders of files; a plain text to be continued",
    source="Joulin et al. 2017, arXiv:1607.01759; Bengio et al. 2003 (language models)",
    schema=TextSchema,
    recognises=recognises_texts,
    without_target=without_target,
    rank=40,
    prepare=prepare_texts,
    encode=encode_new,
    answers=answers_of_new,
    net="mlp",
    usual=lambda dataset: "transformer" if dataset.target_schema.kind == "tokens" else "mlp",
    recipe=text_recipe,
    body=text_body,
    options=TextOptions,
    rivals=RIVALS,
    keep=keep_texts,
    keys=keys_of_new,
)
