import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.pair.read import alike, read_pairs

TEXTS = (["a red cat", "a big dog", "a red dog"], ["eine rote katze", "ein hund", "ein roter hund"])
FRAME = pl.DataFrame({"english": TEXTS[0], "german": TEXTS[1], "group": ["x", "y", "y"]})


@pytest.mark.parametrize(
    "data", [TEXTS, {"left": TEXTS[0], "right": TEXTS[1]}, FRAME.drop("group"), FRAME.drop("group").to_pandas()]
)
def test_pairs_come_as_tuple_mapping_or_table(data):
    pairs = read_pairs(data, {})
    assert [side.to_series().to_list() for side in pairs.sides.values()] == list(TEXTS)
    assert pairs.rows.tolist() == [0, 1, 2] and pairs.height == 3


def test_columns_may_be_named_and_others_are_set_aside(tmp_path):
    path = tmp_path / "pairs.csv"
    FRAME.write_csv(path)
    pairs = read_pairs(path, {"left": ["german"], "right": ["english"]}, ["group"])
    assert pairs.columns == {"left": ("german",), "right": ("english",)} and pairs.rest.columns == ["group"]
    assert pairs.folder == tmp_path
    assert read_pairs(path, {}, ["group"]).columns["left"] == ("english",)


def test_rows_that_lack_a_side_are_counted():
    pairs = read_pairs((["a", None, "c"], ["x", "y", None]), {})
    assert pairs.rows.tolist() == [0]
    assert pairs.notes == ("2 of 3 rows lack a side and are left out.",)


def test_pairs_are_alike_by_a_chain_of_shared_sides():
    pairs = read_pairs((["a", "a", "b", "c", "d"], ["1", "2", "2", "3", "4"]), {})
    assert alike(pairs).tolist() == [0, 0, 0, 1, 2]
    assert alike(pairs, ["g", "h", "i", "j", "j"]).tolist() == [0, 0, 0, 1, 1]


def slow_alike(left, right):
    """Numbers passed on between neighbours until nothing changes."""
    numbers = list(range(len(left)))
    for _ in left:
        for i in range(len(left)):
            for j in range(len(left)):
                if left[i] == left[j] or right[i] == right[j]:
                    numbers[i] = numbers[j] = min(numbers[i], numbers[j])
    return numbers


def test_alike_agrees_with_passing_numbers_on():
    left, right = np.random.default_rng(0).integers(0, 14, (2, 20)).tolist()
    numbers = alike(read_pairs(([f"l{x}" for x in left], [f"r{x}" for x in right]), {})).tolist()
    slow = slow_alike(left, right)
    assert len(set(numbers)) > 2
    assert [[a == b for b in numbers] for a in numbers] == [[a == b for b in slow] for a in slow]


@pytest.mark.parametrize(
    ("data", "columns", "error", "words"),
    [
        (TEXTS[0], {}, DataError, "expected an array"),
        ((TEXTS[0], TEXTS[1][:2]), {}, DataError, "two sides of equal length, row by row a pair, got left 3, right 2"),
        ((*TEXTS, TEXTS[0]), {}, DataError, r"expected a pair \(left, right\), got a tuple of 3"),
        ({"left": TEXTS[0]}, {}, DataError, "expected two sides of equal length, row by row a pair, got left 3 rows"),
        (
            FRAME,
            {},
            RequestError,
            r"which columns belong together\? Expected two, got 3: \['english', 'german'",
        ),
        (FRAME, {"left": ["english"], "right": ["greman"]}, DataError, "no column 'greman' .* did you mean 'german'"),
    ],
)
def test_what_are_no_pairs(data, columns, error, words):
    with pytest.raises(error, match=words):
        read_pairs(data, columns)


def test_rows_of_which_a_side_holds_no_number_are_left_out_and_counted():
    left = np.arange(12.0).reshape(6, 2)
    left[[1, 4]] = np.nan
    left[2, 0] = np.nan
    pairs = read_pairs((left, np.arange(6.0)), {})
    assert pairs.rows.tolist() == [0, 2, 3, 5]
    assert pairs.notes == ("2 of 6 rows lack a side and are left out.",)


@pytest.mark.parametrize("right", [["english"], ["german", "english"]])
def test_a_column_cannot_be_on_both_sides(right):
    with pytest.raises(RequestError, match=r"column 'english' is named twice .* give each side columns of its own"):
        read_pairs(FRAME, {"left": ["english"], "right": right})
