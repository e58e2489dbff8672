import pytest
import torch
from torch.nn import functional

from _unchecked import unchecked
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.nets.inputs import PatchInput, TokenInput, ValueInput


def test_a_token_is_its_row_of_the_table():
    net, tokens = TokenInput(7, 4), torch.tensor([[6, 0], [3, 3]])
    expected = torch.stack([torch.stack([net.weight[token] for token in row]) for row in tokens.tolist()])
    for kind in (torch.int64, torch.int32, torch.int16, torch.uint8):
        assert torch.equal(net(tokens.to(kind)), expected)


def test_a_patch_is_a_linear_map_of_its_pixels_and_the_rest_is_filled_up():
    net, image = PatchInput(2, 5, patch=3), torch.randn(1, 2, 4, 6)
    torch.nn.init.normal_(net.bias)
    found = net(image)
    assert found.shape == (1, 2, 2, 5)
    filled = torch.zeros(1, 2, 6, 6)
    filled[:, :, :4] = image
    for row in range(2):
        for column in range(2):
            pixels = filled[0, :, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3].flatten()
            expected = functional.linear(pixels, net.weight.flatten(1), net.bias)
            torch.testing.assert_close(found[0, row, column], expected)


@pytest.mark.parametrize("variance", [1.0, 0.5])
def test_units_start_with_the_variance_asked_for(variance):
    given = [
        (TokenInput(500, 64, variance=variance), torch.randint(500, (50, 20))),
        (ValueInput(64, 64, variance=variance), torch.randn(50, 20, 64)),
        (PatchInput(3, 64, patch=4, variance=variance), torch.randn(20, 3, 32, 32)),
    ]
    for net, values in given:
        assert net(values).var().item() == pytest.approx(variance, rel=0.06)


@pytest.mark.parametrize(
    "tokens, error, message",
    [
        (torch.zeros(2, 3), ShapeError, "whole numbers of shape .* got torch.float32 .* build the net with channels="),
        (torch.zeros(2, 3, dtype=torch.bool), ShapeError, "got torch.bool"),
        (torch.zeros(2, dtype=torch.int64), ShapeError, r"of shape \(2,\)"),
        (torch.zeros(2, 0, dtype=torch.int64), ShapeError, "at least one step"),
        (torch.tensor([[0, 7]]), DataError, "from 0 to 6, got 0 to 7; try vocabulary=8"),
        (torch.tensor([[-100, 2]]), DataError, "got -100 to 2; .* or lengths=... where padding stands"),
    ],
)
def test_tokens_that_cannot_be_are_refused(tokens, error, message):
    with unchecked(), pytest.raises(error, match=message):
        TokenInput(7, 4)(tokens)


@pytest.mark.parametrize(
    "net, values, message",
    [
        (ValueInput(3, 4), torch.zeros(2, 5), r"\(batch, step, channel\) with 3 channels .* got shape \(2, 5\)"),
        (ValueInput(3, 4), torch.zeros(2, 3, 5), "try permute, or build it with another channels"),
        (ValueInput(3, 4), torch.zeros(2, 0, 3), "at least one step"),
        (ValueInput(3, 4), torch.zeros(2, 5, 3, dtype=torch.int64), "floating-point numbers, got torch.int64"),
        (
            PatchInput(3, 4, patch=2),
            torch.zeros(2, 5, 3),
            r"images .* got shape \(2, 5, 3\); .* patch=None for sequences",
        ),
        (PatchInput(3, 4, patch=2), torch.zeros(2, 1, 4, 4), "with 3 channels"),
        (PatchInput(3, 4, patch=2), torch.zeros(2, 3, 0, 4), r"got shape \(2, 3, 0, 4\)"),
        (PatchInput(3, 4, patch=2), torch.zeros(2, 3, 4, 4, dtype=torch.uint8), r"try scaling: x.float\(\) / 255"),
    ],
)
def test_values_of_another_shape_are_refused(net, values, message):
    with unchecked(), pytest.raises(ShapeError, match=message):
        net(values)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: TokenInput(0, 4), "at least one token, got vocabulary=0"),
        (lambda: ValueInput(0, 4), "at least one channel, got channels=0"),
        (lambda: PatchInput(0, 4, patch=2), "got channels=0"),
        (lambda: PatchInput(3, 4, patch=0), "at least one pixel wide, got patch=0"),
    ],
)
def test_what_reads_nothing_is_refused(make, message):
    with pytest.raises(RequestError, match=message):
        make()
