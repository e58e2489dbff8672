import numpy as np
import pytest
import torch

from evenkeel.data.fields import Field, all_rows, kept
from evenkeel.kinds.series.windows import SeriesWindows


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_is_a_slice_of_one_column(dtype):
    values = torch.randn(30, 3, dtype=dtype)
    starts, series = torch.tensor([0, 25, 7, 7]), torch.tensor([2, 0, 1, 2])
    field = SeriesWindows(values, starts, series, 5)
    slow = np.stack([values[s : s + 5, c] for s, c in zip(starts.tolist(), series.tolist(), strict=True)])
    assert isinstance(field, Field) and len(field) == 4
    np.testing.assert_array_equal(all_rows(field), slow)
    np.testing.assert_array_equal(field.index_select(0, torch.tensor([3, 0])), slow[[3, 0]])
    assert field.index_select(0, torch.tensor([], dtype=torch.int64)).shape == (0, 5)


def test_it_goes_to_a_device_whole_and_is_known_by_its_tensors():
    field = SeriesWindows(torch.zeros(4, 1), torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), 3)
    moved = field.to("meta")
    assert {tensor.device.type for tensor in kept(moved)} == {"meta"} and len(kept(moved)) == 3 and moved.length == 3
