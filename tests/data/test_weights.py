"""How much each row counts: every form gives numbers of mean 1, and what is no weight is named."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from evenkeel.data.target import Target
from evenkeel.data.weights import example_weights
from evenkeel.errors import DataError, RequestError

CODES = torch.tensor([0, 0, 0, 1, 0, 2])
CLASSES = Target(columns=("y",), kind="class", levels=("a", "b", "c"))
NUMBER = Target(columns=("y",), kind="number")
PLAIN = [1.0, 2.0, 3.0, 0.0, 1.0, 5.0]
FRAME = pl.DataFrame({"w": PLAIN, "words": list("abcabc"), "text": [f"{value}" for value in PLAIN]})


def weights(weight, schema=CLASSES, rows=None, height=6):
    rows = np.arange(6) if rows is None else np.asarray(rows)
    return example_weights(FRAME, weight, CODES, schema, rows=rows, height=height)


def test_none():
    assert weights(None) is None


@pytest.mark.parametrize(
    "weight",
    [
        "w",
        "text",
        PLAIN,
        tuple(PLAIN),
        np.array(PLAIN),
        np.array(PLAIN, dtype=np.float32),
        torch.tensor(PLAIN),
        torch.tensor(PLAIN, requires_grad=True),
        [int(value) for value in PLAIN],
        [10 * value for value in PLAIN],
    ],
    ids=lambda weight: type(weight).__name__,
)
def test_every_form_of_one_number_a_row(weight):
    example_weight = weights(weight)
    assert example_weight.dtype == torch.float32
    np.testing.assert_allclose(example_weight, np.array(PLAIN) / 2, rtol=1e-6)


@pytest.mark.parametrize("series", [pl.Series(PLAIN), pd.Series(PLAIN)])
def test_series_pass_as_arrays(series):
    np.testing.assert_allclose(weights(series.to_numpy()), np.array(PLAIN) / 2, rtol=1e-6)


def test_balanced_gives_every_class_the_same_total():
    example_weight = weights("balanced")
    assert float(example_weight.mean()) == pytest.approx(1.0)
    totals = [float(example_weight[code == CODES].sum()) for code in range(3)]
    assert totals == pytest.approx([2.0, 2.0, 2.0])


def test_a_mapping_weights_classes_and_leaves_the_others_at_one():
    example_weight = weights({"a": 1.0, "b": 4})
    assert float(example_weight.mean()) == pytest.approx(1.0)
    assert (example_weight / example_weight[0]).tolist() == pytest.approx([1, 1, 1, 4, 1, 1])


def test_weights_speak_of_the_table_as_it_came_or_of_the_rows_that_stay():
    rows, all_rows = [0, 1, 2, 4, 5, 7], [*PLAIN[:3], 99.0, *PLAIN[3:5], 99.0, PLAIN[5]]
    expected = np.array(PLAIN) / 2
    np.testing.assert_allclose(weights(all_rows, rows=rows, height=8), expected, rtol=1e-6)
    np.testing.assert_allclose(weights(PLAIN, rows=rows, height=8), expected, rtol=1e-6)
    with pytest.raises(
        DataError, match=r"expected 6 \(or 8, one for each row of the table\) weights, .* got shape \(7,"
    ):
        weights([1.0] * 7, rows=rows, height=8)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("v", r"no column 'v' to weight by; there are: 'w', 'words', 'text'"),
        ("Word", r"no column 'Word' to weight by; did you mean 'words'\?"),
        ("words", r"weights must be numbers: could not convert string to float: 'a'"),
        (np.array(["x"] * 6), r"weights must be numbers: could not convert"),
        ([1.0] * 5, r"expected 6 weights, one for each row, got shape \(5,\)"),
        ([1.0] * 60, r"expected 6 weights, one for each row, got shape \(60,\)"),
        (np.ones((6, 1)), r"expected 6 weights, one for each row, got shape \(6, 1\)"),
        (torch.tensor(1.0), r"expected 6 weights, one for each row, got shape \(\)"),
        ([1, 1, -1, 1, 1, 1], r"a weight must be a finite number of 0 or more, got -1.0 in row 2"),
        ([1, np.nan, 1, 1, 1, 1], r"a weight must be a finite number of 0 or more, got nan in row 1"),
        ([1, 1, 1, 1, 1, np.inf], r"got inf in row 5"),
        ([0.0] * 6, r"all weights are 0; at least one row must count"),
        ({"a": -1.0}, r"a weight must be a finite number of 0 or more, got -1.0 in row 0"),
        ({"a": 0, "b": 0, "c": 0}, r"all weights are 0"),
    ],
)
def test_what_is_no_weight_is_named(weight, message):
    with pytest.raises(DataError, match=message):
        weights(weight)


@pytest.mark.parametrize(
    ("weight", "schema", "message"),
    [
        ("balanced", NUMBER, r"class weights need a single-label target; pass one weight for each row instead"),
        ({"a": 2.0}, NUMBER, r"class weights need a single-label target"),
        ({"a": 2.0, "d": 1.0}, CLASSES, r"class weights name \['d'\]; the classes are \('a', 'b', 'c'\)"),
    ],
)
def test_class_weights_that_do_not_fit(weight, schema, message):
    with pytest.raises(RequestError, match=message):
        weights(weight, schema)


def test_a_missing_weight_in_a_column_is_named():
    frame = FRAME.with_columns(w=pl.Series([1.0, None, 1.0, 1.0, 1.0, 1.0]))
    with pytest.raises(DataError, match="got nan in row 1"):
        example_weights(frame, "w", CODES, CLASSES, rows=np.arange(6), height=6)
