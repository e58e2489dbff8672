import pytest
import torch
from torch import nn

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.blocks import GROUPS
from evenkeel.nets.channel_norm import CHANNEL_NORMS, ChannelNorm

# Axes of (batch, group, channel of the group, position) that mean and variance are taken over.
AXES = {"batch": (0, 3), "layer": (1, 2), "group": (2, 3), "instance": (3,)}
LENGTHS = (1, 5, 3, 4)


def padding():
    return torch.stack([torch.arange(5) >= length for length in LENGTHS]).unsqueeze(1)


@pytest.mark.parametrize("kind", CHANNEL_NORMS)
@pytest.mark.parametrize("positions", [(6,), (2, 3)])
def test_a_norm_normalises_over_its_axes_and_no_others(kind, positions):
    norm, x = ChannelNorm(kind, 16), torch.randn(4, 16, *positions) * 3 + 5
    wide = x.double().flatten(2).unflatten(1, (GROUPS, -1))
    mean = wide.mean(AXES[kind], keepdim=True)
    variance = wide.var(AXES[kind], keepdim=True, correction=0)
    expected = ((wide - mean) / (variance + 1e-5).sqrt()).view(x.shape)
    torch.testing.assert_close(norm(x).double(), expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", CHANNEL_NORMS)
def test_with_padding_it_takes_the_real_positions_alone(kind):
    """Element by element in float64, from those positions that a twin may look at."""
    lengths = (2, *LENGTHS[1:])
    gaps = torch.stack([torch.arange(5) >= length for length in lengths]).unsqueeze(1)
    norm, x = ChannelNorm(kind, 16), torch.randn(4, 16, 5, dtype=torch.float64) * 3 + 5
    found = norm.double()(x, gaps)
    for row, channel, step in [(0, 0, 1), (1, 3, 4), (2, 9, 2), (3, 15, 0)]:
        group = slice(channel // 2 * 2, channel // 2 * 2 + 2)
        seen = {
            "batch": torch.cat([x[other, channel, :length] for other, length in enumerate(lengths)]),
            "layer": x[row, :, step],
            "group": x[row, group, : lengths[row]],
            "instance": x[row, channel, : lengths[row]],
        }[kind]
        expected = (x[row, channel, step] - seen.mean()) / (seen.var(correction=0) + 1e-5).sqrt()
        torch.testing.assert_close(found[row, channel, step], expected)


@pytest.mark.parametrize("kind", CHANNEL_NORMS)
def test_padding_that_is_none_makes_no_difference(kind):
    norm, twin, x = ChannelNorm(kind, 16), ChannelNorm(kind, 16), torch.randn(4, 16, 5)
    for one in norm, twin:
        for parameter in one.parameters():
            nn.init.uniform_(parameter, generator=torch.Generator().manual_seed(1))
    none = torch.zeros(4, 1, 5, dtype=torch.bool)
    for _ in range(2):
        torch.testing.assert_close(norm(x, none), twin(x), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.state_dict(), twin.state_dict())
    torch.testing.assert_close(norm.eval()(x, none), twin.eval()(x), atol=1e-5, rtol=1e-4)


def test_batch_norm_predicts_from_its_moving_averages():
    norm, mean, variance = ChannelNorm("batch", 3), torch.zeros(3), torch.ones(3)
    gaps = padding()
    for masked in (False, True, True):
        x = torch.randn(4, 3, 5) * 2 + 7
        norm(x, gaps if masked else None)
        real = x.movedim(1, 2)[~gaps.squeeze(1)] if masked else x.movedim(1, 2).flatten(0, 1)
        mean += 0.1 * (real.mean(0) - mean)
        variance += 0.1 * (real.var(0) - variance)
    norm.eval()
    one = torch.randn(1, 3, 2)
    torch.testing.assert_close(norm(one), (one - mean[:, None]) / (variance[:, None] + 1e-5).sqrt())


def test_batch_norm_is_one_that_torch_knows():
    """So that what looks for batch norms, to count or to synchronise them, finds it."""
    assert isinstance(ChannelNorm("batch", 3).batch, nn.modules.batchnorm._BatchNorm)


@pytest.mark.parametrize("kind", ["layer", "group", "instance"])
def test_the_others_look_at_one_example_alone(kind):
    norm, x = ChannelNorm(kind, 16), torch.randn(4, 16, 6)
    torch.testing.assert_close(norm(x)[:2], norm(x[:2]))


@pytest.mark.parametrize(
    "kind, options, message",
    [
        ("rms", {}, "no norm of channels is called 'rms'; there are: batch, layer, group, instance"),
        ("group", {"channels": 12}, "a width that is a multiple of 8, got 12"),
    ],
)
def test_what_does_not_fit_is_refused(kind, options, message):
    with pytest.raises(RequestError, match=message):
        ChannelNorm(kind, **{"channels": 16, **options})


@pytest.mark.parametrize("kind, channels", [("batch", 16), ("group", 8), ("instance", 16)])
def test_a_variance_over_one_number_is_refused(kind, channels):
    norm, gap = ChannelNorm(kind, channels), torch.tensor([[[False, True, True]]])
    whole = "a batch" if kind == "batch" else "an example"
    for x, gaps in [(torch.randn(1, channels, 1), None), (torch.randn(1, channels, 3), gap)]:
        with pytest.raises(ShapeError, match=f"{kind} norm needs more than one number .* {whole} has one position"):
            norm(x, gaps)
    assert norm(torch.randn(2, channels, 2)).isfinite().all()
    if kind == "batch":
        assert norm.eval()(torch.randn(1, channels, 1)).isfinite().all()


def test_a_group_of_several_channels_may_have_one_position():
    found = ChannelNorm("group", 16)(torch.randn(1, 16, 1))
    assert found.abs().max() > 0.5
