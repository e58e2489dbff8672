"""The training step, in the one place that owns it: loss, gradient, clipping, update.

    g <- gradient;  n = ||g||;  w <- optimizer(w, g / max(1, n / clip));  nothing at all where n is not finite

The norm decides on the device, and the division happens inside the fused optimizer kernel: no extra pass over the
gradients, no wait for the host. Source of clipping by norm: Pascanu et al. 2013, arXiv:1211.5063.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from evenkeel.network import Network
from evenkeel.shapes import Float, Tensor


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step measured, still on its device: loss, gradient norm before clipping, 1.0 where it was skipped."""

    loss: Float[Tensor, ""]
    gradient_norm: Float[Tensor, ""]
    skipped: Float[Tensor, ""]


class Step:
    """One network, one optimizer, one update a call.

    Args:
        network: what is trained; must be in training mode.
        optimizer: a fused torch optimizer over the network's parameters.
        clip: largest gradient norm that reaches the optimizer, or None.
    """

    def __init__(self, network: Network, optimizer: Optimizer, clip: float | None) -> None:
        self.network, self.optimizer, self.clip = network, optimizer, clip
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def __call__(self, inputs: Mapping[str, Tensor], target: Tensor, weight: Tensor | None = None) -> StepResult:
        """Update the weights on one batch."""
        loss = self.network.loss(inputs, target, weight)
        loss.backward()
        norm = gradient_norm(self.parameters)
        skipped = (~torch.isfinite(norm)).float()
        # The fused kernels read these two: gradients are divided by grad_scale, and found_inf = 1 leaves all as it was.
        self.optimizer.grad_scale = (norm / self.clip).clamp(min=1.0) if self.clip is not None else None  # type: ignore[attr-defined]
        self.optimizer.found_inf = skipped  # type: ignore[attr-defined]
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return StepResult(loss=loss.detach(), gradient_norm=norm, skipped=skipped)


def gradient_norm(parameters: list[nn.Parameter]) -> Float[Tensor, ""]:
    """||g||₂ over all parameters that have a gradient."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
