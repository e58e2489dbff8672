"""Held-out scores, each with what the best constant predictor reaches on the same rows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench._specimens.setup import Batch, forward
from bench._specimens.tables import Table, whole

Score = Callable[[nn.Module], float]


@torch.no_grad()
def outputs(model: nn.Module, batches: list[Batch]) -> Tensor:
    """All outputs in evaluation mode; the model is left in the mode it was in."""
    mode = model.training
    model.eval()
    found = torch.cat([forward(model, inputs).float() for inputs, _ in batches])
    model.train(mode)
    return found


def accuracy(model: nn.Module, batches: list[Batch]) -> float:
    """Share of right classes; a row whose output is not finite is wrong."""
    output, target = outputs(model, batches), torch.cat([target for _, target in batches])
    right = (output.argmax(-1) == target) & output.isfinite().all(-1)
    return float(right.float().mean())


def right_labels(model: nn.Module, batches: list[Batch], threshold: float) -> float:
    """Share of right labels: output above the threshold where the label is 1 (one minus the Hamming loss)."""
    output, target = outputs(model, batches), torch.cat([target for _, target in batches])
    return float((((output > threshold) == (target > 0.5)) & output.isfinite()).float().mean())


def rmse(model: nn.Module, batches: list[Batch], spread: float) -> float:
    """Root mean squared error of the first output, in the target's units."""
    output, target = outputs(model, batches)[:, :1], torch.cat([target for _, target in batches])
    return float((output.double() - target.double()).square().mean().sqrt()) * spread


def score_of(table: Table, threshold: float = 0.0) -> Score:
    """The score that belongs to a table's kind; `threshold` is that of its labels (0 for logits)."""
    held_out = whole(table.held_out)
    if table.kind == "classes":
        return lambda model: accuracy(model, held_out)
    if table.kind == "labels":
        return lambda model: right_labels(model, held_out, threshold)
    return lambda model: rmse(model, held_out, table.spread)


def trivial_of(table: Table) -> float:
    """The score of the training part's commonest class, commonest value of each label, or mean."""
    train, target = table.train[1], table.held_out[1]
    if table.kind == "classes":
        return float((target == train.mode().values).float().mean())
    if table.kind == "labels":
        return float((target == train.mean(0).round()).float().mean())
    return float((target - train.mean()).square().mean().sqrt()) * table.spread
