import pytest
import torch
from torch import nn

from evenkeel.chain import trace
from evenkeel.chain.theory.features import layout_of, norm_name


def link_of(*layers, shape=(6, 8)):
    (link,) = trace(nn.Sequential(*layers), lambda output, _: output.sum(), (torch.randn(*shape), None)).links
    return link


@pytest.mark.parametrize(("layer", "name"), [
    (nn.ReLU(), "relu"), (nn.ReLU6(), "relu6"), (nn.Hardtanh(), "hardtanh"), (nn.PReLU(), "prelu"),
    (nn.LogSigmoid(), "log_sigmoid"), (nn.RReLU(), "rrelu"), (nn.Tanhshrink(), "written out"), (nn.Dropout(), None),
])  # fmt: skip
def test_activations_have_plain_names(layer, name):
    assert link_of(nn.Linear(8, 4), layer).activation == name


@pytest.mark.parametrize(("layer", "name"), [
    (nn.InstanceNorm1d(4), "native_batch_norm"), (nn.LocalResponseNorm(2), "norm"),
    (nn.GroupNorm(2, 4), "native_group_norm"),
])  # fmt: skip
def test_norms_are_the_operator_or_just_a_norm(layer, name):
    assert link_of(nn.Conv1d(8, 4, 1), layer, shape=(6, 8, 5)).norm == name
    assert norm_name(None) is None


def test_units_are_channels_after_a_convolution():
    assert link_of(nn.Conv1d(8, 4, 1), nn.ReLU(), shape=(6, 8, 5)).width == 4
    assert link_of(nn.Linear(8, 4), nn.ReLU(), shape=(6, 5, 8)).width == 4
    assert layout_of([], 4) == "convolution" and layout_of([], 2) == "units"
