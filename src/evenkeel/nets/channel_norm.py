"""Norms of channels laid out over positions: batch, layer, group, instance, each over its own axes, without padding.

    y = (x - mean x) / sqrt(var x + eps) · w + b, with one w and b for each channel; mean and variance over

    batch     one channel, all examples and positions     by its moving averages when predicting
    layer     all channels of one position                group     a group of channels of one example, all positions
    instance  one channel of one example, all positions

Where examples have padding, what is taken over positions is taken over the real ones alone.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167; Ba et al. 2016, arXiv:1607.06450; Wu and He 2018, arXiv:1803.08494;
Ulyanov et al. 2016, arXiv:1607.08022
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.errors import RequestError, ShapeError
from evenkeel.nets.blocks import GROUPS
from evenkeel.shapes import Bool, Float, Tensor

EPSILON = 1e-5
MOMENTUM = 0.1  # how far the moving averages go towards each batch; with EPSILON, what torch takes by default
CHANNEL_NORMS = ("batch", "layer", "group", "instance")


class ChannelNorm(nn.Module):
    """A norm of (batch, channel, *position).

    Args:
        kind: batch, layer, group or instance.
        channels: how many; a multiple of 8 for group norm.

    Shapes: x (batch, channel, *position), padding (batch, 1, position), True where there is none -> as x.

    Raises:
        RequestError: a norm that does not exist, or a number of channels that makes no groups.
        ShapeError: only one number to take mean and variance over.

    Example:
        >>> ChannelNorm("instance", 1)(torch.tensor([[[1.0, 3.0]]]))
        tensor([[[-1.0000,  1.0000]]], grad_fn=<ViewBackward0>)
    """

    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        if kind not in CHANNEL_NORMS:
            raise RequestError(f"no norm of channels is called {kind!r}; there are: {', '.join(CHANNEL_NORMS)}")
        if kind == "group" and channels % GROUPS:
            raise RequestError(f"group norm needs a width that is a multiple of {GROUPS}, got {channels}")
        self.kind, self.channels = kind, channels
        self.batch = nn.BatchNorm1d(channels, eps=EPSILON, momentum=MOMENTUM) if kind == "batch" else None
        if self.batch is None:
            self.weight = nn.Parameter(torch.ones(channels))
            self.bias = nn.Parameter(torch.zeros(channels))

    @override
    def forward(
        self, x: Float[Tensor, "batch channel *position"], padding: Bool[Tensor, "batch 1 position"] | None = None
    ) -> Float[Tensor, "batch channel *position"]:
        if self.kind == "layer":
            last = functional.layer_norm(x.movedim(1, -1), (self.channels,), self.weight, self.bias, EPSILON)
            return last.movedim(-1, 1)
        flat = x.flatten(2)
        self._check(flat, padding)
        if self.batch is not None and (padding is None or not self.training):
            normed = self.batch(flat)
        elif padding is not None:
            normed = self._over_real(flat, padding, self.batch)
        elif self.kind == "instance":
            normed = functional.instance_norm(flat, weight=self.weight, bias=self.bias, eps=EPSILON)
        else:
            normed = functional.group_norm(flat, GROUPS, self.weight, self.bias, EPSILON)
        return normed.view(x.shape)

    def _over_real(self, x: Tensor, padding: Tensor, batch: nn.BatchNorm1d | None) -> Tensor:
        """The plain formula over the real positions; batch norm's moving averages follow, as torch moves them."""
        apart = x.to(torch.promote_types(x.dtype, torch.float32))
        apart = apart.unflatten(1, (GROUPS if self.kind == "group" else self.channels, -1))
        absent = padding.unsqueeze(1)
        axes = (0, 2, 3) if batch is not None else (2, 3)
        count = (~absent).expand(apart.shape).sum(axes, keepdim=True)
        mean = apart.masked_fill(absent, 0.0).sum(axes, keepdim=True) / count
        centred = apart - mean
        variance = centred.masked_fill(absent, 0.0).square().sum(axes, keepdim=True) / count
        if batch is not None:
            _move(batch, mean.detach().view(-1), (variance * count / (count - 1).clamp(min=1)).detach().view(-1))
        owner = self if batch is None else batch
        normed = (centred * torch.rsqrt(variance + EPSILON)).view(x.shape).to(x.dtype)
        return torch.addcmul(owner.bias.unsqueeze(1), normed, owner.weight.unsqueeze(1))

    def _check(self, x: Tensor, padding: Tensor | None) -> None:
        """Refuse a variance over one number: it is zero, and the norm would blank whatever comes in."""
        if self.batch is not None and not self.training:
            return
        least = x.shape[2] * (len(x) if self.kind == "batch" else 1)
        if padding is not None and x.device.type == "cpu" and x.numel() and not torch.compiler.is_compiling():
            real = (~padding).sum(2)
            least = int(real.sum() if self.kind == "batch" else real.min())
        if least * (self.channels // GROUPS if self.kind == "group" else 1) == 1:
            whole = "a batch" if self.kind == "batch" else "an example"
            raise ShapeError(
                f"{self.kind} norm needs more than one number to take a variance over, and here {whole} has one "
                "position; try norm='layer', or larger inputs"
            )


def _move(batch: nn.BatchNorm1d, mean: Tensor, variance: Tensor) -> None:
    """Move the averages of a batch norm one step towards those of a batch."""
    assert batch.running_mean is not None and batch.running_var is not None and batch.num_batches_tracked is not None
    batch.num_batches_tracked.add_(1)
    batch.running_mean.lerp_(mean.to(batch.running_mean.dtype), MOMENTUM)
    batch.running_var.lerp_(variance.to(batch.running_var.dtype), MOMENTUM)
