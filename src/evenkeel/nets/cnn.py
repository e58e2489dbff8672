"""Convolutional net: residual blocks in stages, each at half the resolution and twice the width of the one before.

    stem -> [blocks] -> norm, halve, widen -> [blocks] -> ... -> mean over positions -> layer norm

Source: He et al. 2016, arXiv:1603.05027 (`resnet`); Liu et al. 2022, arXiv:2201.03545 (`convnext`).
Reads images, and with `dimensions=1` signals over time. How often an image is halved depends on its size, so that the
same net reads digits of 8 x 8 and photographs of 224 x 224; a signal is halved whatever its length, so that padding
changes nothing. First weights, W ~ N(0, s / fan_in) and b = 0: s = 1 where a stage begins; within the blocks see
`evenkeel.nets.convolution`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import nn
from typing_extensions import override

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.base import Net
from evenkeel.nets.blocks import Extent, check_choice, check_dropout, extent_of
from evenkeel.nets.convolution import BLOCKS, BlockOptions, Convolution, Dimensions, Stage
from evenkeel.nets.inputs import check_channels, check_floating
from evenkeel.nets.step_norm import StepNorm
from evenkeel.nets.steps import Pool, blanked, padding_of
from evenkeel.shapes import Float, Shaped, Tensor

SIZES = {"small": Extent(width=32, depth=4), "base": Extent(width=64, depth=8)}
STAGES = 4
FITTING = {"resnet": "batch", "convnext": "layer"}  # the norm that each block's paper takes
SMALLEST = 4  # positions of an axis that is still halved: two are left, enough for a kernel of 3 to see both
# An image of this many pixels along an axis is read with that stride at once: full resolution would cost most of the
# time there and tell little. 224 pixels leave 56 after the stem, as in both papers.
STEM_STRIDES = ((128, 4), (64, 2), (0, 1))
KEPT = ((0, 1),)
Strides = tuple[tuple[int, int], ...]


class CNN(nn.Module):
    """Images or signals of any channels and size to features.

    The features end in a layer norm: of mean 0 and variance 1 over the units at first, whatever the net's options.

    Args:
        channels: channels of an image, or numbers at each step of a signal.
        size: `small` (width 32, 4 blocks) or `base` (width 64, 8 blocks).
        dimensions: 2 for images, 1 for signals.
        block: `resnet` (two convolutions of 3) or `convnext` (a convolution of 7 and two layers over channels).
        width: channels of the first of four stages; each later one has twice as many, so features are 8 times this.
        depth: blocks in all, spread evenly over the stages.
        norm: batch, layer, group, instance, None, or `auto`: batch in resnet blocks and layer in convnext blocks.
        activation: relu, leaky_relu, tanh, sigmoid, selu, elu, gelu, silu.
        dropout: share of hidden units silenced while training, off when predicting.
        pooling: `mean` over all positions, or None: features at each position of the input; the blocks then look
            further by gaps in their kernels instead of halving the resolution.

    Shapes:
        images (batch, channel, height, width) -> (batch, unit), without pooling (batch, height, width, unit);
        signals (batch, step, channel) and lengths (batch,) -> (batch, unit), without pooling (batch, step, unit).

    Raises:
        RequestError: an option that does not exist or does not fit.
        ShapeError: inputs of other axes, channels or type.
        DataError: lengths beyond the steps, or of 0.

    Example:
        >>> import torch
        >>> net = CNN(3, width=8)
        >>> net.features, net(torch.zeros(2, 3, 28, 28)).shape
        (64, torch.Size([2, 64]))
        >>> CNN(1, dimensions=1, width=8)(torch.zeros(2, 50, 1), torch.tensor([50, 20])).shape
        torch.Size([2, 64])
    """

    def __init__(
        self,
        channels: int,
        *,
        size: Literal["small", "base"] = "small",
        dimensions: Dimensions = 2,
        block: Literal["resnet", "convnext"] = "resnet",
        width: int | None = None,
        depth: int | None = None,
        norm: str | None = "auto",
        activation: str = "relu",
        dropout: float = 0.0,
        pooling: Literal["mean"] | None = "mean",
    ) -> None:
        super().__init__()
        _check(channels, dimensions, block, pooling)
        check_dropout(dropout)
        extent = extent_of(SIZES, size, width, depth)
        self.channels, self.dimensions = channels, dimensions
        options = BlockOptions(
            dimensions=dimensions,
            activation=activation,
            norm=FITTING[block] if norm == "auto" else norm,
            dropout=dropout,
            share=1.0 / extent.depth,
        )
        self.stages = nn.ModuleList(_stages(channels, extent, block, options, pooling))
        self.features = extent.width * 2 ** (STAGES - 1)
        self.pool, self.norm = Pool(pooling), StepNorm("layer", self.features)

    @override
    def forward(
        self, values: Float[Tensor, "batch *axis"], lengths: Shaped[Tensor, "..."] | None = None
    ) -> Float[Tensor, "batch *position unit"]:
        self._check_values(values, lengths)
        steps = padding_of(lengths, values)
        # Signals: (batch, step, channel) -> (batch, channel, step); from here on (batch, channel, *position).
        hidden = values if self.dimensions == 2 else blanked(values, steps).transpose(1, 2)
        padding = None if steps is None else steps.unsqueeze(1)
        for stage in self.stages:
            hidden, padding = stage(hidden, padding)  # half the positions, twice the channels
        positions = hidden.flatten(2).transpose(1, 2)  # (batch, unit, *position) -> (batch, position, unit)
        # (batch, position, unit) -> (batch, unit), or as it was without pooling
        features = self.norm(self.pool(positions, None if padding is None else padding.squeeze(1)))
        if self.pool.pooling is None:
            return blanked(features, steps).unflatten(1, hidden.shape[2:])  # (batch, *position, unit)
        return features

    def _check_values(self, values: Tensor, lengths: object) -> None:
        """Refuse inputs of another layout, and lengths of images."""
        if self.dimensions == 2 and lengths is not None:
            raise RequestError("images of a batch have one size, so there are no lengths; try dimensions=1 for signals")
        layout = "(batch, channel, height, width)" if self.dimensions == 2 else "(batch, step, channel)"
        axis = 1 if self.dimensions == 2 else 2
        if values.dim() != self.dimensions + 2 or values.shape[axis] != self.channels or 0 in values.shape[1:]:
            raise ShapeError(
                f"this net reads {layout} with {self.channels} channels and at least one position, got shape "
                f"{tuple(values.shape)}; try permute, or CNN(channels=..., dimensions=1 for signals or 2 for images)"
            )
        check_floating(values)


def _check(channels: int, dimensions: int, block: str, pooling: object) -> None:
    """Refuse options that do not exist or do not fit together."""
    check_channels(channels)
    check_choice("dimensions", dimensions, (1, 2))
    check_choice("block", block, tuple(BLOCKS))
    check_choice("pooling", pooling, ("mean", None))


def _strides(dimensions: int, pooling: object) -> tuple[Strides, Strides]:
    """Strides of the stem and of each later stage."""
    if pooling is None:
        return KEPT, KEPT
    return (KEPT, ((0, 2),)) if dimensions == 1 else (STEM_STRIDES, ((SMALLEST, 2), (0, 1)))


def _stages(channels: int, extent: Extent, block: str, options: BlockOptions, pooling: object) -> Iterator[Stage]:
    """Four stages with the blocks spread evenly over them; where there are fewer blocks, the later stages have them."""
    dimensions, width = options.dimensions, extent.width
    stem, later = _strides(dimensions, pooling)
    for stage in range(STAGES):
        outputs, dilation = width * 2**stage, 2**stage if pooling is None else 1
        depth = extent.depth * (stage + 1) // STAGES - extent.depth * stage // STAGES
        blocks = [BLOCKS[block](outputs, options, dilation=dilation) for _ in range(depth)]
        if stage == 0:
            yield Stage(Convolution(dimensions, channels, outputs, 5), blocks, strides=stem)
        else:
            way_in, norm = Convolution(dimensions, outputs // 2, outputs, 3), options.norm_of(outputs // 2)
            yield Stage(way_in, blocks, norm=norm, strides=later)


CNN_NET = Net(
    name="cnn",
    summary="images and signals: residual or ConvNeXt-like blocks of convolutions",
    source="He et al. 2016, arXiv:1603.05027; Liu et al. 2022, arXiv:2201.03545",
    call=CNN,
    reads=("image", "sequence"),
    sizes=SIZES,
)
