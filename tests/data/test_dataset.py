"""From a table to tensors: target apart, rows split, columns encoded, weights and warnings beside them."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import evenkeel
from evenkeel.data.dataset import FEWEST_ROWS, Dataset, SplitRequest, build_dataset, set_target_apart
from evenkeel.data.table import read_table
from evenkeel.errors import DataError, RequestError

KINDS = {"price": "number", "sold": "class", "open": "class", "town": "class"}


def build(frame, target="price", kind=None, weight=None, **request):
    table = set_target_apart(frame, target)
    return build_dataset(table, kind or KINDS[target], SplitRequest(**request), weight=weight)


def values(dataset):
    """Everything in it that a network sees, as one comparable tensor."""
    return torch.cat([value.double().nan_to_num(9) for value in dataset.inputs.values()], dim=1)


@pytest.mark.parametrize("target", KINDS)
def test_all_fields_have_one_entry_a_row(mixed, target):
    dataset = build(mixed, target)
    assert isinstance(dataset, Dataset)
    assert len(dataset) == mixed.height == len(dataset.target)
    assert {name: len(value) for name, value in dataset.inputs.items()} == {"numbers": 200, "categories": 200}
    assert dataset.target_schema.columns == (target,)
    assert target not in dataset.schema.used
    assert dataset.weight is None
    assert dataset.notes == ()


def test_rows_without_a_target_are_left_out_and_counted(mixed):
    gaps = mixed.with_columns(price=pl.when(pl.int_range(pl.len()) % 10 == 3).then(None).otherwise("price"))
    table = set_target_apart(gaps, "price")
    assert table.height == 200
    assert len(table.rows) == table.features.height == table.target.height == 180
    assert 3 not in table.rows
    dataset = build(gaps)
    assert dataset.notes == ("20 of 200 rows have no target value and are left out.",)
    expected = gaps["price"].drop_nulls().to_list()
    assert dataset.target.tolist() == expected


def test_several_targets(mixed):
    table = set_target_apart(mixed.with_columns(open=pl.col("open").cast(pl.Int64)), ["sold", "open"])
    dataset = build_dataset(table, "labels", SplitRequest())
    assert dataset.target.shape == (200, 2)
    assert set(dataset.schema.used) == {"number", "town", "day", "gaps", "price"}


def test_the_table_given_is_not_changed(mixed):
    before = mixed.clone()
    build(mixed, "sold", weight="balanced", how="group:town")
    assert mixed.equals(before)


@pytest.mark.parametrize("how", ["random", "time:day", "time:number", "group:town"])
@pytest.mark.parametrize("target", ["price", "sold"])
def test_every_split_through_the_front(mixed, how, target):
    dataset = build(mixed, target, how=how, validation=0.2, test=0.2)
    parts = [getattr(dataset.split, name) for name in ("train", "validation", "test")]
    assert sorted(np.concatenate(parts).tolist()) == list(range(200))
    assert all(len(part) for part in parts)


def test_classes_are_stratified_and_numbers_are_not(mixed):
    assert build(mixed, "sold").split.how == "random, stratified by class"
    assert build(mixed, "price").split.how == "random"


def test_a_time_column_stays_a_feature_and_a_group_does_not(mixed):
    assert "day" in build(mixed, how="time:day").schema.used
    dataset = build(mixed, how="group:town")
    assert "town" not in [column.name for column in dataset.schema.columns]
    towns = mixed["town"].to_numpy()
    assert not set(towns[dataset.split.train]) & set(towns[dataset.split.test])


def test_time_split_of_dates_is_in_order(mixed):
    shuffled = mixed.sample(fraction=1.0, shuffle=True, seed=0)
    dataset = build(shuffled, how="time:day")
    day = shuffled["day"]
    assert day.gather(dataset.split.train).max() <= day.gather(dataset.split.validation).min()
    assert day.gather(dataset.split.validation).max() <= day.gather(dataset.split.test).min()


def test_scales_come_from_the_training_rows_of_the_split(mixed):
    dataset = build(mixed, how="time:day")
    median = mixed["number"].gather(dataset.split.train).median()
    assert dataset.schema.numbers[0].scale.center == pytest.approx(median)


def test_changing_test_rows_changes_nothing_else(mixed):
    plain = build(mixed, how="time:day")
    held = pl.Series(np.isin(np.arange(200), plain.split.test))
    changed = mixed.with_columns(
        number=pl.when(held).then(pl.col("number") * 100).otherwise("number"),
        town=pl.when(held).then(pl.lit("Elsewhere")).otherwise("town"),
        price=pl.when(held).then(-1e6).otherwise("price"),
    )
    other = build(changed, how="time:day")
    assert (other.schema.numbers, other.schema.categories) == (plain.schema.numbers, plain.schema.categories)
    train = torch.from_numpy(plain.split.train)
    assert values(other)[train].equal(values(plain)[train])
    assert not values(other).equal(values(plain))


def test_the_seed_decides_the_split_alone(mixed):
    first, again, other = (build(mixed, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.split.test, again.split.test)
    assert values(first).equal(values(again))
    assert not np.array_equal(first.split.test, other.split.test)


def test_given_parts_through_the_front(mixed):
    split = build(mixed, how={"train": range(150), "test": range(150, 200)}, validation=0.0).split
    assert (len(split.train), len(split.validation), split.test.tolist()) == (150, 0, list(range(150, 200)))
    split = build(mixed, how=["train"] * 120 + ["validation"] * 30 + ["test"] * 50).split
    assert (len(split.train), len(split.validation), len(split.test)) == (120, 30, 50)
    assert split.how == "given"


@pytest.mark.parametrize("target", ["price", "sold"])
def test_given_parts_without_validation_get_one_from_the_training_rows(mixed, target):
    split = build(mixed, target, how={"train": range(150), "test": range(150, 200)}, validation=0.2).split
    assert split.test.tolist() == list(range(150, 200))
    assert sorted([*split.train, *split.validation]) == list(range(150))
    assert len(split.validation) == 30
    assert split.how == "given, validation drawn from the training rows"


def test_given_parts_with_rows_that_drop_out(mixed):
    gaps = mixed.with_columns(price=pl.when(pl.int_range(pl.len()) < 10).then(None).otherwise("price"))
    dataset = build(gaps, how={"train": range(150), "test": range(150, 200)}, validation=0.0)
    assert (len(dataset), len(dataset.split.train), len(dataset.split.test)) == (190, 140, 50)
    assert dataset.split.test.tolist() == list(range(140, 190))


@pytest.mark.parametrize("form", ["column", "array", "balanced", "mapping"])
def test_weights_of_every_form(mixed, form):
    frame = mixed.with_columns(weight=pl.int_range(pl.len()) % 3 + 1)
    weight = {"column": "weight", "array": frame["weight"].to_numpy(), "balanced": "balanced", "mapping": {0: 1, 1: 3}}
    dataset = build(frame, "sold", weight=weight[form])
    assert float(dataset.weight.mean()) == pytest.approx(1.0)
    # A weight is no feature: it may have been computed from the target.
    assert ("weight" in dataset.schema.used) == (form != "column")


def test_weights_follow_their_rows(mixed):
    frame = mixed.with_columns(
        weight=pl.int_range(pl.len()).cast(pl.Float64),
        price=pl.when(pl.int_range(pl.len()) % 2 == 0).then(None).otherwise("price"),
    )
    for weight in ("weight", frame["weight"].to_numpy()):
        dataset = build(frame, weight=weight).weight
        assert (dataset / dataset[0]).tolist() == pytest.approx(list(range(1, 200, 2)), rel=1e-5)


def test_a_planted_column_is_told_and_kept(mixed):
    dataset = build(mixed.with_columns(euros=pl.col("price") * 2 + 1))
    assert len(dataset.notes) == 1
    assert dataset.notes[0].startswith("Column 'euros' alone predicts the target almost perfectly (")
    assert dataset.notes[0].endswith("possible leakage. Would it be known at the time of the prediction?")
    assert "euros" in dataset.schema.used


def test_columns_left_out_are_told(mixed):
    dataset = build(mixed.with_columns(same=pl.lit("a"), row=pl.int_range(pl.len())))
    assert dataset.notes == (
        "Column 'same' is left out: the same value in every row.",
        "Column 'row' is left out: it numbers the rows.",
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, np.inf] + [2.0] * 20, "target 'y' is infinite in row 1; correct or remove such rows"),
        ([1.0, -np.inf] + [2.0] * 20, "target 'y' is infinite in row 1"),
        (["1", "2", "inf"] + ["2.5"] * 20, "target 'y' is infinite in row 2"),
        ([1.0, 2e38] + [2.0] * 20, r"target 'y' is too large \(2e\+38\) in row 1"),
        (
            [1.0] * 3,
            f"expected at least {FEWEST_ROWS} rows with a value of 'y', got 3; a part of them must be held out",
        ),
        ([1.0] * 9 + [None] * 50, "expected at least 10 rows with a value of 'y', got 9"),
        ([None] * 50, "expected at least 10 rows with a value of 'y', got 0"),
    ],
)
def test_what_is_no_target(column, message):
    frame = pl.DataFrame({"x": range(len(column)), "y": pl.Series(column, strict=False)})
    with pytest.raises(DataError, match=message):
        set_target_apart(frame, "y")


@pytest.mark.parametrize(
    ("request_", "kind", "message"),
    [
        (
            {"how": "tim:day"},
            RequestError,
            "split must be 'random', 'time:COLUMN', 'group:COLUMN' or given, got 'tim:day'",
        ),
        ({"how": "time:"}, RequestError, "got 'time:'"),
        ({"how": "random:day"}, RequestError, "got 'random:day'"),
        ({"how": "time:dya"}, DataError, r"no column 'dya' to split by; did you mean 'day'\?"),
        ({"how": "time:price"}, DataError, "no column 'price' to split by"),
        ({"how": "time:town"}, DataError, "column 'town' must hold a time or a number in every row to split by time"),
        ({"how": "time:gaps"}, DataError, "column 'gaps' must hold a time or a number in every row to split by time"),
        ({"validation": 0.6, "test": 0.5}, RequestError, r"validation \+ test must be in \[0, 1\), got 0.6 \+ 0.5"),
        ({"seed": -1}, RequestError, "a seed is a whole number of 0 or more, got -1"),
    ],
)
def test_splits_that_make_no_sense(mixed, request_, kind, message):
    with pytest.raises(kind, match=message):
        build(mixed, **request_)


def test_only_the_target_in_the_table():
    with pytest.raises(
        DataError, match=r"no column can be used to predict the target \(there are no feature columns\)"
    ):
        build(pl.DataFrame({"price": np.arange(20.0)}))


# Wrong types meet the type checks of the tests before our own: so they are tried in an interpreter without them.
WRONG_TYPES = """
    import numpy as np, polars as pl
    from evenkeel.data import SplitRequest, build_dataset, set_target_apart
    from evenkeel.errors import EvenkeelError

    frame = pl.DataFrame({"x": np.sin(np.arange(40.0)), "y": np.arange(40) % 2})
    tries = {
        "target 3": lambda: set_target_apart(frame, 3),
        "target None": lambda: set_target_apart(frame, None),
        "split None": lambda: build(how=None),
        "split 3": lambda: build(how=3),
        "rows as words": lambda: build(how={"train": ["a"]}),
        "share as text": lambda: build(validation="0.1"),
        "seed as text": lambda: build(seed="a"),
        "weight as text in a mapping": lambda: build(weight={0: "x"}),
        "weights as text": lambda: build(weight=["a"] * 40),
        "one weight": lambda: build(weight=3.0),
    }
    def build(weight=None, **request):
        return build_dataset(set_target_apart(frame, "y"), "class", SplitRequest(**request), weight=weight)
    for name, attempt in tries.items():
        try:
            attempt()
        except EvenkeelError as problem:
            print(f"{name}: {problem}")
"""


def test_wrong_types_are_named_too(golden):
    path = str(Path(evenkeel.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {path!r})\n" + textwrap.dedent(WRONG_TYPES)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    golden("wrong_types.txt", done.stdout)
    assert done.stdout.count("\n") == 10


@pytest.mark.parametrize(
    ("path", "target", "kind", "notes"),
    [
        ("titanic/titanic.csv", "survived", "class", 3),
        ("penguins/penguins.csv", "species", "class", 0),
        ("insurance-charges/insurance.csv", "charges", "number", 0),
        ("uci-bostonHousing/data.txt", "column_13", "number", 0),
    ],
)
def test_real_tables_are_silent_where_nothing_is_wrong(real_data, path, target, kind, notes):
    dataset = build(read_table(real_data / path), target, kind)
    assert len(dataset.notes) == notes
    assert not any("leakage" in note for note in dataset.notes)
    assert dataset.inputs["numbers"].abs().nan_to_num(0).max() <= 3
