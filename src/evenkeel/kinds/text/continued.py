"""Make a dataset of one text to be continued: windows of its tokens, and the token after each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from evenkeel.data.dataset import Dataset
from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.kinds.base import Answered, DataRequest, Prepared
from evenkeel.kinds.text.options import VOCABULARY, TextOptions
from evenkeel.kinds.text.read import is_named_text, is_path, leads_somewhere, read_text, read_texts
from evenkeel.kinds.text.schema import TextSchema, texts_of
from evenkeel.kinds.text.streams import Cuts, encode_stream, read_stream
from evenkeel.task import TaskChoice


def prepare_stream(data: Any, request: DataRequest[TextOptions]) -> Prepared[TextSchema]:
    """Read one text, and cut it into windows, which are split by position."""
    options, shares = request.options, request.split
    if shares.how != "random" or request.weight is not None:
        raise RequestError("a text to be continued is split by position and has no weights; leave split and weight out")
    if not 0 <= shares.validation + shares.test < 1:
        raise RequestError(f"validation + test must be in [0, 1), got {shares.validation} + {shares.test}")
    source = read_whole(data, options.text)
    unit = "characters" if options.tokens == "auto" else options.tokens
    cuts = Cuts(shares.validation, shares.test)
    vocabulary = options.vocabulary or VOCABULARY[unit]
    stream = read_stream(source.text, unit, vocabulary=vocabulary, window=options.window, cuts=cuts)
    dataset = Dataset(
        inputs={"tokens": stream.inputs},
        target=stream.target,
        weight=None,
        split=stream.split,
        schema=stream.schema,
        target_schema=Target(columns=("next token",), kind="tokens", size=stream.schema.tokens.size),
        source=source.source,
        notes=(*source.notes, *stream.notes),
    )
    choice = TaskChoice(task="generation", kind="tokens", counts=False, reason="a text without a target is continued")
    return Prepared(dataset=dataset, choice=choice)


class WholeText(NamedTuple):
    """One text, where it came from, and sentences about how it was read."""

    text: str
    source: str
    notes: tuple[str, ...] = ()


def read_whole(data: Any, column: str | None) -> WholeText:
    """Read one text; those of a table or a list stand one below the other."""
    if column is None and is_path(data) and is_named_text(Path(data).expanduser()):
        file = read_text(Path(data).expanduser())
        return WholeText(file.text, str(data), (file.note,) if file.note else ())
    if isinstance(data, str) and not leads_somewhere(data):
        return WholeText(data, f"a text of {len(data)} characters")
    source = read_texts(data, text=column)
    if len(source.columns) > 1:
        raise RequestError("only one text can be continued, not pairs; give the name of one column")
    joined = "\n".join(texts_of(source.frame, *source.columns)) + "\n"
    return WholeText(joined, str(data) if is_path(data) else f"{source.frame.height} texts", source.notes)


def answers_of_stream(schema: TextSchema, new: Any) -> Answered:
    """Read another text, and cut it into windows with the token after each."""
    inputs, answers = encode_stream(schema, read_whole(new, None).text)
    return Answered(inputs={"tokens": inputs}, target=answers)
