"""The target as a tensor and back: numbers, classes and labels, and what is no target."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.columns import tidy
from evenkeel.data.target import (
    MOST_CLASSES,
    Target,
    encode_target,
    fit_target,
    most_classes,
    present_rows,
    take_target,
)
from evenkeel.errors import DataError


def frame(values, **options):
    return pl.DataFrame({"y": pl.Series(values, **options)}).select(pl.col("y"))


def both_ways(values, kind):
    """The schema and the tensor of tidied values."""
    tidied = pl.DataFrame([tidy(pl.Series("y", values))])
    target = fit_target(tidied, kind)
    return target, encode_target(target, tidied)


@pytest.mark.parametrize("values", [[1.5, 2.5, -3.0], [1, 2, 3], ["1,234", "5", "7.5"]])
def test_numbers(values):
    target, codes = both_ways(values, "number")
    assert (codes.dtype, codes.shape) == (torch.float64, (3,))
    assert codes.tolist() == tidy(pl.Series(values)).cast(pl.Float64).to_list()
    assert target.levels == ()


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        (["b", "a", "b", "a"], ("a", "b")),
        ([3, 1, 3, 1], (1, 3)),
        ([3.0, 1.0, 3.0, 1.0], (1, 3)),
        (["3", "1", "3", "1"], (1, 3)),
        ([0.5, 1.5, 0.5, 1.5], (0.5, 1.5)),
        ([True, False, True, True], (False, True)),
        (["yes", " no", "no", "yes "], ("no", "yes")),
        (["True", "false", "True", "false"], (False, True)),
        ([dt.date(2024, 1, 2), dt.date(2024, 1, 1)] * 2, ("2024-01-01", "2024-01-02")),
    ],
)
def test_classes(values, levels):
    target, codes = both_ways(values, "class")
    assert target.levels == levels
    assert [type(level) for level in target.levels] == [type(level) for level in levels]
    assert codes.dtype == torch.int64
    plain = [str(value).strip().lower().removesuffix(".0") for value in values]
    assert [str(levels[code]).lower() for code in codes.tolist()] == plain


def test_levels_keep_their_type_through_json():
    for values in ([True, False] * 2, [1, 2] * 2, [0.5, 1.5] * 2, ["1a", "2b"] * 2):
        target, _ = both_ways(values, "class")
        again = Target.model_validate_json(target.model_dump_json())
        assert again == target
        assert [type(level) for level in again.levels] == [type(level) for level in target.levels]


@pytest.mark.parametrize(
    ("values", "new", "codes"),
    [
        ([0, 1, 1, 0], [1.0, 0.0], [1, 0]),
        ([0, 1, 1, 0], ["1", "0"], [1, 0]),
        ([0, 1, 1, 0], [True, False], [1, 0]),
        (["01", "x", "01", "x"], ["01", "x"], [0, 1]),
        (["1", "x", "1", "x"], [1, 1], [0, 0]),
        (["no", "yes"] * 2, ["yes"], [1]),
        (["True", "False", "Maybe"] * 2, ["True"], [2]),
    ],
)
def test_new_rows_in_another_type(values, new, codes):
    target, _ = both_ways(values, "class")
    assert encode_target(target, pl.DataFrame([tidy(pl.Series("y", new))])).tolist() == codes


def test_labels_of_columns():
    table = pl.DataFrame({"a": [1, 0, 1], "b": [True, False, True], "c": [0.0, 1.0, 0.0]})
    target = fit_target(table, "labels")
    assert (target.columns, target.levels) == (("a", "b", "c"), ("a", "b", "c"))
    encoded = encode_target(target, table)
    assert encoded.dtype == torch.float32
    assert encoded.tolist() == [[1, 1, 0], [0, 0, 1], [1, 1, 0]]


def test_labels_of_lists():
    table = frame([["red", "big"], [], ["red"], ["small"]])
    target = fit_target(table, "labels")
    assert target.levels == ("big", "red", "small")
    assert encode_target(target, table).tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert encode_target(target, frame([["unknown", "red"]])).tolist() == [[0, 1, 0]]


def test_labels_of_lists_of_numbers():
    table = frame([[1, 2], [2], [10]])
    target = fit_target(table, "labels")
    assert encode_target(target, table).sum(dim=1).tolist() == [2, 1, 1]


def test_take_target_tidies_and_keeps_the_order():
    table = pl.DataFrame({"a": ["1", "?"], "b": [" x", "y"], "c": [1, 2]})
    encoded, names = take_target(table, ["b", "a"])
    assert names == ("b", "a")
    assert encoded.rows() == [("x", 1.0), ("y", None)]
    assert take_target(table, "c")[1] == ("c",)


def test_present_rows():
    assert present_rows(pl.DataFrame({"a": [1, None, 3], "b": [1, 2, None]})).tolist() == [0]
    assert present_rows(frame([None, None], dtype=pl.Float64)).tolist() == []


@pytest.mark.parametrize(("rows", "most"), [(10, 5), (11, 5), (3, 2), (0, 2), (10_000, MOST_CLASSES)])
def test_most_classes(rows, most):
    assert most_classes(rows) == most


def test_name():
    assert Target(columns=("a",), kind="number").name == "a"
    assert Target(columns=("a", "b", "c"), kind="labels").name == "a, b, c"
    assert Target(columns=tuple("abcd"), kind="labels").name == "4 columns"


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([7, 7, 7, 7], "class", r"target 'y' has 1 value\(s\) \(7\); there is nothing to learn from it"),
        (["a", "a", None], "class", r"target 'y' has 1 value\(s\) \('a'\); there is nothing to learn"),
        ([1.5, 1.5], "number", r"target 'y' has 1 value\(s\) \(1.5\)"),
        ([None, None], "class", r"target 'y' has 0 value\(s\); there is nothing to learn"),
        (["a", "b"], "number", r"target 'y' must be numbers, got String such as 'a'; try task='single-label'"),
        ([True, False], "number", r"must be numbers, got Boolean such as True; try task='single-label'"),
        (
            list("abcdefgh"),
            "class",
            r"target 'y' has 8 different values in 8 rows, too many for classes; try task='reg",
        ),
        (np.arange(0.5, 50), "class", r"target 'y' has 50 different values in 50 rows, too many"),
        ([0, 1, 2], "labels", r"target column 'y' must hold 0 and 1 to be a label, got \['0', '1', '2'\]; try another"),
        (["a", "b"], "labels", r"must hold 0 and 1 to be a label, got \['a', 'b'\]"),
        ([["a"], ["a"]], "labels", r"target 'y' holds 1 different label\(s\); expected two or more"),
    ],
)
def test_what_is_no_target(values, kind, message):
    with pytest.raises(DataError, match=message):
        fit_target(frame(values, strict=False), kind)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("prise", r"there is no column 'prise' to predict; did you mean 'price'\? There are: 'size', 'price'"),
        ("PRICE", r"did you mean 'price'\?"),
        ("rooms", r"there is no column 'rooms' to predict; there are: 'size', 'price'"),
        (["price", "rooms"], r"there is no column 'rooms' to predict"),
        ([], r"expected one target column, or several different ones, got \[\]"),
        (["price", "price"], r"expected one target column, or several different ones, got \['price', 'price'\]"),
    ],
)
def test_a_target_column_that_is_not_there(target, message):
    with pytest.raises(DataError, match=message):
        take_target(pl.DataFrame({"size": [1], "price": [2]}), target)


@pytest.mark.parametrize(
    ("values", "kind", "new", "message"),
    [
        (["a", "b"] * 2, "class", ["c"], r"target 'y' holds \['c'\], not among its classes \('a', 'b'\)"),
        ([0, 1] * 2, "class", [2], r"target 'y' holds \[2\], not among its classes \(0, 1\)"),
        ([0.5, 1.5], "number", ["x"], r"target 'y' must hold a finite number in every row"),
        ([0.5, 1.5], "number", [None, 1.0], r"target 'y' must hold a finite number in every row"),
    ],
)
def test_new_targets_that_do_not_fit(values, kind, new, message):
    target, _ = both_ways(values, kind)
    with pytest.raises(DataError, match=message):
        encode_target(target, pl.DataFrame([tidy(pl.Series("y", new))]))


def test_groups_may_be_many_and_new_ones_get_numbers_of_their_own():
    frame = pl.DataFrame({"who": [f"p{i // 2}" for i in range(3000)]})
    with pytest.raises(DataError, match="too many for classes"):
        fit_target(frame, "class")
    target = fit_target(frame, "groups")
    assert len(target.levels) == 1500
    new = encode_target(target, pl.DataFrame({"who": ["p0", "x", "y", "x"]}))
    assert new.tolist() == [0, 1500, 1501, 1500]


def test_numbers_of_pairs_are_taken_as_they_are():
    frame = pl.DataFrame({"pairs": [4, 4, 0]})
    target = fit_target(frame, "pairs")
    assert target.levels == () and encode_target(target, frame).tolist() == [4, 4, 0]
