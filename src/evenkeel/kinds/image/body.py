"""Body for images: pixels scaled to mean 0 and variance 1 of the training rows, large ones folded, then a net.

    features = net(fold((pixels - mean) / spread))

*Folding* by 2 makes one position with four times the channels of each block of 2 x 2 pixels: nothing is lost, and a CNN
costs a quarter. The decoder of the code, for generation, is here too.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.kinds.base import Build
from evenkeel.kinds.body import build_net, features_of
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.nets.base import Body, members_of
from evenkeel.shapes import Float, Shaped, Tensor

SMALLEST = 4  # positions along a side from which the decoder starts to grow an image


class ImageBody(nn.Module):
    """Body of images: scaling, folding, and a net.

    Args:
        net: reads float (batch, channel, height, width), or channels and positions of folded images.
        schema: mean and spread of each channel.
        fold: side of the blocks that become one position; 1: images stay as they are.

    Shapes: pixels (batch, channel, height, width), bytes or numbers -> (batch, unit).
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, net: nn.Module, schema: ImageSchema, *, fold: int = 1) -> None:
        super().__init__()
        self.net, self.fold = net, fold
        self.register_buffer("mean", torch.tensor(schema.mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(schema.spread).reshape(1, -1, 1, 1), persistent=False)

    @override
    def forward(self, pixels: Shaped[Tensor, "batch channel height width"]) -> Float[Tensor, "batch unit"]:
        scaled = (pixels.to(self.mean.dtype) - self.mean) / self.spread
        return self.net(folded(scaled, self.fold))


def folded(images: Float[Tensor, "batch channel height width"], side: int) -> Float[Tensor, "batch unit row column"]:
    """Fold blocks of `side` x `side` pixels to one position each; the last ones are padded with zeros.

    Example:
        >>> folded(torch.zeros(1, 3, 5, 8), 2).shape
        torch.Size([1, 12, 3, 4])
    """
    if side == 1:
        return images
    below, right = (-size % side for size in images.shape[2:])
    filled = functional.pad(images, (0, right, 0, below)) if below or right else images
    return functional.pixel_unshuffle(filled, side)


class ImageDecoder(nn.Module):
    """Decoder of a code to the values of an image: a small picture of many channels, doubled until it is large enough.

    Args:
        units: numbers of the code.
        width: channels before the last layer.
        size: channels, height and width of the image.

    Shapes: (batch, unit) -> (batch, channel * height * width).

    Example:
        >>> ImageDecoder(4, width=8, size=(1, 28, 28))(torch.zeros(2, 4)).shape
        torch.Size([2, 784])
    """

    def __init__(self, units: int, *, width: int, size: tuple[int, int, int]) -> None:
        super().__init__()
        self.size = size
        steps = 0
        while min(size[1:]) >> (steps + 1) >= SMALLEST:
            steps += 1
        self.start = (width << steps, *(-(-side >> steps) for side in size[1:]))
        self.first = nn.Linear(units, self.start[0] * self.start[1] * self.start[2])
        channels = [width << (steps - step) for step in range(steps + 1)]
        self.layers = nn.ModuleList(
            nn.Conv2d(wide, narrow, 3, padding=1) for wide, narrow in itertools.pairwise(channels)
        )
        self.last = nn.Conv2d(width, size[0], 3, padding=1)

    @override
    def forward(self, code: Float[Tensor, "batch unit"]) -> Float[Tensor, "batch value"]:
        hidden = functional.relu(self.first(code)).unflatten(1, self.start)
        for layer in self.layers:
            hidden = functional.relu(layer(functional.interpolate(hidden, scale_factor=2, mode="nearest")))
        return self.last(hidden)[:, :, : self.size[1], : self.size[2]].flatten(1)


def image_body(build: Build[ImageSchema]) -> Body:
    """Build our CNN or Transformer, or wrap the user's own net on float (batch, channel, height, width)."""
    schema = build.schema
    own = build.given is not None
    fold = schema.fold if not own and build.plan.net == "cnn" else 1
    net = build_net(build, "image", channels=schema.channels * fold**2)
    body = ImageBody(net, schema, fold=fold)
    size = (schema.channels, schema.height, schema.width)
    reads = f"one float tensor (batch, {', '.join(map(str, size))}): channels, height, width, of mean 0 and variance 1"
    known = getattr(net, "features", None)
    features = known if isinstance(known, int) else features_of(body, {"pixels": torch.zeros(2, *size)}, reads)
    head = {}
    if build.target.kind == "inputs":  # images are decoded from a code
        head = {
            "units": schema.latent,
            "decoder": ImageDecoder(schema.latent, width=build.plan.width, size=size),
        }
    return Body(module=body, features=features, members=members_of(net), head=head)
