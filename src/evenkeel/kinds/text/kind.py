"""Texts: classes and numbers of texts and of pairs of texts, and generation from one plain text.

By default an MLP reads a bag of words, neighbours and runs of letters, which is fast and strong on small data;
`net="transformer"` and `net="rnn"` read tokens in their order, and a text without target is continued.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from evenkeel.data.columns import describe, tidy
from evenkeel.data.dataset import dataset_of, hold_out, set_target_apart
from evenkeel.data.table import read_table
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.text.baselines import BASELINES
from evenkeel.kinds.text.body import text_body
from evenkeel.kinds.text.continued import answers_of_stream, prepare_stream
from evenkeel.kinds.text.folders import has_classes
from evenkeel.kinds.text.generate import continue_text
from evenkeel.kinds.text.options import TextOptions, reading_of
from evenkeel.kinds.text.pictures import keep_texts, text_pictures
from evenkeel.kinds.text.read import (
    TARGET,
    TextSource,
    is_list_of_texts,
    is_named_text,
    is_path,
    leads_somewhere,
    looks_like_prose,
    read_texts,
)
from evenkeel.kinds.text.recipe import text_recipe
from evenkeel.kinds.text.schema import TextSchema, encode_texts, fit_texts
from evenkeel.kinds.text.side import TEXT_SIDE
from evenkeel.task import infer_task


def recognises_texts(data: Any) -> bool:
    """Whether data are a folder of classes, or a list of texts with their answers."""
    if is_path(data):
        return has_classes(Path(data).expanduser())
    return isinstance(data, tuple) and len(data) == 2 and is_list_of_texts(data[0]) and not isinstance(data[1], str)


def without_target(data: Any, task: str | None) -> bool:
    """Whether data are a plain text; for generation also a text file, a table with a column of prose, or a list."""
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


def prepare_texts(data: Any, request: DataRequest[TextOptions]) -> Prepared[TextSchema]:
    """Read, set the target apart, infer the task, split and encode; or cut one text into windows."""
    if _to_continue(data, request):
        return prepare_stream(data, request)
    options = request.options
    target = (TARGET,) if request.target is None else request.columns
    source = read_texts(data, text=options.text, target=target)
    table = set_target_apart(source.frame, _target_of(source) if request.target is None else request.target)
    choice = infer_task(table.target, request.task)
    _require_columns(table.features, source.columns)
    rows = hold_out(table, choice.kind, request.split, weight=request.weight)
    reading = reading_of(options, request.net)
    fitted = fit_texts(rows.features, source.columns, rows.split.train, reading, source.notes)
    name = str(data) if is_path(data) else f"a {type(data).__name__} of {source.frame.height} texts"
    return Prepared(dataset=dataset_of(rows, fitted, name), choice=choice)


def _target_of(source: TextSource) -> str | Sequence[str]:
    """Name or names of the answers that came with the texts."""
    names = [name for name in source.frame.columns if name == TARGET or name.startswith(f"{TARGET}_")]
    if not names:
        raise RequestError(
            f"which column is to be predicted? Give target=...; there are: {source.frame.columns[:20]}; or say "
            "task='generation' to continue the text"
        )
    return names[0] if len(names) == 1 else names


def _require_columns(features: pl.DataFrame, columns: tuple[str, ...]) -> None:
    """Refuse a column of text that is the target as well."""
    lost = [name for name in columns if name not in features.columns]
    if lost:
        raise RequestError(f"column {lost[0]!r} is the target and cannot be the text as well; give text=...")


def _to_continue(data: Any, request: DataRequest[TextOptions]) -> bool:
    """Whether a text is to be continued: the task is generation, or the data are one plain text without target."""
    if request.task == "generation":
        if request.target is not None:
            raise RequestError("a text to be continued has no target; leave target out, or give another task")
        return True
    words = isinstance(data, str) and not leads_somewhere(data)
    return request.target is None and (words or without_target(data, request.task))


def encode_new(schema: TextSchema, new: Any) -> Encoded:
    """Encode new texts without answers: a list, a frame with the columns of training, or a path.

    The files of a folder are the keys of their predictions; texts from elsewhere keep their order and have no names.

    Raises:
        DataError: the data are no texts, or a column is missing.
        RequestError: the run continues texts and has nothing to say of rows.
    """
    if schema.window is not None:
        raise RequestError(
            "a run that continues a text predicts no rows; try run.generate(prompt), or run.evaluate(text) for scores"
        )
    source = _read_new(schema, new)
    return Encoded(inputs=encode_texts(schema, source.frame), keys={"file": list(source.files)} if source.files else {})


def _read_new(schema: TextSchema, new: Any, target: Sequence[str] = ()) -> TextSource:
    """Read new texts, and rename their columns as in training."""
    nameless = isinstance(new, tuple) or is_list_of_texts(new) or is_path(new)
    source = read_texts(new, text=None if nameless and not _is_table(new) else schema.text, target=target)
    if len(source.columns) != len(schema.text):
        expected = "pairs of texts" if len(schema.text) > 1 else "single texts"
        raise DataError(f"expected {expected}, as in training; got {len(source.columns)} column(s) of text")
    names = dict(zip(source.columns, schema.text, strict=True))
    return source._replace(frame=source.frame.rename(names, strict=False))


def _is_table(new: Any) -> bool:
    """Whether a path leads to a table, whose columns have names."""
    return is_path(new) and Path(new).expanduser().is_file() and not looks_like_prose(Path(new).expanduser())


def answers_of_new(schema: TextSchema, target: Target, new: Any) -> Answered:
    """Encode new texts and their known answers."""
    if schema.window is not None:
        return answers_of_stream(schema, new)
    frame = _read_new(schema, new, target.columns).frame
    answers, _ = take_target(frame, target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no text has a value of the target {target.name!r}; nothing can be evaluated")
    return Answered(inputs=encode_texts(schema, frame[rows]), target=encode_target(target, answers[rows]))


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
    baselines=BASELINES,
    keep=keep_texts,
    pictures=text_pictures,
    generate=continue_text,
    side=TEXT_SIDE,
)
