from pathlib import Path

import polars as pl
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds import PARTS
from evenkeel.kinds.side import SideRequest, load_nothing, require_columns, under_names

SIDES = {name: kind.side for name, kind in PARTS.items() if kind.side is not None}


def test_what_has_no_files_is_left_as_it_is():
    frame = pl.DataFrame({"a": [1, 2]})
    loaded = load_nothing(frame, Path(), SideRequest())
    assert loaded.raw is frame and loaded.rows.tolist() == [0, 1] and loaded.notes == ()


def test_columns_take_the_names_of_training_where_one_schema_serves_both_sides():
    frame = pl.DataFrame({"a": [1], "b": [2]})
    assert under_names(frame, ["c", "d"]).columns == ["c", "d"]
    assert under_names(frame, ["b", "a"]) is frame and under_names(frame, ["c"]) is frame
    assert require_columns(frame) is frame
    with pytest.raises(DataError, match="expected columns of numbers or words"):
        require_columns(torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize(
    "raw", [pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["x"]}), torch.zeros(1, 1, 4, 4)], ids=str
)
def test_some_kind_takes_every_side(raw):
    assert any(side.recognises(raw, Path()) for side in SIDES.values())
