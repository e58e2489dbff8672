"""Eager engine: loss and gradients by autograd, the step as everybody writes it; for every network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from evenkeel.network import Network
from evenkeel.shapes import Tensor
from evenkeel.train.engines.base import EnginePart, LossAndGradients


class Eager:
    """Loss and gradients of a network by autograd.

    Args:
        network: what is trained.
        parameters: those whose gradients are needed, in this order.

    Example:
        >>> from evenkeel import heads, nets
        >>> network = Network(nets.MLP(4, width=8), heads.Value(8))
        >>> loss, gradients = Eager(network, [network.head.linear.bias])({"numbers": torch.zeros(3, 4)}, torch.ones(3))
        >>> gradients[0].shape
        torch.Size([1])
    """

    def __init__(self, network: Network, parameters: Sequence[nn.Parameter]) -> None:
        self.network, self.parameters = network, list(parameters)

    def __call__(
        self,
        inputs: Mapping[str, Tensor],
        target: Tensor,
        weight: Tensor | None = None,
        *,
        backward: Callable[[Tensor], None] = torch.Tensor.backward,
    ) -> LossAndGradients:
        """Loss and gradients of a batch; `backward` takes the place of `loss.backward()`, which it must do."""
        loss = self.network.loss(inputs, target, weight)
        backward(loss)
        return loss.detach(), [parameter.grad for parameter in self.parameters]


EAGER = EnginePart(
    name="eager",
    summary="loss and gradients by autograd, for every network",
    source="PyTorch's autograd",
    call=Eager,
    fits=lambda network, parameters, shapes: True,
    rank=100,
)
