import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from _unchecked import unchecked
from evenkeel.errors import DataError, RequestError, ShapeError
from evenkeel.heads import SingleLabel
from evenkeel.nets import CNN
from evenkeel.nets.blocks import ACTIVATIONS
from evenkeel.nets.channel_norm import CHANNEL_NORMS
from evenkeel.nets.convolution import BLOCKS
from nets._samples import links_of, spread

# The offset of the sigmoid, 0.5 in every unit, drowns what tells examples apart where a block has but one norm.
UNSOUND = {("convnext", "sigmoid")}
every_block = pytest.mark.parametrize("block", BLOCKS)


@every_block
@pytest.mark.parametrize("norm", [*CHANNEL_NORMS, None])
def test_the_gradient_is_even_and_the_eyes_are_open_with_any_norm(block, norm):
    net = CNN(3, width=8, depth=8, block=block, norm=norm)
    least, greatest, similarity = spread(links_of(net, torch.randn(16, 3, 8, 8)))
    assert least > 0.1 and greatest < 10 and similarity < 0.9


@every_block
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_same_with_any_activation(block, activation):
    net = CNN(3, width=8, depth=8, block=block, activation=activation)
    least, greatest, similarity = spread(links_of(net, torch.randn(16, 3, 8, 8)))
    sound = least > 0.1 and greatest < 10 and similarity < 0.9
    assert sound == ((block, activation) not in UNSOUND)


@pytest.mark.parametrize("block, norm", [("resnet", "batch"), ("convnext", "layer")])
def test_the_norm_is_that_of_the_blocks_own_paper_unless_told(block, norm):
    kinds = {module.kind for module in CNN(1, width=8, block=block).modules() if hasattr(module, "kind")}
    assert kinds == {norm, "layer"}, "the features end in a layer norm"
    assert not [m for m in CNN(1, width=8, block=block, norm=None).stages.modules() if hasattr(m, "kind")]


# Along an axis: pixels, and what is left of them before the mean.
LEFT = [(1, 1), (2, 2), (3, 3), (4, 2), (8, 2), (16, 2), (28, 4), (32, 4), (64, 4), (128, 4), (224, 7)]


@pytest.mark.parametrize("pixels, left", LEFT)
def test_an_image_is_halved_as_often_as_its_size_allows(pixels, left):
    net, seen = CNN(2, width=8, depth=4).eval(), []
    net.stages[-1].register_forward_hook(lambda module, given, output: seen.append(output[0].shape[2:]))
    assert net(torch.randn(1, 2, pixels, pixels)).shape == (1, 64)
    net(torch.randn(1, 2, 5, pixels))
    assert seen == [(left, left), (3, left)]


@every_block
@pytest.mark.parametrize("channels, size", [(1, (1, 1)), (3, (1, 9)), (5, (8, 8)), (1, (33, 20))])
def test_any_channels_and_size_train(channels, size, block):
    net = CNN(channels, width=8, block=block)
    features = net(torch.randn(3, channels, *size))
    features.sin().sum().backward()
    assert features.shape == (3, 64) and features.isfinite().all()


def test_the_features_start_with_variance_1_whatever_the_options():
    for norm in ("batch", "layer", "group", None):
        features = CNN(3, width=8, norm=norm)(torch.randn(16, 3, 8, 8) * 5 + 1)
        assert features.square().mean().item() == pytest.approx(1.0, rel=0.01)


def test_names_of_sizes_and_what_overrides_them():
    small, base = CNN(1), CNN(1, size="base")
    assert small.features == 256 and base.features == 512
    blocks = [[len(stage.blocks) for stage in net.stages] for net in (small, base, CNN(1, width=8, depth=6))]
    assert blocks == [[1, 1, 1, 1], [2, 2, 2, 2], [1, 2, 1, 2]]
    assert [stage.way_in.weight.shape[0] for stage in CNN(1, width=8).stages] == [8, 16, 32, 64]


@pytest.mark.parametrize("norm", ["batch", "layer", "group", None])
@every_block
def test_padding_changes_nothing_with_any_norm(norm, block):
    net = CNN(3, dimensions=1, width=16, block=block, norm=norm)
    values, lengths = torch.randn(4, 40, 3), torch.tensor([40, 1, 17, 30])
    for _ in range(3):
        net(values, lengths)
    net.eval()
    found = net(values.masked_fill((torch.arange(40) >= lengths[:, None])[:, :, None], torch.nan), lengths)
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(found[row : row + 1], net(values[row : row + 1, :length]), atol=1e-5, rtol=1e-4)


@every_block
def test_without_pooling_each_step_has_features_of_its_own_and_padding_is_zero(block):
    net = CNN(3, dimensions=1, width=8, block=block, pooling=None).eval()
    nn.init.normal_(net.norm.bias)  # as after training: zeros are not zeros by the luck of the start
    values, lengths = torch.randn(2, 50, 3), torch.tensor([50, 20])
    found = net(values, lengths)
    assert found.shape == (2, 50, 64) and found[1, 20:].abs().max() == 0
    torch.testing.assert_close(found[1:, :20], net(values[1:, :20]), atol=1e-5, rtol=1e-4)


# How far a step is seen: stem 2, the way into three stages 1 each, blocks 2 or 3 at gaps of 1, 2, 4 and 8 steps.
@pytest.mark.parametrize("block, reach", [("resnet", 2 + 3 + 2 * 15), ("convnext", 2 + 3 + 3 * 15)])
def test_without_pooling_a_step_sees_as_far_to_both_sides_by_gaps(block, reach):
    net, values = CNN(3, dimensions=1, width=8, block=block, pooling=None).eval(), torch.randn(1, 201, 3)
    nudged = values.clone()
    nudged[0, 100] += 1.0
    moved = (net(nudged) - net(values))[0].abs().amax(1).nonzero().flatten()
    assert (moved[0], moved[-1]) == (100 - reach, 100 + reach)


def test_without_pooling_each_pixel_has_features_of_its_own():
    net = CNN(3, width=8, pooling=None, norm="layer").eval()
    values = torch.randn(1, 3, 75, 80)
    assert net(values).shape == (1, 75, 80, 64)
    nudged = values.clone()
    nudged[0, :, 37, 40] += 1.0
    moved = (net(nudged) - net(values)).abs().amax(-1)[0].nonzero()
    assert moved.min(0).values.tolist() == [2, 5] and moved.max(0).values.tolist() == [72, 75]


def test_batch_norm_follows_training_and_predicts_from_what_it_has_seen():
    net = CNN(1, width=8)
    before = {name: value.clone() for name, value in net.named_buffers()}
    net(torch.randn(8, 1, 8, 8))
    moved = [name for name, value in net.named_buffers() if not torch.equal(value, before[name])]
    assert len(moved) == len(before) > 0
    net.eval()
    kept = {name: value.clone() for name, value in net.named_buffers()}
    net(torch.randn(8, 1, 8, 8) + 5)
    assert all(torch.equal(value, kept[name]) for name, value in net.named_buffers())


def test_it_learns_to_read_digits():
    """1347 digits, 5 rounds: nine in ten of the other 450; chance is one in ten."""
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8)
    images, labels = (images - images.mean()) / images.std(), torch.tensor(labels)
    order = torch.randperm(len(images))
    train, rest = order[:1347], order[1347:]
    net, head = CNN(1, width=8), SingleLabel(64, classes=10)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=3e-3)
    for _ in range(5):
        for batch in train[torch.randperm(1347)].split(64)[:-1]:
            optimizer.zero_grad()
            head.loss(head(net(images[batch])), labels[batch]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        right = head.predict(head(net(images[rest]))) == labels[rest]
    assert right.float().mean() > 0.9


@pytest.mark.parametrize(
    "options, message",
    [
        ({"channels": 0}, "at least one channel, got channels=0"),
        ({"size": "huge"}, "no size is called 'huge'; there are: small, base"),
        ({"width": 0}, "got width=0"),
        ({"depth": 0}, "depth=0"),
        ({"dimensions": 3}, "dimensions must be one of 1, 2; got 3"),
        ({"block": "dense"}, "block must be one of 'resnet', 'convnext'; got 'dense'"),
        ({"norm": "rms"}, "no norm of channels is called 'rms'"),
        ({"norm": "group", "width": 12}, "a width that is a multiple of 8, got 12"),
        ({"activation": "swish"}, "no activation is called 'swish'"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1"),
        ({"pooling": "last"}, "pooling must be one of 'mean', None; got 'last'"),
    ],
)
def test_what_makes_no_net_is_refused(options, message):
    with unchecked(), pytest.raises(RequestError, match=message):
        CNN(**{"channels": 3, **options})


@pytest.mark.parametrize(
    "options, values, message",
    [
        ({}, torch.zeros(2, 8, 8), r"reads \(batch, channel, height, width\) with 3 channels .* got shape \(2, 8, 8\)"),
        ({}, torch.zeros(2, 1, 8, 8), r"got shape \(2, 1, 8, 8\); try permute"),
        ({}, torch.zeros(2, 3, 0, 8), "at least one position"),
        ({}, torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "floating-point numbers, got torch.uint8; try scaling"),
        ({"dimensions": 1}, torch.zeros(2, 3, 8), r"reads \(batch, step, channel\) with 3 channels"),
        ({"dimensions": 1}, torch.zeros(2, 0, 3), "at least one position"),
        ({"norm": "instance"}, torch.zeros(2, 3, 1, 1), "instance norm needs more than one number"),
    ],
)
def test_inputs_of_another_shape_are_refused(options, values, message):
    with unchecked(), pytest.raises(ShapeError, match=message):
        CNN(3, width=8, **options)(values)


def test_lengths_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="from 1 to the 5 steps there are, got 2 to 6"):
        CNN(3, dimensions=1, width=8)(torch.zeros(2, 5, 3), torch.tensor([2, 6]))
    with pytest.raises(RequestError, match="images of a batch have one size, so there are no lengths"):
        CNN(3, width=8)(torch.zeros(2, 3, 5, 5), torch.tensor([2, 5]))


def test_it_is_a_module_of_plain_layers():
    net = CNN(3, width=8)
    assert isinstance(net, nn.Module)
    assert {name.rsplit(".", 1)[1] for name in net.state_dict()} == {
        "weight", "bias", "running_mean", "running_var", "num_batches_tracked",
    }  # fmt: skip
