import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.table import MOST_ROWS, figure_of, share_of


def traced(depth):
    torch.manual_seed(0)
    layers = [layer for _ in range(depth) for layer in (nn.Linear(8, 8), nn.Tanh())]
    return trace(nn.Sequential(*layers), lambda output, _: output.sum(), (torch.randn(4, 8), None))


def test_numbers_are_short():
    shown = [figure_of(value) for value in (None, 0.0, 1.0, 0.0123456, 1234.4, 1e-9, 3e7, float("inf"), float("nan"))]
    assert shown == ["-", "0", "1", "0.0123", "1234", "1.0e-09", "3.0e+07", "inf", "nan"]


def test_one_row_a_link_and_the_whole_below():
    chain = traced(3)
    lines = chain.table().splitlines()
    assert len(lines) == 1 + 3 + 2
    assert lines[1].split()[:3] == ["0", "linear", "tanh"]
    assert figure_of(chain.links[0].gain) in lines[1]
    assert lines[-2].startswith(f"total gain {figure_of(chain.total_gain)} ")


def test_long_chains_are_cut_in_the_middle_and_narrow_terminals_get_fewer_columns():
    chain = traced(200)
    lines = chain.table().splitlines()
    assert len(lines) == 1 + MOST_ROWS + 1 + 2
    assert any(line.startswith(f"... {200 - MOST_ROWS} rows more") for line in lines)
    assert max(len(line) for line in chain.table(width=60).splitlines()[:-2]) <= 60


def test_branches_down_to_a_depth():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a_module_with_a_very_long_name_indeed = nn.Linear(8, 8)

        def forward(self, h):
            return h + self.a_module_with_a_very_long_name_indeed(h)

    chain = trace(nn.Sequential(Block()), lambda output, _: output.sum(), (torch.randn(4, 8), None))
    assert "by skip" in chain.table() and "…" in chain.table()
    assert "by skip" not in chain.table(depth=0)


def test_time_and_missing_gradients_are_told():
    layer, unused = nn.GRU(4, 8, batch_first=True), nn.Linear(1, 1)
    model = nn.ModuleList([layer, unused])
    model.forward = lambda x: layer(x)[0][:, -1]
    text = trace(model, lambda output, _: output.sum(), (torch.randn(4, 5, 4), None)).table()
    assert "0, layer 0: gain per step" in text and "no gradient: 1.weight, 1.bias" in text


def test_shares_and_names_of_norms_are_short():
    assert [share_of(value) for value in (0.98812, -8.3e-4, 1.0)] == ["0.988", "-0.001", "1.000"]
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU6(), nn.LayerNorm(4))
    text = trace(model, lambda output, _: output.sum(), (torch.randn(3, 1, 4, 4), None)).table()
    assert "conv batch norm relu6" in text and "3     layer norm " in text
