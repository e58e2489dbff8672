import torch
from torch import nn

from evenkeel import heads
from evenkeel.data.dataset import SplitRequest
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import Shown
from evenkeel.kinds.series.pictures import keep_windows
from kinds._series_made import prepared


def test_no_test_part_no_pictures():
    data = prepared(request=SplitRequest(test=0.0)).dataset
    assert len(data.split.test) == 0 and keep_windows(data, torch.empty(0, dtype=torch.int64)) == {}


def test_a_window_of_each_series_is_kept_with_what_came_before():
    data = prepared().dataset
    kept = keep_windows(data, torch.from_numpy(data.split.test))
    assert kept["series"].tolist() == [0, 1] and kept["history"].shape == (2, data.schema.window)
    rows = torch.from_numpy(data.split.test)[kept["place"]]
    before = data.target.values[data.target.starts[rows] - 1, kept["series"]]
    assert torch.equal(kept["history"][:, -1], before)


def test_nothing_kept_is_nothing_shown():
    shown = Shown(schema=prepared().dataset.schema, head=heads.Value(4), network=nn.Identity(), tensors={})
    assert KINDS["series"].pictures(shown) is None
