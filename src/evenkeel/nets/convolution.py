"""Convolutions whose stride is chosen call by call, two residual blocks made of them, and stages of such blocks.

    resnet     h = h + drop(phi(norm(phi(norm(h)) * W1))) * W2     W1, W2 of 3 x 3, every channel with every other
    convnext   h = h + drop(phi(norm(h * W1) W2)) W3               W1 of 7 x 7, each channel by itself; W2, W3 of 1 x 1

Source: He et al. 2016, arXiv:1603.05027 (pre-activation); Liu et al. 2022, arXiv:2201.03545
First weights, W ~ N(0, s / fan_in) and b = 0, so that all branches together add a variance of one to what came in:

    resnet     W1 s = matched, W2 s = matched · share          share: 1 / blocks of the net
    convnext   W1 and W2 s = 1, W3 s = matched · share         matched: 1 / E[phi'(z)²], 2 for ReLU
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.nets.blocks import activation_named, matched_variance
from evenkeel.nets.channel_norm import ChannelNorm
from evenkeel.shapes import Bool, Float, Tensor

Dimensions = Literal[1, 2]
WIDER = 4  # units of a ConvNeXt block's hidden layer for each channel, as in its paper
Padding = Bool[Tensor, "batch 1 step"] | None
Shorter = Bool[Tensor, "batch 1 fewer"] | None


class Convolution(nn.Module):
    """A convolution over one or two axes that keeps their sizes but for its stride: ceil(size / stride) come out.

    Args:
        dimensions: axes of positions.
        inputs: channels that come in.
        outputs: channels that go out.
        kernel: odd width of the kernel along every axis.
        groups: groups of channels that do not see each other.
        variance: s of the initial W ~ N(0, s / fan_in); b starts at 0.

    Shapes: (batch, inputs, *position) -> (batch, outputs, *position).

    Example:
        >>> Convolution(2, 3, 8, 3)(torch.zeros(1, 3, 5, 7), stride=(2, 1)).shape
        torch.Size([1, 8, 3, 7])
    """

    def __init__(
        self,
        dimensions: Dimensions,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        groups: int = 1,
        variance: float = 1.0,
    ) -> None:
        super().__init__()
        shape = (outputs, inputs // groups, *[kernel] * dimensions)
        self.weight = nn.Parameter(torch.randn(shape) * math.sqrt(variance / math.prod(shape[1:])))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.kernel, self.groups = kernel, groups
        self.convolve = functional.conv1d if dimensions == 1 else functional.conv2d

    @override
    def forward(
        self, x: Float[Tensor, "batch channel *position"], *, stride: Sequence[int] | int = 1, dilation: int = 1
    ) -> Float[Tensor, "batch unit *other"]:
        beside = dilation * (self.kernel // 2)
        return self.convolve(x, self.weight, self.bias, stride, beside, dilation, self.groups)

    @override
    def extra_repr(self) -> str:
        outputs, inputs, *kernel = self.weight.shape
        return f"{inputs * self.groups}, {outputs}, kernel={tuple(kernel)}, groups={self.groups}"


def blank(x: Tensor, padding: Padding) -> Tensor:
    """Zeros in place of padding, so that a convolution sees there what it sees beyond the edge."""
    return x if padding is None else x.masked_fill(padding, 0.0)


@dataclass(frozen=True, kw_only=True)
class BlockOptions:
    """What all blocks of a net have in common."""

    dimensions: Dimensions
    activation: str
    norm: str | None
    dropout: float
    share: float
    """Variance that one branch adds to what passes it by."""

    def norm_of(self, channels: int) -> ChannelNorm | None:
        """The norm of so many channels, where there is one."""
        return None if self.norm is None else ChannelNorm(self.norm, channels)


class ResNetBlock(nn.Module):
    """Two full convolutions beside the identity.

    Shapes: hidden (batch, channel, *position), padding (batch, 1, step) -> as hidden.
    """

    def __init__(self, width: int, options: BlockOptions, *, dilation: int = 1) -> None:
        super().__init__()
        variance = matched_variance(options.activation)
        self.first_norm, self.second_norm = options.norm_of(width), options.norm_of(width)
        self.first = Convolution(options.dimensions, width, width, 3, variance=variance)
        self.second = Convolution(options.dimensions, width, width, 3, variance=variance * options.share)
        self.activation, self.dropout = activation_named(options.activation), options.dropout
        self.dilation = dilation

    @override
    def forward(
        self, hidden: Float[Tensor, "batch channel *position"], padding: Padding = None
    ) -> Float[Tensor, "batch channel *position"]:
        branch = hidden if self.first_norm is None else self.first_norm(hidden, padding)
        branch = self.first(blank(self.activation(branch), padding), dilation=self.dilation)
        branch = branch if self.second_norm is None else self.second_norm(branch, padding)
        branch = functional.dropout(self.activation(branch), self.dropout, self.training)
        return hidden + self.second(blank(branch, padding), dilation=self.dilation)


class ConvNeXtBlock(nn.Module):
    """A wide convolution of each channel by itself, then two layers over the channels, beside the identity.

    Shapes: hidden (batch, channel, *position), padding (batch, 1, step) -> as hidden.
    """

    def __init__(self, width: int, options: BlockOptions, *, dilation: int = 1) -> None:
        super().__init__()
        dimensions, variance = options.dimensions, matched_variance(options.activation)
        self.around = Convolution(dimensions, width, width, 7, groups=width)
        self.norm = options.norm_of(width)
        self.widen = Convolution(dimensions, width, WIDER * width, 1)
        self.narrow = Convolution(dimensions, WIDER * width, width, 1, variance=variance * options.share)
        self.activation, self.dropout = activation_named(options.activation), options.dropout
        self.dilation = dilation

    @override
    def forward(
        self, hidden: Float[Tensor, "batch channel *position"], padding: Padding = None
    ) -> Float[Tensor, "batch channel *position"]:
        branch = self.around(blank(hidden, padding), dilation=self.dilation)
        branch = branch if self.norm is None else self.norm(branch, padding)
        # (batch, channel, *position) -> (batch, WIDER · channel, *position), and back below
        branch = functional.dropout(self.activation(self.widen(branch)), self.dropout, self.training)
        return hidden + self.narrow(branch)


BLOCKS: dict[str, type[ResNetBlock | ConvNeXtBlock]] = {"resnet": ResNetBlock, "convnext": ConvNeXtBlock}


class Stage(nn.Module):
    """A convolution that changes width and resolution, then blocks at that width and resolution.

    Args:
        way_in: the norm, if any, and the convolution that come first.
        blocks: what follows, each of one width.
        strides: for each axis, the stride of the first entry whose number of positions the axis has at least.

    Shapes: hidden (batch, inputs, *position), padding (batch, 1, step) or None -> the same with the channels and
    positions of the convolution.

    Example:
        >>> stage = Stage(Convolution(2, 3, 8, 3), (), strides=((4, 2), (0, 1)))
        >>> stage(torch.zeros(1, 3, 9, 2))[0].shape
        torch.Size([1, 8, 5, 2])
    """

    def __init__(
        self,
        way_in: Convolution,
        blocks: Iterable[nn.Module],
        *,
        norm: ChannelNorm | None = None,
        strides: Sequence[tuple[int, int]] = ((0, 1),),
    ) -> None:
        super().__init__()
        self.norm, self.way_in, self.blocks = norm, way_in, nn.ModuleList(blocks)
        self.strides = tuple(strides)

    @override
    def forward(
        self, hidden: Float[Tensor, "batch channel *position"], padding: Padding = None
    ) -> tuple[Float[Tensor, "batch unit *other"], Shorter]:
        hidden = hidden if self.norm is None else self.norm(hidden, padding)
        stride = [next(stride for least, stride in self.strides if size >= least) for size in hidden.shape[2:]]
        # (batch, channel, *position) -> (batch, unit, *other)
        hidden = self.way_in(blank(hidden, padding), stride=stride)
        left = None if padding is None else padding[:, :, :: stride[0]]  # (batch, 1, step) -> (batch, 1, fewer)
        for block in self.blocks:
            hidden = block(hidden, left)
        return hidden, left
