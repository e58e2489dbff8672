import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.arrays import as_frame
from evenkeel.errors import DataError


@pytest.mark.parametrize(
    "answers", [np.arange(4), torch.arange(4), pl.Series([0, 1, 2, 3]), [0, 1, 2, 3], np.arange(4)[:, None]]
)
def test_a_pair_becomes_one_frame(answers):
    frame = as_frame((np.zeros((4, 2)), answers), None)
    assert frame.columns == ["x0", "x1", "target"] and frame["target"].to_list() == [0, 1, 2, 3]
    assert as_frame((np.zeros((4, 2)), answers), ["price"]).columns[-1] == "price"


def test_several_answers_become_several_columns_and_lists_stay_lists():
    frame = as_frame((np.zeros((3, 1)), np.eye(3, dtype=int)), None)
    assert frame.columns == ["x0", "target_0", "target_1", "target_2"]
    named = as_frame((np.zeros((3, 1)), np.eye(3, dtype=int)), ["a", "b", "c"])
    assert named.columns == ["x0", "a", "b", "c"]
    ragged = as_frame((np.zeros((3, 1)), [["sun"], [], ["sun", "wind"]]), None)
    assert ragged["target"].to_list() == [["sun"], [], ["sun", "wind"]]


def test_pairs_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="X has 4 rows and y has 3; they must be equal"):
        as_frame((np.zeros((4, 2)), np.zeros(3)), None)
    with pytest.raises(DataError, match=r"expected a pair \(X, y\), got a tuple of 3"):
        as_frame((np.zeros((4, 2)), np.zeros(4), np.zeros(4)), None)
