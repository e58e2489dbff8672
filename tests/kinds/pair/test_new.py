import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.pair.new import read_new
from evenkeel.kinds.pair.read import read_pairs
from evenkeel.kinds.pair.schema import encode_pairs, fit_pairs
from evenkeel.kinds.side import SideRequest

TEXTS = (["a red cat", "a big dog", "a red dog"], ["eine rote katze", "ein hund", "ein roter hund"])
FRAME = pl.DataFrame({"english": TEXTS[0], "german": TEXTS[1], "group": ["x", "y", "y"]})
LEFT, RIGHT = np.arange(12.0).reshape(3, 4), np.arange(9.0).reshape(3, 3) ** 2


def schema_of(data, columns=None):
    return fit_pairs(read_pairs(data, columns or {}), np.arange(2), SideRequest(), towers=2, temperature=0.1)


def test_new_pairs_must_have_the_columns_of_a_side():
    schema = schema_of(FRAME.drop("group"))
    with pytest.raises(DataError, match=r"expected the columns of a side, \['english'\] \(left\) or \['german'\]"):
        read_new(schema, FRAME[["group"]])
    with pytest.raises(DataError, match=r"one side, or two of equal length, got \{'left': 3, 'right': 2\}"):
        read_new(schema, {"left": TEXTS[0], "right": TEXTS[1][:2]})
    assert set(read_new(schema, FRAME[["german", "group"]]).sides) == {"right"}


@pytest.mark.parametrize("data", [LEFT, torch.from_numpy(LEFT), LEFT.tolist(), RIGHT])
def test_one_array_does_not_say_which_side_it_is(data):
    with pytest.raises(
        DataError, match=r"does not say which side it is; give \{'left': \.\.\.\}, .* as \(left, right\)"
    ):
        read_new(schema_of((LEFT, RIGHT)), data)


def test_one_list_of_texts_does_not_say_which_side_it_is():
    with pytest.raises(DataError, match=r"one list of shape \(3,\) does not say which side it is"):
        read_new(schema_of(TEXTS), TEXTS[0])


def test_a_table_whose_names_are_on_both_sides_cannot_be_told_apart():
    frame = pl.DataFrame({f"x{i}": LEFT[:, i] for i in range(4)})
    with pytest.raises(DataError, match=r"both sides have columns of the same names, \['x0', 'x1'.*; give \{'left'"):
        read_new(schema_of((LEFT, RIGHT)), frame)


def test_an_array_whose_columns_were_named_by_number_is_both_sides():
    whole = np.hstack([LEFT, RIGHT])
    schema = schema_of(whole, {"left": ["x0", "x1"], "right": ["x4", "x5"]})
    pairs = read_new(schema, whole)
    assert pairs.sides["right"].columns == ["x4", "x5"] and set(pairs.sides) == {"left", "right"}


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({"left": np.zeros((2, 7))}, r"a left side of 4 column\(s\), got 7 columns"),
        ({"left": torch.zeros(2, 3)}, r"a left side of 4 column\(s\), got 3 columns"),
        ({"right": [[1.0, 2.0]]}, r"a right side of 3 column\(s\), got 2 columns"),
        ((LEFT, LEFT), r"a right side of 3 column\(s\), got 4 columns"),
    ],
)
def test_sides_of_another_width_are_refused(new, message):
    with pytest.raises(DataError, match=message):
        read_new(schema_of((LEFT, RIGHT)), new)


def test_texts_are_one_a_row():
    with pytest.raises(DataError, match="a right side of one text a row, got 3 columns"):
        read_new(schema_of((LEFT, TEXTS[1])), {"right": RIGHT})


def test_named_columns_may_be_more_than_those_of_training():
    schema = schema_of((LEFT, RIGHT))
    frame = pl.DataFrame({**{f"x{i}": LEFT[:, i] for i in range(4)}, "other": ["a", "b", "c"]})
    fields = encode_pairs(schema, read_new(schema, {"left": frame}))
    expected = encode_pairs(schema, read_new(schema, {"left": LEFT}))
    assert torch.equal(fields["left_numbers"], expected["left_numbers"])
