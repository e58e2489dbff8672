"""Adam's fused kernel called directly over the state of a torch optimizer.

`optimizer.step()` collects parameters, gradients and state anew each time, which for a small network takes longer than
the kernel. Here the lists are made once. The state stays where it was, in `optimizer.state`, so that `state_dict`,
checkpoints, groups and rates work as ever, and the result is that of `optimizer.step()` to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from evenkeel.shapes import Float, Tensor

UNUSUAL = ("amsgrad", "maximize", "capturable", "differentiable")


@dataclass(frozen=True, kw_only=True)
class _Lists:
    """Arguments of the kernel for one group of parameters."""

    group: dict[str, Any]
    chosen: list[int]
    parameters: list[Tensor]
    mean: list[Tensor]
    square: list[Tensor]
    steps: list[Tensor]


class DirectAdam:
    """Adam or AdamW without the way through `optimizer.step()`.

    Args:
        optimizer: one for which `fits` is true.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(2))
        >>> update = DirectAdam(torch.optim.Adam([weight], lr=0.1, fused=True))
        >>> update([torch.tensor([3.0, -5.0])], None, torch.tensor(0.0))
        >>> weight.tolist()
        [0.8999999761581421, 1.100000023841858]
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._state: object = None
        self._groups: object = None
        self._present: list[bool] = []
        self._lists: list[_Lists] = []
        self._steps = torch.empty(0)

    @staticmethod
    def fits(optimizer: Optimizer) -> bool:
        """Whether an optimizer is an ordinary fused Adam or AdamW on the CPU."""
        return type(optimizer) in (Adam, AdamW) and all(
            group.get("fused")
            and isinstance(group["lr"], float)
            and not any(group.get(name) for name in UNUSUAL)
            and all(parameter.device.type == "cpu" for parameter in group["params"])
            for group in optimizer.param_groups
        )

    @property
    def watched(self) -> bool:
        """Whether somebody waits for `optimizer.step()` to be called: a hook, or a scheduler that counts calls."""
        own = self.optimizer
        return bool(
            own._optimizer_step_pre_hooks
            or own._optimizer_step_post_hooks
            or _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
            or "step" in own.__dict__
        )

    @torch.no_grad()
    def __call__(
        self, gradients: list[Tensor | None], scale: Float[Tensor, ""] | None, skipped: Float[Tensor, ""]
    ) -> None:
        """One update; gradients in the order of the optimizer's parameters, None where there is none.

        Args:
            gradients: in the memory layout of their parameters; scaled in place.
            scale: what they are divided by, or None.
            skipped: 1.0 leaves weights and state as they are.
        """
        present = [gradient is not None for gradient in gradients]
        # A loaded state is a new mapping: the lists would go on with the old one.
        known = self._state is self.optimizer.state and self._groups is self.optimizer.param_groups
        if not known or present != self._present:
            self._collect(present)
        self._steps.add_(1).sub_(skipped)
        for lists in self._lists:
            group = lists.group
            kernel: Any = torch._fused_adamw_ if group.get("decoupled_weight_decay") else torch._fused_adam_
            kernel(
                lists.parameters,
                [gradients[index] for index in lists.chosen],
                lists.mean,
                lists.square,
                [],
                lists.steps,
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
                grad_scale=scale,
                found_inf=skipped,
            )

    def _collect(self, present: list[bool]) -> None:
        """Make the lists anew for the parameters that have a gradient; state that is missing starts at zero."""
        self._state, self._groups, self._present = self.optimizer.state, self.optimizer.param_groups, present
        self._steps = torch.zeros(sum(present))
        self._lists = []
        first = count = 0
        for group in self.optimizer.param_groups:
            numbers = range(first, first + len(group["params"]))
            first += len(group["params"])
            chosen = [number for number in numbers if present[number]]
            parameters = [group["params"][number - numbers.start] for number in chosen]
            states = [self._state_of(parameter, count + index) for index, parameter in enumerate(parameters)]
            count += len(chosen)
            lists = {
                "mean": [state["exp_avg"] for state in states],
                "square": [state["exp_avg_sq"] for state in states],
                "steps": [state["step"] for state in states],
            }
            if chosen:
                self._lists.append(_Lists(group=group, chosen=chosen, parameters=parameters, **lists))

    def _state_of(self, parameter: Tensor, number: int) -> dict[str, Any]:
        """A parameter's state; its count of steps becomes a place in one vector, so that one operation serves all."""
        state = self.optimizer.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        self._steps[number] = state["step"]
        state["step"] = self._steps[number]
        return state
