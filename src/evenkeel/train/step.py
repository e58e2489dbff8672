"""The training step: loss, gradient, clipping by norm, update, in the one place that owns it.

    g <- gradient;  n = ||g||;  w <- optimizer(w, g / max(1, n / clip));  nothing at all where n is not finite

The norm decides on the device, and the division happens inside the fused optimizer kernel: no extra pass over the
gradients, no wait for the host. Source of clipping by norm: Pascanu et al. 2013, arXiv:1211.5063.

Loss and gradients come from an engine (`train/engines`), and Adam's kernel is called directly where nobody waits for
`optimizer.step()`: the same kernels on the same numbers, hence the same bits, without the bookkeeping in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from evenkeel.network import Network
from evenkeel.shapes import Float, Tensor
from evenkeel.train.adam import DirectAdam
from evenkeel.train.engines import Engine, Shapes, engine_for
from evenkeel.train.engines.eager import Eager
from evenkeel.train.signs import Sample, Signs

SIGNS_EVERY = 16
"""Steps: taken at each, the signs cost a small network a fifth of its time, at each fourth five to ten per cent."""


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step measured, still on its device: loss, gradient norm before clipping, 1.0 where it was skipped.

    `signs`: how far it moved the weights, and how surprised Adam was; of each sixteenth step, nan of the others.
    """

    loss: Float[Tensor, ""]
    gradient_norm: Float[Tensor, ""]
    skipped: Float[Tensor, ""]
    signs: Signs

    def row(self) -> Float[Tensor, "number"]:
        """The five numbers side by side, in float32, as a checkpoint holds them."""
        numbers = (self.loss, self.gradient_norm, self.skipped, self.signs.update_ratio, self.signs.surprise)
        return torch.stack([number.float() for number in numbers])

    @classmethod
    def of_row(cls, row: Float[Tensor, "number"]) -> StepResult:
        """The result that a row was made from."""
        signs = Signs(update_ratio=row[3], surprise=row[4])
        return cls(loss=row[0], gradient_norm=row[1], skipped=row[2], signs=signs)


class TrainingStep:
    """One network, one optimizer, one update a call.

    `engine` gives loss and gradients, and may be replaced by another; what follows from them is done here.

    Args:
        network: what is trained; must be in training mode.
        optimizer: a fused torch optimizer over the network's parameters.
        clip: largest gradient norm that reaches the optimizer, or None.
        shapes: `varying` where what a step does depends on more than the sizes of the batch, such as lengths.
    """

    def __init__(self, network: Network, optimizer: Optimizer, clip: float | None, *, shapes: Shapes = "fixed") -> None:
        self.optimizer, self.clip = optimizer, clip
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.engine: Engine = engine_for(network, self.parameters, shapes)
        self.eager = Eager(network, self.parameters)
        self._sample = Sample(self.parameters)
        self.count = 0
        """Steps so far; whoever continues a training sets it."""
        self._direct = DirectAdam(optimizer) if DirectAdam.fits(optimizer) else None

    def __call__(
        self,
        inputs: Mapping[str, Tensor],
        target: Tensor,
        weight: Tensor | None = None,
        *,
        backward: Callable[[Tensor], None] | None = None,
    ) -> StepResult:
        """Update the weights on one batch.

        Args:
            inputs: the network's inputs by name.
            target: one for each example.
            weight: of each example, or None.
            backward: called with the loss instead of `loss.backward()`, which it must do; for those who want to walk
                or hook the graph, or keep it. The weights are the same, to the bit, with and without.
        """
        if backward is None:
            loss, gradients = self.engine(inputs, target, weight)
        else:
            loss, gradients = self.eager(inputs, target, weight, backward=backward)
        norm = _norm(gradients)
        skipped = norm.mul(0.0).ne_(0.0)  # infinity and NaN times zero are NaN
        # The fused kernels read these two: gradients are divided by grad_scale, and found_inf = 1 leaves all as it was.
        scale = norm.div(self.clip).clamp_(min=1.0) if self.clip is not None else None
        sampled = self.count % SIGNS_EVERY == 0
        self.count += 1
        if sampled:
            self._sample.before(gradients, scale, self.optimizer)
        if self._direct is not None and not self._direct.watched:
            self._direct(gradients, scale, skipped)
        else:
            self._through_optimizer(gradients, scale, skipped)
        for parameter in self.parameters:
            parameter.grad = None
        signs = self._sample.after() if sampled else Signs.unknown(norm)
        return StepResult(loss=loss, gradient_norm=norm, skipped=skipped, signs=signs)

    def _through_optimizer(self, gradients: list[Tensor | None], scale: Tensor | None, skipped: Tensor) -> None:
        """The update by `optimizer.step()`: for other optimizers and devices, and where it has hooks."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.grad_scale = scale  # type: ignore[attr-defined]
        self.optimizer.found_inf = skipped  # type: ignore[attr-defined]
        self.optimizer.step()


def gradient_norm(parameters: list[nn.Parameter]) -> Float[Tensor, ""]:
    """||g||₂ over all parameters that have a gradient."""
    return _norm([parameter.grad for parameter in parameters])


def _norm(gradients: Sequence[Tensor | None]) -> Float[Tensor, ""]:
    """||g||₂ over all gradients that there are."""
    present = [gradient for gradient in gradients if gradient is not None]
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(present)))
