"""What kind of column is this? Told from its values, with a note where it is left out."""

import datetime as dt
import decimal

import numpy as np
import polars as pl
import pytest

from evenkeel.data.columns import DATE_FORMS, MISSING_WORDS, USED, describe, tidy, tidy_infinite, tidy_text
from evenkeel.data.dataset import SplitRequest, build_dataset, set_target_apart
from evenkeel.data.table import read_table

MOMENT = dt.datetime(2024, 3, 31, 13, 45)


def column(values, **options):
    return pl.Series("column", values, **options)


def kind(values, name="column"):
    return describe(tidy(pl.Series(name, values))).kind


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (["1", "2.5", "-3e2"], [1, 2.5, -300]),
        (["1,234", "12,345,678.5", "7"], [1234, 12345678.5, 7]),
        (["-1,234", "+1,000"], [-1234, 1000]),
        (["12%", "3.5 %"], [12, 3.5]),
        (["$5", "$1,234.50", "-$3"], [5, 1234.5, -3]),
        (["5 €", "7.5€"], [5, 7.5]),
        ([" 1 ", "\t2", "?"], [1, 2, None]),
        (["1", "NA", None, "nan"], [1, None, None, None]),
        (["1", "inf"], [1, None]),
    ],
)
def test_numbers_out_of_text(text, numbers):
    result = tidy(column(text))
    assert result.dtype == pl.Float64
    assert result.to_list() == numbers


@pytest.mark.parametrize("text", [["1,5", "2"], ["1,23", "4"], ["1", "x"], ["1-2", "3"], ["$", "3"], ["1,234,5", "1"]])
def test_text_becomes_numbers_all_or_nothing(text):
    assert tidy(column(text)).to_list() == text


@pytest.mark.parametrize("word", MISSING_WORDS)
@pytest.mark.parametrize("change", [str, str.upper, lambda word: f"  {word} "])
def test_missing_words(word, change):
    assert tidy(column(["1", change(word)])).to_list() == [1.0, None]
    assert tidy_text(column(["a", change(word)])).to_list() == ["a", None]


@pytest.mark.parametrize("values", [[np.nan, np.inf, -np.inf, 1.5]])
@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_not_a_number_and_infinite_are_missing(values, dtype):
    assert tidy(column(values, dtype=dtype)).to_list() == [None, None, None, 1.5]
    assert tidy_infinite(column(values, dtype=dtype)).to_list() == [None, np.inf, -np.inf, 1.5]


@pytest.mark.parametrize("form", DATE_FORMS)
def test_dates_out_of_text(form):
    text = [(MOMENT + dt.timedelta(days=step)).strftime(form.replace("%.f", "")) for step in range(3)]
    result = tidy(column([*text, None]))
    assert result.dtype == pl.Datetime("us")
    assert result.dt.date().to_list() == [*((MOMENT + dt.timedelta(days=step)).date() for step in range(3)), None]
    assert result[0].hour == (13 if "%H" in form else 0)


def test_dates_with_fractions_and_in_universal_time():
    result = tidy(column(["2024-03-31T13:45:00.250Z", "2024-03-31T13:45:00Z"]))
    assert result.to_list() == [MOMENT + dt.timedelta(milliseconds=250), MOMENT]


@pytest.mark.parametrize("text", [["2024-03-31", "soon"], ["2024-13-01", "2024-01-01"], ["31/12/2024", "01/01/2024"]])
def test_text_becomes_dates_all_or_nothing(text):
    assert tidy(column(text)).to_list() == text


@pytest.mark.parametrize("text", [["True", "false", "TRUE"], ["true", None, "False"]])
def test_truth_values_out_of_text(text):
    assert tidy(column(text)).to_list() == [None if word is None else word.lower() == "true" for word in text]


@pytest.mark.parametrize(
    "series",
    [
        column(["a", "b", "a"], dtype=pl.Categorical),
        column(["a", "b", "a"], dtype=pl.Enum(["a", "b"])),
        column(["a", "b", "a"], dtype=pl.Object),
    ],
)
def test_other_kinds_of_text(series):
    assert tidy(series).to_list() == ["a", "b", "a"]


def test_decimals_are_numbers():
    assert tidy(column([decimal.Decimal("1.50"), None])).to_list() == [1.5, None]


@pytest.mark.parametrize("values", [["x", " y", None], [1, 2], [True, None], [1.5, np.nan], [MOMENT], ["1", "2"]])
def test_tidy_twice_is_tidy_once(values):
    once = tidy(column(values))
    assert tidy(once).equals(once)


def test_tidy_keeps_name_and_length_and_the_original():
    series = column([" a ", "?", "b"])
    result = tidy(series)
    assert (result.name, len(result)) == ("column", 3)
    assert series.to_list() == [" a ", "?", "b"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, 2.5, 3.5], "number"),
        ([1, 2, None], "number"),
        (["a", "b", "a"], "category"),
        ([True, False, None], "boolean"),
        ([MOMENT, MOMENT + dt.timedelta(1)], "datetime"),
        ([MOMENT.date(), MOMENT.date() + dt.timedelta(1)], "datetime"),
        ([dt.time(3), dt.time(4)], "datetime"),
        ([3, 3, 3], "constant"),
        (["a", "a"], "constant"),
        ([True, True], "constant"),
        ([3, None, 3], "number"),
        ([None, None], "empty"),
        (["?", "NA"], "empty"),
        ([dt.timedelta(1), dt.timedelta(2)], "text"),
        ([[1], [2]], "text"),
        ([{"a": 1}, {"a": 2}], "text"),
        ([b"a", b"b"], "text"),
        ([f"name {index}" for index in range(29)], "category"),
        ([f"name{index}" for index in range(30)], "identifier"),
        ([f"this is sentence {index} of the whole story" for index in range(40)], "text"),
        ([f"level{index % 15}" for index in range(30)], "category"),
        ([f"level{index % 16}" for index in range(30)], "identifier"),
        (list(range(29)), "number"),
        (list(range(30)), "identifier"),
        (list(range(1000, 1030)), "identifier"),
        (list(range(30))[::-1], "identifier"),
        ([float(index) for index in range(30)], "identifier"),
        ([index * 2 for index in range(30)], "number"),
        ([index + 0.5 for index in range(30)], "number"),
        ([*range(15), *range(15)], "number"),
    ],
)
def test_kinds(values, expected):
    assert kind(values) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id", "identifier"),
        ("Customer_ID", "identifier"),
        ("id-number", "identifier"),
        ("PassengerId", "identifier"),
        ("Unnamed: 0", "identifier"),
        ("width", "number"),
        ("idea", "number"),
        ("paid", "number"),
    ],
)
def test_a_number_named_an_id_that_never_repeats(name, expected):
    values = np.random.default_rng(0).permutation(1000)[:50].tolist()
    assert kind(values, name) == expected


def test_an_id_that_repeats_is_a_number():
    assert kind([index % 20 for index in range(50)], "id") == "number"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([None] * 3, "left out: no value is present"),
        ([7] * 3, "left out: the same value in every row"),
        (list(range(30)), "left out: it numbers the rows"),
        ([f"n{index}" for index in range(30)], "left out: 30 different values in 30 rows name the rows"),
        ([f"a sentence that is long {index}" for index in range(30)], "left out: free text"),
        ([dt.timedelta(1), dt.timedelta(2)], "left out: a duration"),
        ([[1], [2]], "left out: values of type List(Int64) are not read"),
        (
            [*(str(index / 7) for index in range(59)), "about 3"],
            "left out: 59 of 60 values are numbers, the others are text such as 'about 3'; write them as numbers or "
            "leave them empty",
        ),
        ([1.5, 2.5], ""),
        (["a", "b"], ""),
    ],
)
def test_notes_say_why(values, note):
    result = describe(tidy(column(values)))
    assert result.note == note
    assert bool(result.note) == (result.kind not in USED)


def test_description():
    result = describe(tidy(column(["b", None, "a", "b", "c", "a very long value that goes on and on and on", "d"])))
    assert (result.name, result.missing) == ("column", 1)
    assert result.examples == ("b", "a", "c")
    long = describe(column(["x" * 100, "y"]))
    assert long.examples == ("x" * 37 + "...", "y")
    assert describe(column([1.5, 2.0, 1e9])).examples == ("1.5", "2", "1e+09")


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        (
            "titanic/titanic.csv",
            "survived",
            {
                "pclass": "number",
                "name": "text",
                "sex": "category",
                "age": "number",
                "sibsp": "number",
                "parch": "number",
                "ticket": "identifier",
                "fare": "number",
                "cabin": "identifier",
                "embarked": "category",
            },
        ),
        (
            "penguins/penguins.csv",
            "species",
            dict.fromkeys(("island", "sex"), "category")
            | dict.fromkeys(("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"), "number"),
        ),
        (
            "adult/adult-train.csv.gz",
            "column_14",
            {
                f"column_{index}": "number" if index in (0, 2, 4, 10, 11, 12) else "category"  # age, weight, years, ...
                for index in range(14)
            },
        ),
        ("mammography/mammography.csv", "column_6", {f"column_{index}": "number" for index in range(6)}),
    ],
    ids=["titanic", "penguins", "adult", "mammography"],
)
def test_real_tables(real_data, path, target, expected):
    table = set_target_apart(read_table(real_data / path), target)
    result = build_dataset(table, "class", SplitRequest()).schema
    assert {column.name: column.kind for column in result.columns} == expected


def test_missing_values_of_real_tables(real_data):
    titanic = {series.name: describe(tidy(series)).missing for series in read_table(real_data / "titanic/titanic.csv")}
    assert (titanic["age"], titanic["cabin"], titanic["embarked"]) == (177, 687, 2)
    adult = [describe(tidy(series)).missing for series in read_table(real_data / "adult/adult-train.csv.gz")]
    assert (adult[1], adult[6], adult[13], sum(adult)) == (1836, 1843, 583, 4262)
