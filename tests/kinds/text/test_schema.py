import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.fields import all_rows
from evenkeel.errors import DataError
from evenkeel.kinds.text.schema import SHOWN_BYTES, TextReading, TextSchema, beginnings, encode_texts, fit_texts

FRAME = pl.DataFrame(
    {
        "left": ["a good film", "a bad film", None, "a good film and a bad film", "unseen words"],
        "right": ["good", "", "film", "a b c", "bad"],
        "year": [1, 2, 3, 4, None],
    }
)
TRAIN = np.array([0, 1, 2, 3])


def reading(order: str = "bag", unit: str = "words", **options) -> TextReading:
    usual = {"vocabulary": 100, "ngrams": 2, "letters": 4, "longest": 50}
    return TextReading(unit=unit, order=order, **{**usual, **options})


@pytest.mark.parametrize("order", ["bag", "order"])
@pytest.mark.parametrize("unit", ["words", "characters", "bytes", "bpe"])
@pytest.mark.parametrize("columns", [("left",), ("left", "right")])
def test_new_texts_are_encoded_as_those_of_training(order, unit, columns):
    found = fit_texts(FRAME, columns, TRAIN, reading(order, unit, vocabulary=300))
    schema = TextSchema.model_validate_json(found.schema.model_dump_json())
    again = encode_texts(schema, FRAME[["right", "left"]])
    assert again.keys() == found.inputs.keys()
    assert len(again) == 2 * len(columns)
    for name, field in again.items():
        assert torch.equal(all_rows(field), all_rows(found.inputs[name])), name
    single = encode_texts(schema, FRAME[3:4])
    rows = torch.tensor([3])
    whole = {name: field.index_select(0, rows) for name, field in again.items()}
    assert all(torch.equal(all_rows(field), whole[name]) for name, field in single.items())


def test_only_training_rows_teach():
    found = fit_texts(FRAME, ("left",), TRAIN, reading())
    assert set(found.schema.tokens.tokens) == {"a", "film", "good", "bad", "and"}
    assert found.inputs["counts"].tolist()[2] == 0


def test_tokens_in_order_are_padded_and_an_empty_text_is_one_unknown():
    found = fit_texts(FRAME, ("left",), TRAIN, reading("order"))
    assert found.inputs["lengths"].tolist() == [3, 3, 1, 7, 2]
    tokens = found.inputs["tokens"].index_select(0, torch.tensor([2, 0, 4]))
    assert tokens.shape == (3, 3) and tokens[0].tolist() == [0, 0, 0] and tokens[2].tolist() == [0, 0, 0]
    assert found.schema.tokens.decode(tokens[1]) == "a good film"


@pytest.mark.parametrize("order", ["bag", "order"])
@pytest.mark.parametrize("unit", ["words", "characters"])
def test_long_texts_are_cut_and_counted(order, unit):
    found = fit_texts(FRAME, ("left",), TRAIN, reading(order, unit, longest=3))
    many, told, was = (1, " is", "was") if unit == "words" else (4, "s are", "were")
    assert found.notes[0] == f"{many} text{told} longer than 3 tokens and {was} cut there (`longest`)."
    if order == "order":
        assert found.inputs["lengths"].max() == 3


def test_empty_texts_are_counted_and_other_columns_described():
    found = fit_texts(FRAME, ("left", "right"), TRAIN, reading())
    assert "2 texts are empty." in found.notes
    assert [column.note for column in found.schema.columns] == ["", "", "not a column of text"]
    assert found.schema.columns[0].examples[0] == "a good film" and found.schema.columns[0].missing == 1


def test_one_empty_text_is_one_and_a_column_of_nothing_else_is_refused():
    assert "1 text is empty." in fit_texts(FRAME, ("left",), TRAIN, reading()).notes
    nothing = FRAME.with_columns(left=pl.Series(["", None, " ", "\n", ""]))
    with pytest.raises(DataError, match="column 'left' holds no text: all 5 rows are empty; expected words"):
        fit_texts(nothing, ("right", "left"), TRAIN, reading())


def test_a_missing_column_is_named():
    schema = fit_texts(FRAME, ("left",), TRAIN, reading()).schema
    with pytest.raises(DataError, match="lack the column 'left' of text that training read; did you mean 'Left'"):
        encode_texts(schema, pl.DataFrame({"Left": ["a"]}))


def test_the_beginnings_of_texts_are_kept_as_bytes():
    long = pl.DataFrame({"a": ["é" * 1000, "", None], "b": ["x", "y", "z"]})
    shown = beginnings(long, ("a",))
    rows = [bytes(shown.index_select(0, torch.tensor([row]))[0].tolist()) for row in range(3)]
    assert rows[0].decode() == "é" * (SHOWN_BYTES // 2) and rows[1] == b" "
    both = beginnings(long, ("a", "b")).index_select(0, torch.tensor([2]))[0]
    assert bytes(both.tolist()) == b"\nz"
