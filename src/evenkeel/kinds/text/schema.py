"""Texts as fields: tokens in their order, or bags of pieces, alone or in pairs, encoded by what training texts taught.

order   tokens (row, step) padded at the end, lengths (row,)        bag   pieces (place,), counts (row,)

Of pairs the second text's fields are called other_tokens, other_lengths, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
import torch

from evenkeel.data.columns import Column
from evenkeel.data.dataset import EncodedRows
from evenkeel.data.fields import Field, Ragged, join
from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.errors import DataError, choices
from evenkeel.kinds.text.bags import Bag, fill_bag, fit_bag
from evenkeel.kinds.text.tokens import Codes, Tokenizer, Unit, cut, fit_tokenizer

OF_OTHER = "other_"  # before the fields of the second text of a pair
SHOWN_BYTES = 400  # of a text that are kept for the report


class Reading(Frozen):
    """How texts are to be read: see the options of the kind."""

    unit: Unit
    order: Literal["bag", "order"]
    vocabulary: int
    ngrams: int
    letters: int
    longest: int


class TextSchema(DataSchema):
    """The columns of text, how they are cut into tokens, and the pieces of a bag where the order is not kept.

    Of a stream, which is generated from, `window` is the number of tokens that are read at once.
    """

    kind: str = "text"
    text: tuple[str, ...] = ()
    tokens: Tokenizer
    bag: Bag | None = None
    longest: int = 0
    window: int | None = None


class CutTexts(NamedTuple):
    """Codes of each text, its words where they are needed, and how many texts were cut."""

    codes: list[Codes]
    words: list[list[str]] | None
    cut: int


def _cut_all(tokens: Tokenizer, texts: Sequence[str], longest: int) -> CutTexts:
    """The tokens of each text, no more than the first `longest`."""
    if tokens.unit == "words":
        words = [list(cut(text, "words", tokens.form)) for text in texts]
        many = sum(len(each) > longest for each in words)
        words = [each[:longest] for each in words]
        return CutTexts(tokens.codes_of(words), words, many)
    codes = tokens.encode(texts)
    return CutTexts([each[:longest] for each in codes], None, sum(len(each) > longest for each in codes))


def fit_texts(
    frame: pl.DataFrame, columns: tuple[str, ...], train: np.ndarray, reading: Reading, notes: Sequence[str] = ()
) -> EncodedRows[TextSchema]:
    """Learn tokens and pieces of the training rows, and encode all; `notes` stand before those of the texts.

    Raises:
        DataError: a column of which every text is empty.

    Example:
        >>> frame = pl.DataFrame({"text": ["good film", "bad film", "good"]})
        >>> reading = Reading(unit="words", order="order", vocabulary=10, ngrams=1, letters=0, longest=5)
        >>> fitted = fit_texts(frame, ("text",), np.array([0, 1]), reading)
        >>> fitted.schema.tokens.tokens, fitted.inputs["tokens"].index_select(0, torch.arange(3)).tolist()
        (('film', 'bad', 'good'), [[3, 1], [2, 1], [3, 0]])
    """
    schema = learn_texts(frame, columns, train, reading)
    inputs, many = _encoded(schema, frame)
    return EncodedRows(
        schema=schema,
        inputs=inputs,
        notes=(*notes, *_notes(frame, columns, many, reading.longest)),
        display={"texts": beginnings(frame, columns)},
    )


def learn_texts(frame: pl.DataFrame, columns: tuple[str, ...], train: np.ndarray, reading: Reading) -> TextSchema:
    """Learn tokens and pieces of the training rows."""
    known = [text for name in columns for text in texts_of(frame[train], name)]
    tokens = fit_tokenizer(known, reading.unit, most=reading.vocabulary)
    bag = None
    if reading.order == "bag":
        codes = _cut_all(tokens, known, reading.longest).codes
        run = reading.letters if reading.unit == "words" else 0
        bag = fit_bag(tokens, codes, side_by_side=reading.ngrams, run=run, most=reading.vocabulary)
    return TextSchema(columns=_described(frame, columns), text=columns, tokens=tokens, bag=bag, longest=reading.longest)


def _notes(frame: pl.DataFrame, columns: tuple[str, ...], many: int, longest: int) -> tuple[str, ...]:
    """Sentences about texts that were cut or are empty."""
    empty = {name: sum(text.strip() == "" for text in texts_of(frame, name)) for name in columns}
    for name, count in empty.items():
        if count == frame.height:
            raise DataError(f"column {name!r} holds no text: all {count} rows are empty; expected words to learn from")
    notes = ()
    if many:
        texts = "1 text is longer" if many == 1 else f"{many} texts are longer"
        notes += (f"{texts} than {longest} tokens and {'was' if many == 1 else 'were'} cut there (`longest`).",)
    count = sum(empty.values())
    if count:
        notes += ("1 text is empty." if count == 1 else f"{count} texts are empty.",)
    return notes


def encode_texts(schema: TextSchema, frame: pl.DataFrame) -> dict[str, Field]:
    """The texts of a frame with the columns of training, in any order.

    Raises:
        DataError: a column is missing.
    """
    return _encoded(schema, frame)[0]


def _encoded(schema: TextSchema, frame: pl.DataFrame) -> tuple[dict[str, Field], int]:
    """The fields of all columns of text, and how many texts were cut."""
    inputs: dict[str, Field] = {}
    many = 0
    for name, before in zip(schema.text, ("", OF_OTHER), strict=False):
        texts = _cut_all(schema.tokens, texts_of(frame, name), schema.longest)
        many += texts.cut
        fields = _ordered(texts.codes) if schema.bag is None else _bagged(schema.bag, texts)
        inputs |= {f"{before}{key}": field for key, field in fields.items()}
    return inputs, many


def _ordered(codes: Sequence[Codes]) -> dict[str, Field]:
    """Tokens in their order; an empty text is one unknown token."""
    values, starts = join([torch.from_numpy(each if len(each) else np.zeros(1, np.int32)) for each in codes])
    tokens = Ragged(values, starts)
    return {"tokens": tokens, "lengths": tokens.lengths}


def _bagged(bag: Bag, texts: CutTexts) -> dict[str, Field]:
    pieces = fill_bag(bag, texts.codes, texts.words)
    return {"pieces": pieces, "counts": pieces.starts.diff()}


def texts_of(frame: pl.DataFrame, name: str) -> list[str]:
    """A column of text; what is missing is an empty text."""
    if name not in frame.columns:
        raise DataError(f"the data lack the column {name!r} of text that training read; {choices(frame.columns, name)}")
    return frame[name].cast(pl.String).fill_null("").to_list()


def _described(frame: pl.DataFrame, columns: tuple[str, ...]) -> tuple[Column, ...]:
    """Every column, as the report tells it."""
    described = []
    for name in frame.columns:
        series = frame[name]
        note = "" if name in columns else "not a column of text"
        examples = tuple(_short(value) for value in series.drop_nulls().head(3).to_list())
        described.append(Column(name=name, kind="text", missing=series.null_count(), examples=examples, note=note))
    return tuple(described)


def beginnings(frame: pl.DataFrame, columns: tuple[str, ...]) -> Ragged:
    """The beginning of each text as bytes, for the report; of a pair both, one below the other."""
    lists = [texts_of(frame, name) for name in columns]
    joined = ["\n".join(parts) for parts in zip(*lists, strict=True)]
    cut_short = [np.frombuffer(text.encode(errors="replace")[:SHOWN_BYTES] or b" ", np.uint8) for text in joined]
    return Ragged(*join([torch.from_numpy(each.copy()) for each in cut_short]))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else text[:37] + "..."
