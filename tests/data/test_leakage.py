"""A planted twin of the target is reported; honest columns, however good, are left alone."""

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.leakage import leaking_columns
from evenkeel.data.schema import encode, fit_schema
from evenkeel.data.table import read_table

ROWS = 400


def leaks(columns, target, kind, seed=0):
    """Names of the columns that are reported."""
    frame = pl.DataFrame(columns)
    schema = fit_schema(frame, np.arange(frame.height))
    return leaking_columns(schema, encode(schema, frame).mapping(), torch.as_tensor(target), kind, seed)


def honest(rows=ROWS, seed=0):
    """Columns that tell something, but not everything, and a target of both kinds."""
    draw = np.random.default_rng(seed)
    number, town = draw.normal(size=rows), draw.integers(0, 3, rows)
    value = number + town + draw.normal(size=rows)
    return {"number": number, "town": np.array(["a", "b", "c"])[town]}, value


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["number", "class"])
def test_silent_on_honest_data(kind, seed):
    columns, value = honest(seed=seed)
    target = (value > 1).astype(np.int64) if kind == "class" else value
    assert leaks(columns, target, kind, seed) == {}


@pytest.mark.parametrize(
    "twin",
    [
        lambda value: value,
        lambda value: -3 * value + 7,
        np.exp,
        lambda value: value + np.random.default_rng(1).normal(size=len(value)) * 0.01,
    ],
    ids=["same", "other units", "curved", "rounded"],
)
@pytest.mark.parametrize("rows", [300, 2000])
def test_a_twin_of_a_number_is_found(twin, rows):
    columns, value = honest(rows=rows)
    leaks_by_column = leaks(columns | {"twin": twin(value)}, value, "number")
    assert list(leaks_by_column) == ["twin"]
    assert 0.99 <= leaks_by_column["twin"] <= 1.0


@pytest.mark.parametrize("seed", range(3))
def test_a_plain_copy_is_found_on_few_rows(seed):
    columns, value = honest(rows=80, seed=seed)
    assert list(leaks(columns | {"twin": 2 * value + 1}, value, "number", seed)) == ["twin"]


@pytest.mark.parametrize("form", ["code", "word", "date"])
def test_a_twin_of_a_class_is_found(form):
    columns, value = honest()
    target = (value > 1).astype(np.int64)
    twins = {
        "code": target * 5 + 2,
        "word": np.where(target == 1, "paid", "open"),
        "date": np.where(target == 1, np.datetime64("2024-01-01"), np.datetime64("2020-06-01")).astype(
            "datetime64[us]"
        ),
    }
    assert list(leaks(columns | {"twin": twins[form]}, target, "class")) == ["twin"]


def test_a_class_twin_with_slips_is_found_only_while_nearly_perfect():
    columns, value = honest(rows=4000)
    target = (value > 1).astype(np.int64)
    for slips, expected in ((4, ["twin"]), (400, [])):
        twin = target.copy()
        twin[np.random.default_rng(0).permutation(4000)[:slips]] ^= 1
        assert list(leaks(columns | {"twin": twin.astype(float) + 0.5}, target, "class")) == expected


@pytest.mark.parametrize("kind", ["number", "class"])
@pytest.mark.parametrize("rows", [10, 20, 30])
def test_few_rows_prove_nothing(kind, rows):
    columns, value = honest(rows)
    target = (value > np.median(value)).astype(np.int64) if kind == "class" else value
    assert leaks(columns | {"twin": value}, target, kind) == {}


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_class_does_not_alarm_by_chance(seed):
    draw = np.random.default_rng(seed)
    target = np.zeros(200, np.int64)
    target[draw.permutation(200)[:4]] = 1
    assert leaks({f"noise{index}": draw.normal(size=200) for index in range(20)}, target, "class") == {}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rare", "expected"), [(4, []), (40, ["twin"])])
def test_a_twin_of_a_rare_class_cannot_be_told_from_chance(rare, expected, seed):
    target = np.zeros(200, np.int64)
    target[np.random.default_rng(seed).permutation(200)[:rare]] = 1
    twin = target + np.random.default_rng(1).normal(size=200) * 0.01
    assert list(leaks({"twin": twin}, target, "class")) == expected


@pytest.mark.parametrize(("noise", "expected"), [(0.02, ["twin"]), (0.15, [])])
def test_a_noisy_twin_of_a_number_is_a_good_column_and_no_twin(noise, expected):
    """R² is about 1 - noise²: 0.9996 and 0.98."""
    _, value = honest(rows=4000)
    twin = value + noise * value.std() * np.random.default_rng(1).normal(size=4000)
    assert list(leaks({"twin": twin}, value, "number")) == expected


def test_labels_are_not_judged():
    columns, value = honest()
    target = torch.stack([torch.tensor(value > 0), torch.tensor(value > 1)], dim=1).float()
    assert leaks(columns | {"twin": value}, target, "labels") == {}


@pytest.mark.parametrize("name", ["diabetes", "wine", "breast-cancer"])
def test_silent_on_real_samples(name):
    frame = read_table(f"sample:{name}")
    target, features = frame["target"], frame.drop("target")
    kind = "number" if name == "diabetes" else "class"
    codes = (
        target.to_numpy().astype(float) if kind == "number" else target.rank("dense").to_numpy().astype(np.int64) - 1
    )
    schema = fit_schema(features, np.arange(frame.height))
    assert leaking_columns(schema, encode(schema, features).mapping(), torch.tensor(codes), kind, 0) == {}


def test_missing_values_and_a_constant_target_do_not_disturb():
    columns, value = honest()
    gaps = np.where(np.random.default_rng(0).random(ROWS) < 0.5, np.nan, value)
    assert leaks(columns | {"gaps": gaps}, value, "number") == {}
    assert leaks(columns, np.zeros(ROWS), "number") == {}
