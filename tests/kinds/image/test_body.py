import numpy as np
import pytest
import torch
from torch import nn

from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build, NetShape
from evenkeel.kinds.image.body import ImageBody, ImageDecoder, folded, image_body
from evenkeel.kinds.image.schema import ImageOptions, fit_images
from evenkeel.kinds.image.target import target_of
from evenkeel.nets import PARTS as NETS
from evenkeel.plan import make_plan

PIXELS = torch.randint(0, 256, (20, 3, 12, 9), dtype=torch.uint8)
CLASSES = Target(columns=("class",), kind="class", levels=("a", "b"))


def build(net="cnn", *, given=None, fold=1, target=CLASSES, **options):
    schema = fit_images(PIXELS, np.arange(20), ImageOptions(), fold=fold)
    recipe = {"width": 8, "depth": 1, "norm": "auto" if net == "cnn" else "layer", "members": None, **options}
    plan = make_plan("single-label", rows=20, settings={"net": net}, recipe=recipe)
    part = NETS[net] if given is None else None
    return Build(plan=plan, part=part, given=given, schema=schema, target=target, shape=NetShape())


def test_a_net_sees_channels_of_mean_0_and_variance_1():
    seen = []
    net = nn.Module()
    net.forward = lambda images: seen.append(images) or images.mean((2, 3))
    made = image_body(build(given=net))
    body = made.module
    body(PIXELS)
    values = seen[-1].transpose(0, 1).flatten(1)
    assert values.mean(1).abs().max() < 1e-5 and (values.std(1, correction=0) - 1).abs().max() < 1e-5
    assert made.features == 3 and not made.head
    torch.testing.assert_close(body(PIXELS), body(PIXELS.float()))


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_folding_keeps_every_pixel_in_its_block(side):
    images = torch.rand(2, 3, 8, 7)
    output = folded(images, side)
    rows, columns = -(-8 // side), -(-7 // side)
    assert output.shape == (2, 3 * side**2, rows, columns)
    for row, column in ((0, 0), (7, 6), (3, 5)):
        block = output[:, :, row // side, column // side].unflatten(1, (3, side, side))
        assert torch.equal(block[:, :, row % side, column % side], images[:, :, row, column])
    torch.testing.assert_close(output.sum((1, 2, 3)), images.sum((1, 2, 3)))


@pytest.mark.parametrize(("net", "options"), [("cnn", {}), ("transformer", {"net_options": {"patch": 4}})])
def test_our_nets_read_images(net, options):
    width = 32 if net == "transformer" else 8
    body = image_body(build(net, **options, **({"width": 32} if net == "transformer" else {})))
    assert body.features == (64 if net == "cnn" else width)
    assert body.module(PIXELS[:2]).shape == (2, body.features)


def test_only_a_cnn_of_ours_reads_folded_images():
    assert image_body(build(fold=2)).module.net.channels == 12
    assert image_body(build("transformer", fold=2, width=32, net_options={"patch": 4})).module.fold == 1
    own = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 9, 5))
    assert image_body(build(given=own, fold=2)).features == 5


def test_a_net_that_cannot_read_images_is_told_what_it_is_given():
    with pytest.raises(RequestError, match=r"It is given one float tensor \(batch, 3, 12, 9\): channels, height"):
        image_body(build(given=nn.Linear(7, 5)))
    with pytest.raises(RequestError, match="net 'mlp' reads table data, and this is an image; try cnn, transformer"):
        image_body(build("mlp"))


def test_scaling_is_not_among_the_weights():
    schema = build().schema
    assert not ImageBody(nn.Identity(), schema).state_dict()


@pytest.mark.parametrize("size", [(1, 28, 28), (3, 8, 11), (1, 5, 64), (2, 3, 3)])
def test_a_decoder_gives_every_value_of_an_image_and_each_learns(size):
    decoder = ImageDecoder(4, width=4, size=size)
    output = decoder(torch.randn(6, 4))
    assert output.shape == (6, size[0] * size[1] * size[2])
    assert (output.std(0) > 0).all()
    output.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in decoder.parameters())


def test_for_generated_images_the_head_is_given_a_decoder():
    schema = build().schema
    body = image_body(build(target=target_of(schema)))
    assert body.head["units"] == 16
    assert body.head["decoder"](torch.zeros(2, 16)).shape == (2, 3 * 12 * 9)
    assert not any("decoder" in name for name, _ in body.module.named_modules())
