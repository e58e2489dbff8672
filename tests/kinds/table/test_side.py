from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.side import SideRequest
from evenkeel.kinds.table.side import TABLE_SIDE

FRAME = pl.DataFrame({"size": [1.0, 2.0, 9.0], "town": ["Bonn", "Trier", "Bonn"]})


def test_columns_are_learned_of_the_training_rows_and_read_under_other_names():
    schema = TABLE_SIDE.fit(FRAME, np.arange(2), SideRequest())
    fields = TABLE_SIDE.encode(schema, FRAME, Path())
    other = TABLE_SIDE.encode(schema, FRAME.rename({"size": "breadth", "town": "place"}), Path())
    assert all(torch.equal(fields[name], other[name]) for name in ("numbers", "categories"))
    numbers = fields["numbers"].flatten()
    assert numbers[0] == -numbers[1] and numbers[2] > 3 * numbers[1], "the last row was not learned of"


def test_pixels_are_no_table():
    pixels = torch.zeros(2, 1, 4, 4)
    assert TABLE_SIDE.recognises(FRAME, Path()) and not TABLE_SIDE.recognises(pixels, Path())
    with pytest.raises(DataError, match="expected columns of numbers or words as in training, got an array of shape"):
        TABLE_SIDE.fit(pixels, np.arange(2), SideRequest())
