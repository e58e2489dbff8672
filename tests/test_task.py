"""What kind of question is the target? Each rule at its boundary, and on real targets."""

import typing

import numpy as np
import polars as pl
import pytest

from evenkeel.data.dataset import set_target_apart
from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError
from evenkeel.task import FEW_VALUES, KINDS, MEDIANS, SKEWNESS, Task, infer_task

ROWS = 1000


def infer(values, task=None, **options):
    return infer_task(pl.DataFrame({"y": pl.Series(values, **options)}), task)


def tail(median, top, rows=101):
    """Real numbers of a given median whose largest is far out: skewed for certain."""
    values = np.full(rows, median) + np.linspace(-0.01, 0.01, rows)
    values[-1] = top
    return values


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", "c"], "single-label"),
        ([True, False], "single-label"),
        ([True, None, False], "single-label"),
        (np.arange(ROWS) % 2, "single-label"),
        ((np.arange(ROWS) % 2).astype(float), "single-label"),
        (np.arange(ROWS) % FEW_VALUES, "single-label"),
        (np.arange(ROWS) % (FEW_VALUES + 1), "probabilistic-regression"),
        (np.arange(ROWS) % FEW_VALUES - 5, "single-label"),
        (np.arange(ROWS) % 3 + 0.5, "probabilistic-regression"),
        (np.linspace(-1, 1, ROWS), "probabilistic-regression"),
        (np.linspace(0, 1, ROWS), "probabilistic-regression"),
        (np.random.default_rng(0).exponential(size=ROWS), "positive-regression"),
        (np.random.default_rng(0).exponential(size=ROWS) - 0.001, "probabilistic-regression"),
        (np.random.default_rng(0).negative_binomial(1, 0.1, ROWS), "positive-regression"),
        (np.random.default_rng(0).normal(50, 5, ROWS), "probabilistic-regression"),
        ([["a"], ["a", "b"], []], "multi-label"),
    ],
)
def test_rules(values, task):
    assert infer(values).task == task
    assert infer(values).kind == KINDS[task]


def test_as_many_values_as_rows_allow_are_classes():
    assert infer([1, 2, 3, 4, 5] * 2).task == "single-label"
    assert infer([1, 2, 3, 4, 5, 6] * 2).task == "single-label"
    assert infer([1, 2, 3, 4, 5, 6, 1, 2, 3, 4]).task == "probabilistic-regression"
    assert infer([100, 250, 317, 402, 550, 613, 720, 804, 901, 1000]).task == "probabilistic-regression"


@pytest.mark.parametrize(
    ("top", "task"), [(MEDIANS + 0.1, "positive-regression"), (MEDIANS - 0.1, "probabilistic-regression")]
)
def test_the_largest_value_in_medians(top, task):
    values = tail(1.0, top)
    assert float(pl.Series(values).skew()) > SKEWNESS
    assert infer(values).task == task


@pytest.mark.parametrize(("far", "task"), [(0.1, "positive-regression"), (0.4, "probabilistic-regression")])
def test_skewness(far, task):
    """A share of the values five medians out: a tail while they are few, a second hump where they are many."""
    values = np.where(np.arange(ROWS) < far * ROWS, 5.0, 1.0) + np.linspace(0, 0.01, ROWS)
    assert (float(pl.Series(values).skew()) > SKEWNESS) == (task == "positive-regression")
    assert infer(values).task == task


@pytest.mark.parametrize(("shift", "task"), [(0.0, "positive-regression"), (-0.02, "probabilistic-regression")])
def test_a_negative_value_is_no_positive_target(shift, task):
    values = np.r_[0.01, tail(1.0, 50.0)] + shift
    assert infer(values).task == task


def test_a_median_of_zero():
    values = np.r_[np.zeros(60), np.random.default_rng(0).exponential(size=40)]
    assert infer(values).task == "positive-regression"


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (np.random.default_rng(0).negative_binomial(1, 0.1, ROWS), True),
        (np.random.default_rng(0).negative_binomial(1, 0.1, ROWS).astype(float), True),
        (np.random.default_rng(0).exponential(size=ROWS), False),
        (["a", "b"], False),
        ([0, 1] * 20, False),
    ],
)
def test_counts_are_whole_numbers_of_a_number_target(values, counts):
    assert infer(values).counts is counts


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["a", "b"], "the target is text"),
        ([True, False], "the target is true or false"),
        ([0, 1] * 20, "the target has 2 different whole numbers"),
        ([0.5, 1.5, -2.0], "the target holds real numbers from -2 to 1.5"),
        ([0, 1, 2, 3] * 10 + list(range(4, 90)) + [0] * 200, "the target holds counts with a long tail up to 89"),
        (tail(1.0, 50.5), "the target holds numbers of 0 or more with a long tail up to 50.5"),
        ([["a"], ["b"]], "each row holds a list of labels"),
    ],
)
def test_the_reason_in_one_sentence(values, reason):
    assert infer(values).reason == reason


def test_several_columns_are_labels():
    found = infer_task(pl.DataFrame({"a": [0, 1], "b": [1, 1]}))
    assert (found.task, found.kind, found.reason) == ("multi-label", "labels", "2 target columns")


@pytest.mark.parametrize("task", KINDS)
def test_a_task_asked_for_is_taken(task):
    found = infer([0, 1, 2] * 20, task)
    assert (found.task, found.kind, found.reason) == (task, KINDS[task], "as asked")


def test_every_task_reads_a_column_or_refuses_one():
    without = set(typing.get_args(Task)) - set(KINDS)
    assert "generation" in without
    for task in without:
        with pytest.raises(RequestError, match=f"{task} learns from no target column; leave `target` out"):
            infer([0, 1, 2] * 20, task)


def test_what_makes_no_sense():
    with pytest.raises(
        RequestError, match=r"no task is called 'regresion'; did you mean 'regression'\? There are: 'reg"
    ):
        infer([1.0, 2.0], "regresion")
    with pytest.raises(DataError, match="2 target columns are read as labels only; try task='multi-label'"):
        infer_task(pl.DataFrame({"a": [0.5], "b": [1.5]}), "regression")


@pytest.mark.parametrize(
    ("source", "target", "task", "counts"),
    [
        ("sample:diabetes", "target", "probabilistic-regression", True),
        ("sample:wine", "target", "single-label", False),
        ("sample:breast-cancer", "target", "single-label", False),
        ("sample:digits", "target", "single-label", False),
        ("titanic/titanic.csv", "survived", "single-label", False),
        ("penguins/penguins.csv", "species", "single-label", False),
        ("adult/adult-train.csv.gz", "column_14", "single-label", False),
        ("mammography/mammography.csv", "column_6", "single-label", False),
        ("insurance-charges/insurance.csv", "charges", "positive-regression", False),
        ("nmes1988-counts/NMES1988.csv", "visits", "positive-regression", True),
        ("california-housing/fetch_california_housing.csv.gz", "target", "probabilistic-regression", False),
        ("uci-bostonHousing/data.txt", "column_13", "probabilistic-regression", False),
        ("uci-concrete/data.txt", "column_8", "probabilistic-regression", False),
        ("uci-power-plant/data.txt", "column_4", "probabilistic-regression", False),
        ("etth1/ETTh1.csv.gz", "OT", "probabilistic-regression", False),
    ],
)
def test_real_targets(request, source, target, task, counts):
    where = source if source.startswith("sample:") else request.getfixturevalue("real_data") / source
    found = infer_task(set_target_apart(read_table(where), target).target)
    assert (found.task, found.counts) == (task, counts)
