"""Defaults of the plan for images, by their number and size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import in_form
from evenkeel.kinds.image.schema import ImageSchema
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice

# Images passed in a whole training, within these numbers of epochs: small sets are passed often.
IMAGES_IN_ALL, FEWEST_EPOCHS, MOST_EPOCHS = 400_000, 6, 60
# Channels of the first of four stages below and from this many training rows: a wide net memorises few images.
NARROW, WIDE, WIDE_FROM = 16, 32, 5000
PATCHES = 8  # along the longer side, for a net that reads patches


def image_recipe(net: str, dataset: Dataset[ImageSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """Choose defaults for images by their number and size."""
    rows, longest = len(dataset.split.train), max(in_form(dataset.inputs["pixels"], Tensor).shape[2:])
    epochs = min(max(IMAGES_IN_ALL // rows, FEWEST_EPOCHS), MOST_EPOCHS)
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
