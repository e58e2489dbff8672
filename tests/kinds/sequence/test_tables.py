import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError
from evenkeel.kinds.sequence.tables import Roles, read_long, read_wide


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": ["b", "a", "b", "b", "a"],
            "t": [2, 1, 0, 1, 0],
            "x": [5.0, 7.0, 3.0, 4.0, None],
            "on": [True, False, True, False, True],
            "who": ["u", "v", "u", "u", "v"],
            "y": [1, 0, 1, 1, 0],
            "now": [2, 8, 0, 1, 9],
        }
    )


ROLES = {"series": "id", "time": "t"}


def test_steps_go_by_time_and_series_by_their_first_row(frame):
    found = read_long(frame, Roles(**ROLES, target=("y",), aside=("now",)))
    assert found.channels == ("x", "on") and found.lengths.tolist() == [3, 2]
    np.testing.assert_array_equal(found.values[:, 0], [3, 4, 5, np.nan, 7])
    assert found.values[:, 1].tolist() == [1, 0, 1, 1, 0]
    assert found.table["y"].to_list() == [1, 0] and found.table["who"].to_list() == ["u", "v"]
    assert [column.name for column in found.left_out] == ["who"] and "no numbers" in found.left_out[0].note
    assert found.notes == () and found.steps is None


def test_without_a_time_the_rows_are_in_order(frame):
    found = read_long(frame.drop("t"), Roles(series="id"), channels=["now"])
    assert found.values.flatten().tolist() == [2, 0, 1, 8, 9] and found.target == ()


def test_an_answer_that_varies_is_one_of_each_step(frame):
    found = read_long(frame, Roles(**ROLES, target=("now",)))
    assert found.steps["now"].to_list() == [0, 1, 2, 9, 8] and "now" not in found.table.columns
    assert read_long(frame, Roles(**ROLES, target=("y",)), per="step").steps["y"].to_list() == [1, 1, 1, 0, 0]
    with pytest.raises(DataError, match="target now varies within a series"):
        read_long(frame, Roles(**ROLES, target=("now",)), per="example")


def test_an_answer_may_stand_in_one_row_of_its_series(frame):
    some = frame.with_columns(pl.Series("y", [None, None, 1, None, 0]))
    assert read_long(some, Roles(**ROLES, target=("y",))).table["y"].to_list() == [1, 0]


def test_rows_without_a_series_and_equal_times_are_counted(frame):
    odd = frame.with_columns(pl.Series("id", ["b", "a", "b", "b", None]), pl.Series("t", [1, 1, 0, 1, 0]))
    found = read_long(odd, Roles(**ROLES, target=("y",)))
    assert found.lengths.tolist() == [3, 1]
    assert found.notes[0].startswith("1 row names no series in 'id'; left out")
    assert found.notes[1].startswith("1 step has the time of the step before; it keeps")
    assert found.values[:3, 0].tolist() == [3, 5, 4]


def test_times_are_read_as_such(frame):
    dated = frame.with_columns(pl.Series("t", ["2024-01-03", "2024-01-02", "2023-12-31", "2024-01-01", "2024-01-01"]))
    assert read_long(dated, Roles(**ROLES)).values[:3, 0].tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("change", "roles", "message"),
    [
        ({}, {"series": "idd"}, "no column 'idd'; did you mean 'id'"),
        ({}, {"series": "id", "time": "when"}, "no column 'when'"),
        ({}, {"series": "id", "time": "who"}, "'who' must hold a time or a number in every row, got String"),
        ({"t": [1, None, 0, 2, 3]}, ROLES, "'t' must hold a time.*with 1 missing"),
        ({"id": [None] * 5}, ROLES, "no row names its series"),
        ({}, {**ROLES, "target": ("z",)}, "there is no column 'z' to predict"),
        ({}, {**ROLES, "aside": ("x", "on", "y", "now")}, "no column holds the numbers of the sequences"),
    ],
)
def test_says_what_a_long_table_lacks(change, roles, message, frame):
    with pytest.raises(DataError, match=message):
        read_long(frame.with_columns(**{name: pl.Series(values) for name, values in change.items()}), Roles(**roles))


def test_new_tables_must_hold_the_channels_of_training(frame):
    with pytest.raises(DataError, match="no column 'z'"):
        read_long(frame, Roles(**ROLES), channels=["x", "z"])
    with pytest.raises(DataError, match="'who' was numbers in training; now it holds String"):
        read_long(frame, Roles(**ROLES), channels=["who"])
    empty = frame.with_columns(pl.lit(None).alias("x"))
    assert read_long(empty, Roles(**ROLES), channels=["x"]).values.isnan().all()


def test_rows_of_a_wide_table_are_sequences_of_one_channel():
    frame = pl.DataFrame({"y": ["p", "q"], "s0": [1, 2], "name": ["u", "v"], "s1": [3, None], "w": [0.5, 2.0]})
    found = read_wide(frame, Roles(target=("y",), aside=("w",)))
    assert found.wide == ("s0", "s1") and found.channels == ("value",) and found.lengths.tolist() == [2, 2]
    np.testing.assert_array_equal(found.values.flatten(), [1, 3, 2, np.nan])
    assert found.table["y"].to_list() == ["p", "q"] and found.table["w"].to_list() == [0.5, 2.0]
    new = read_wide(frame.select("s1", "s0"), Roles(), steps=found.wide)
    np.testing.assert_array_equal(new.values, found.values)
    with pytest.raises(DataError, match=r"needs a number column for each step, got \['s0'\].*'series'"):
        read_wide(frame.select("s0", "name"), Roles())
