"""Defaults of the plan for images, from how many there are and how large they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import in_form
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice

# Images that a training sees in all, within these numbers of passes: small sets are seen often.
SEEN, FEWEST_EPOCHS, MOST_EPOCHS = 400_000, 6, 60
# Channels of the first of four stages below and from this many training rows: a wide net learns few images by heart.
NARROW, WIDE, WIDE_FROM = 16, 32, 5000
PATCHES = 8  # along the longer side, for a net that reads patches


def image_recipe(net: str, dataset: Dataset[ImageSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """Defaults for images, from how many there are and how large they are."""
    rows, longest = len(dataset.split.train), max(in_form(dataset.inputs["pixels"], Tensor).shape[2:])
    epochs = min(max(SEEN // rows, FEWEST_EPOCHS), MOST_EPOCHS)
    shared = {"members": None, "bins": None, "epochs": epochs, "evaluations": epochs, "patience": 1.0}
    shared |= {"batch_size": 128 if rows >= 10_000 else 64 if rows >= 1000 else 32}
    if net == "transformer":
        patch = max(1, round(longest / PATCHES))
        sizes = {"width": 128, "depth": 4, "norm": "layer", "activation": "gelu", "dropout": 0.1}
        return {**shared, **sizes, "learning_rate": 1e-3, "net_options": {"patch": patch}}
    width = WIDE if rows >= WIDE_FROM else NARROW
    sizes = {"width": width, "depth": 4, "norm": "auto", "activation": "relu", "dropout": 0.0}
    if choice.task == "generation":
        return {**shared, **sizes, "learning_rate": 1e-3, "weight_decay": 0.0}
    return {**shared, **sizes, "learning_rate": 3e-3, "weight_decay": 1e-2}
