"""Optimizers and the learning rate over time.

Adam: u <- b1·u + (1-b1)·g, v <- b2·v + (1-b2)·g², w <- w - rate · (u/(1-b1^t)) / (sqrt(v/(1-b2^t)) + eps)
AdamW decays the weights apart from the gradient. Source: Kingma & Ba 2015, arXiv:1412.6980; Loshchilov & Hutter 2019,
arXiv:1711.05101. The rate rises linearly, stays, and falls along a cosine: the fall is where most of the loss goes.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim import Optimizer

from evenkeel.plan import Plan

FLAT = 0.25  # share of the budget at the full rate before it falls
LOWEST = 0.01  # of the full rate, at the end: below it nothing moves any more


def build_optimizer(network: nn.Module, plan: Plan) -> Optimizer:
    """The plan's optimizer, as one fused kernel on every device; weight decay on matrices only, not on vectors."""
    decayed, spared = [], []
    for name, parameter in network.named_parameters():
        # Without decay there is nothing to tell apart, and one group is one kernel.
        vector = (
            plan.weight_decay == 0
            or name.endswith("bias")
            or parameter.dim() < 2
            or "norm" in name
            or "vectors.weight" in name
        )
        (spared if vector else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=plan.learning_rate, momentum=0.9, nesterov=True, fused=True)
    kind = torch.optim.AdamW if plan.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=plan.learning_rate, fused=True)


def rate_share(progress: float, warmup: float) -> float:
    """Learning rate as a share of the full one at a progress in [0, 1]: rise, plateau, cosine fall."""
    if progress < warmup:
        return max(progress / warmup, LOWEST)
    start = max(FLAT, warmup)
    if progress < start:
        return 1.0
    fall = min((progress - start) / max(1.0 - start, 1e-9), 1.0)
    return LOWEST + (1.0 - LOWEST) * 0.5 * (1.0 + math.cos(math.pi * fall))


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Change the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate
