"""What is learned of the training rows, and that new rows are read the same way, whatever form they come in."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.scale import ColumnScale
from evenkeel.data.schema import RARE, Schema, encode, fit_schema
from evenkeel.errors import DataError

FEATURES = ["number", "town", "open", "day", "gaps"]


@pytest.fixture
def frame(mixed):
    return mixed.select(FEATURES)


@pytest.fixture
def train(frame):
    return np.arange(0, frame.height, 2)


@pytest.fixture
def schema(frame, train):
    return fit_schema(frame, train)


def column_of(schema, name):
    """Where the category feature of a column stands."""
    return [feature.column for feature in schema.categories].index(name)


def learned(schema):
    return schema.numbers, schema.categories


def test_shapes_and_types(schema, frame):
    inputs = encode(schema, frame)
    assert inputs.numbers.shape == (frame.height, len(schema.numbers))
    assert inputs.categories.shape == (frame.height, 2)
    assert (inputs.numbers.dtype, inputs.categories.dtype) == (torch.float32, torch.int32)
    assert set(inputs.mapping()) == {"numbers", "categories"}
    assert schema.used == tuple(FEATURES)
    assert schema.levels == (5, 3)


def test_numbers_against_the_plain_formula(schema, frame, train):
    values = frame["number"].to_numpy()
    low, middle, high = np.quantile(values[train], [0.25, 0.5, 0.75])
    z = (values - middle) / (high - low)
    np.testing.assert_allclose(encode(schema, frame).numbers[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-5, atol=1e-6)


def test_missing_numbers_are_nan(schema, frame):
    index = [feature.column for feature in schema.numbers].index("gaps")
    encoded = encode(schema, frame).numbers[:, index].isnan().tolist()
    assert encoded == frame["gaps"].is_null().to_list()
    assert any(encoded)


def test_categories_by_how_often_they_occur(schema, frame, train):
    levels = schema.categories[column_of(schema, "town")].levels
    sizes = [int((frame["town"].gather(train) == level).sum()) for level in levels]
    assert sizes == sorted(sizes, reverse=True)
    codes = encode(schema, frame).categories[:, column_of(schema, "town")].tolist()
    assert [levels[code - 1] for code in codes] == frame["town"].to_list()


@pytest.mark.parametrize("change", ["shuffle", "constant", "missing", "huge"])
def test_what_is_learned_comes_from_training_rows_alone(schema, frame, train, change):
    held = pl.Series(np.isin(np.arange(frame.height), train, invert=True))
    other = {
        "shuffle": frame[::-1],
        "constant": frame.with_columns(pl.all().first()),
        "missing": frame.with_columns(pl.lit(None, dtype=frame[name].dtype).alias(name) for name in FEATURES),
        "huge": frame.with_columns(number=pl.lit(1e30), gaps=pl.lit(-1e30), town=pl.lit("Elsewhere")),
    }[change]
    changed = frame.select(pl.when(held).then(other[name]).otherwise(frame[name]).alias(name) for name in FEATURES)
    assert not changed.equals(frame)
    assert learned(fit_schema(changed, train)) == learned(schema)


def test_a_training_row_does_matter(schema, frame, train):
    changed = frame.with_columns(number=pl.when(pl.int_range(pl.len()) == 0).then(99.0).otherwise("number"))
    changed = changed.with_columns(number=pl.col("number") * 2)
    assert learned(fit_schema(changed, train)) != learned(schema)


def test_through_json_exactly(schema, frame):
    again = Schema.model_validate_json(schema.model_dump_json())
    assert again == schema
    assert torch.equal(encode(again, frame).numbers.nan_to_num(9), encode(schema, frame).numbers.nan_to_num(9))


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-300, 1.7e308, np.nextafter(1.0, 2.0)])
def test_numbers_through_json_exactly(schema, value):
    first = schema.numbers[0].model_copy(update={"scale": ColumnScale(center=value, width=value)})
    changed = schema.model_copy(update={"numbers": (first, *schema.numbers[1:])})
    assert Schema.model_validate_json(changed.model_dump_json()) == changed


def test_columns_in_another_order_with_others_between(schema, frame):
    other = frame.select(pl.lit("x").alias("more"), *reversed(FEATURES), pl.lit(1).alias("target"))
    assert encode(schema, other).categories.equal(encode(schema, frame).categories)
    assert encode(schema, other).numbers.nan_to_num(9).equal(encode(schema, frame).numbers.nan_to_num(9))


def test_rows_are_encoded_one_by_one_as_together(schema, frame):
    whole = encode(schema, frame)
    assert encode(schema, frame.head(0)).numbers.shape == (0, len(schema.numbers))
    for row in range(0, frame.height, 37):
        one = encode(schema, frame[row])
        assert one.numbers.nan_to_num(9).equal(whole.numbers[row : row + 1].nan_to_num(9))
        assert one.categories.equal(whole.categories[row : row + 1])


def test_the_same_rows_as_text(schema, frame):
    """A CSV written and read again, every value as text, is the same data."""
    text = frame.with_columns(pl.col("day").dt.strftime("%Y-%m-%d %H:%M:%S")).cast(pl.String)
    assert encode(schema, text).categories.equal(encode(schema, frame).categories)
    torch.testing.assert_close(encode(schema, text).numbers, encode(schema, frame).numbers, equal_nan=True)


@pytest.mark.parametrize("value", ["Atlantis", None, "?", "", " NA "])
def test_unseen_and_missing_categories_share_code_0(schema, frame, value):
    encoded = encode(schema, frame.with_columns(town=pl.lit(value, dtype=pl.String)))
    assert not encoded.categories[:, column_of(schema, "town")].any()


def test_rare_levels_train_code_0():
    frame = pl.DataFrame({"town": ["a"] * 5 + ["b"] * RARE + ["c"] * (RARE - 1)})
    schema = fit_schema(frame, np.arange(frame.height))
    assert schema.categories[0].levels == ("a", "b")
    assert encode(schema, frame).categories[:, 0].tolist() == [1] * 5 + [2] * RARE + [0] * (RARE - 1)


def test_all_levels_count_where_all_are_rare():
    frame = pl.DataFrame({"town": ["b", "a", "b", "c"]})
    assert fit_schema(frame, np.arange(4)).categories[0].levels == ("b", "a", "c")


@pytest.mark.parametrize(
    ("levels", "new", "codes"),
    [
        (["01", "02", "x"], [1, 2, 3], ["01", "02", None]),
        (["1", "2", "x"], [1.0, 2.0, 2.5], ["1", "2", None]),
        (["1.50", "2", "x"], [1.5, np.nan, None], ["1.50", None, None]),
        (["2024-01-31", "never", "x"], ["2024-01-31", "never"], ["2024-01-31", "never"]),
        (["1,234", "y", "x"], ["1,234", " y "], ["1,234", "y"]),
        (["True", "False", "Maybe"], [True, False], ["True", "False"]),
        (["True", "False", "Maybe"], ["True", "true"], ["True", None]),
        (["a", "b", "x"], [1, 2], [None, None]),
    ],
)
def test_few_new_rows_may_look_like_numbers_or_dates(levels, new, codes):
    frame = pl.DataFrame({"town": levels * 3})
    schema = fit_schema(frame, np.arange(9))
    known = schema.categories[0].levels
    encoded = encode(schema, pl.DataFrame({"town": new}, strict=False)).categories[:, 0].tolist()
    assert [known[code - 1] if code else None for code in encoded] == codes


@pytest.mark.parametrize(
    "new", [[True, False, None], ["True", "false", ""], [1, 0, None], [1.0, 0.0, np.nan], ["TRUE", "False", "?"]]
)
def test_truth_values_in_every_form(schema, frame, new):
    levels = schema.categories[column_of(schema, "open")].levels
    other = frame.head(3).with_columns(open=pl.Series(new, strict=False))
    encoded = encode(schema, other).categories[:, column_of(schema, "open")].tolist()
    assert encoded == [levels.index("true") + 1, levels.index("false") + 1, 0]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["Bonn", "Cologne", "Essen", "Hamm"]), pl.Object])
def test_words_in_every_type(schema, frame, dtype):
    town = pl.Series(frame["town"].to_list(), dtype=dtype)
    assert encode(schema, frame.with_columns(town=town)).categories.equal(encode(schema, frame).categories)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Decimal(20, 2), pl.String, pl.Boolean])
def test_numbers_in_every_type(dtype):
    frame = pl.DataFrame({"number": [0.0, 1.0, 2.0, 3.0, None]})
    schema = fit_schema(frame, np.arange(5))
    new = pl.DataFrame({"number": pl.Series([0, 1, None]).cast(dtype)})
    expected = encode(schema, pl.DataFrame({"number": [0.0, 1.0, None]})).numbers
    torch.testing.assert_close(encode(schema, new).numbers, expected, equal_nan=True)


def test_date_times_become_their_place_in_time_and_in_each_cycle(schema):
    parts = [feature.part for feature in schema.numbers if feature.column == "day"]
    cycles = [f"{cycle}-{wave}" for cycle in ("year", "week", "day") for wave in ("sine", "cosine")]
    assert parts == ["days", *cycles]


def test_times_of_day():
    frame = pl.DataFrame({"at": [dt.time(hour, 30) for hour in range(0, 24, 3)]})
    schema = fit_schema(frame, np.arange(frame.height))
    assert "day-sine" in [feature.part for feature in schema.numbers]
    assert encode(schema, frame).numbers.isfinite().all()


def test_parts_that_never_change_are_left_out():
    frame = pl.DataFrame({"day": [dt.date(2024, 1, 1) + dt.timedelta(days=index) for index in range(40)]})
    parts = [feature.part for feature in fit_schema(frame, np.arange(40)).numbers]
    assert "week-sine" in parts
    assert "day-sine" not in parts


def test_columns_left_out_are_described_and_not_asked_for():
    frame = pl.DataFrame(
        {
            "x": [0.1, 0.5, 0.4] * 12,
            "nothing": [None] * 36,
            "same": ["a"] * 36,
            "row": range(36),
            "name": [f"n{index}" for index in range(36)],
        }
    )
    schema = fit_schema(frame, np.arange(36))
    kinds = {column.name: column.kind for column in schema.columns}
    assert kinds == {"x": "number", "nothing": "empty", "same": "constant", "row": "identifier", "name": "identifier"}
    assert schema.used == ("x",)
    assert encode(schema, frame.select("x")).numbers.shape == (36, 1)


def test_a_column_without_values_in_training_rows():
    frame = pl.DataFrame({"x": [0.1, 0.5, 0.4, 0.3], "late": [None, None, 1.0, 2.0]})
    schema = fit_schema(frame, np.array([0, 1]))
    assert schema.columns[1].kind == "empty"
    assert schema.columns[1].note == "left out: no value in the training rows"


def test_no_usable_column():
    frame = pl.DataFrame({"same": [1, 1, 1], "nothing": [None, None, None]})
    message = (
        r"no column can be used to predict the target \(same: left out: the same value in every row; nothing: left"
    )
    with pytest.raises(DataError, match=message):
        fit_schema(frame, np.arange(3))
    with pytest.raises(DataError, match=r"\(there are no feature columns\)"):
        fit_schema(pl.DataFrame(), np.arange(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.drop("town", "gaps"),
            r"the data lacks 2 column\(s\) that training used: \['town', 'gaps'\]; there are: 'number', 'open', 'day'",
        ),
        (
            lambda frame: frame.rename({"town": "Town "}),
            r"lacks 1 column\(s\) that training used: \['town'\]; did you mean 'Town '\? There are",
        ),
        (
            lambda frame: frame.with_columns(number=pl.lit("many")),
            r"column 'number' was numbers in training; now it holds text such as 'many'. Write the value as a number",
        ),
        (
            lambda frame: frame.with_columns(number="day"),
            r"column 'number' was numbers in training; now it holds Datetime.*; expected numbers as before",
        ),
        (
            lambda frame: frame.with_columns(number=pl.concat_list("number")),
            r"column 'number' was numbers in training; now it holds List\(Float64\)",
        ),
        (
            lambda frame: frame.with_columns(town=pl.concat_list("town")),
            r"column 'town' was words in training; now it holds List\(String\); expected text",
        ),
        (
            lambda frame: frame.with_columns(town=pl.lit(b"Bonn")),
            r"column 'town' was words in training; now it holds Binary; expected text",
        ),
        (
            lambda frame: frame.with_columns(day=pl.lit("soon")),
            r"column 'day' was date-times in training; now it holds String. Try 2024-12-31 13:45:00",
        ),
        (
            lambda frame: frame.with_columns(day=pl.lit(dt.timedelta(1))),
            r"column 'day' was date-times in training; now it holds Duration",
        ),
        (lambda frame: frame.with_columns(day=pl.lit(7.5)), r"was date-times in training; now it holds Float64"),
    ],
)
def test_new_data_that_do_not_fit(schema, frame, change, message):
    with pytest.raises(DataError, match=message):
        encode(schema, change(frame))


@pytest.mark.parametrize("name", FEATURES)
def test_a_column_all_missing_in_new_data_is_missing(schema, frame, name):
    encoded = encode(schema, frame.with_columns(pl.lit(None).alias(name)))
    if name in ("town", "open"):
        assert not encoded.categories[:, column_of(schema, name)].any()
    else:
        columns = [index for index, feature in enumerate(schema.numbers) if feature.column == name]
        assert encoded.numbers[:, columns].isnan().all()
