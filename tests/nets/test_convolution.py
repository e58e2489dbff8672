import math

import pytest
import torch
from torch import nn

from evenkeel.nets.blocks import matched_variance
from evenkeel.nets.convolution import BLOCKS, WIDER, BlockOptions, Convolution, Stage, blank

every_block = pytest.mark.parametrize("block", BLOCKS)


def options(**changed):
    given = {"dimensions": 1, "activation": "relu", "norm": None, "dropout": 0.0, "share": 0.25}
    return BlockOptions(**{**given, **changed})


def slow(x, weight, bias, stride, dilation):
    """Each output by itself, in float64; what lies beyond the edge is zero."""
    size, kernel = x.shape[2], weight.shape[2]
    found = bias.double()[None, :, None].repeat(len(x), 1, math.ceil(size / stride))
    for place in range(found.shape[2]):
        for tap in range(kernel):
            at = place * stride + (tap - kernel // 2) * dilation
            if 0 <= at < size:
                found[:, :, place] += x[:, :, at].double() @ weight[:, :, tap].double().T
    return found


@pytest.mark.parametrize("size, stride, dilation", [(7, 1, 1), (7, 2, 1), (8, 2, 1), (1, 2, 1), (9, 1, 4), (130, 4, 1)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_agrees_with_its_slow_twin(size, stride, dilation, kernel):
    convolution, x = Convolution(1, 3, 4, kernel), torch.randn(2, 3, size)
    nn.init.normal_(convolution.bias)
    expected = slow(x, convolution.weight, convolution.bias, stride, dilation)
    torch.testing.assert_close(
        convolution(x, stride=stride, dilation=dilation).double(), expected, atol=1e-5, rtol=1e-5
    )


def test_it_is_that_of_torch_in_two_dimensions_and_groups():
    convolution, x = Convolution(2, 4, 8, 3, groups=2), torch.randn(2, 4, 5, 6)
    theirs = nn.Conv2d(4, 8, 3, padding=1, groups=2)
    theirs.load_state_dict(convolution.state_dict())
    torch.testing.assert_close(convolution(x), theirs(x))
    assert str(convolution) == "Convolution(4, 8, kernel=(3, 3), groups=2)"


@pytest.mark.parametrize("groups", [1, 16])
def test_its_first_weights_keep_the_variance(groups):
    convolution = Convolution(1, 64, 64, 5, groups=groups, variance=2.0)
    assert convolution.weight.var().item() == pytest.approx(2.0 * groups / (64 * 5), rel=0.2)
    assert convolution.bias.abs().max() == 0


def test_blanking_replaces_whatever_stands_there():
    x = torch.tensor([[[1.0, torch.nan, torch.inf]]])
    assert blank(x, torch.tensor([[[False, True, True]]])).tolist() == [[[1.0, 0.0, 0.0]]]
    assert blank(x, None) is x


def written_out(block, kind, h):
    """The formulas of the file's docstring."""
    if kind == "resnet":
        return h + block.second(torch.relu(block.second_norm(block.first(torch.relu(block.first_norm(h))))))
    return h + block.narrow(torch.relu(block.widen(block.norm(block.around(h)))))


@every_block
def test_a_block_is_the_formula_of_the_docstring(block):
    made, h = BLOCKS[block](16, options(norm="layer")), torch.randn(2, 16, 9)
    torch.testing.assert_close(made(h), written_out(made, block, h))


def test_the_hidden_layer_of_a_convnext_block_is_four_times_as_wide():
    block = BLOCKS["convnext"](16, options())
    assert block.widen.weight.shape == (WIDER * 16, 16, 1) and block.around.weight.shape == (16, 1, 7)


@every_block
def test_a_block_without_its_branch_is_the_identity(block):
    made, x = BLOCKS[block](8, options(norm="batch")), torch.randn(2, 8, 9, requires_grad=True)
    nn.init.zeros_((made.second if block == "resnet" else made.narrow).weight)
    assert torch.equal(made(x), x)
    back = torch.randn_like(x)
    made(x).backward(back)
    assert torch.equal(x.grad, back), "the gradient passes unchanged"


@every_block
@pytest.mark.parametrize("share", [1.0, 0.1])
def test_a_branch_adds_its_share_of_variance(block, share):
    """matched_variance keeps the gradient, not the variance: E phi² stands between them, 1/2 for ReLU at variance 2."""
    made, x = BLOCKS[block](128, options(norm="layer", share=share)), torch.randn(4, 128, 200)
    added = (made(x) - x)[:, :, 8:-8].var().item()
    assert added == pytest.approx(share * matched_variance("relu") * 0.5, rel=0.2)


@every_block
def test_dropout_silences_its_share_while_training(block):
    made = BLOCKS[block](512, options(dropout=0.3))
    last = made.second if block == "resnet" else made.narrow
    seen = []
    last.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    x = torch.randn(4, 512, 20)
    made(x)
    made.eval()
    made(x)
    kept = (seen[0] != 0).float().mean() / (seen[1] != 0).float().mean()
    assert kept.item() == pytest.approx(0.7, abs=0.02)
    both = (seen[0] != 0) & (seen[1] != 0)
    torch.testing.assert_close(seen[0][both] * 0.7, seen[1][both])


def test_a_stage_strides_each_axis_by_its_own_size():
    stage = Stage(Convolution(2, 3, 8, 3), (), strides=((64, 4), (4, 2), (0, 1)))
    for size, expected in [((3, 3), (3, 3)), ((4, 1), (2, 1)), ((5, 64), (3, 16)), ((130, 63), (33, 32))]:
        found, padding = stage(torch.randn(1, 3, *size))
        assert found.shape == (1, 8, *expected) and padding is None


@pytest.mark.parametrize("stride", [1, 2])
def test_a_stage_sees_zeros_where_padding_is(stride):
    strides = ((0, stride),)
    stage = Stage(Convolution(1, 3, 8, 3), [BLOCKS["resnet"](8, options())], strides=strides)
    x, padding = torch.randn(1, 3, 9), torch.arange(9).view(1, 1, 9) >= 5
    found, left = stage(x, padding)
    alone, _ = stage(x[:, :, :5])
    real = math.ceil(5 / stride)
    assert (~left).sum() == real
    torch.testing.assert_close(found[:, :, :real], alone)
