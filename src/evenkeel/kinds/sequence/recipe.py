"""How nets on sequences are sized and trained, by how many there are and how long; one recipe for all of them.

The usual net was chosen by three-fold cross-validation on training files, accuracy of a recurrent net and of
a convolutional one: 7 to 26 steps (JapaneseVowels) .985 and .959, 8 steps (pendigits, 1500 of them) .980 both, 24 steps
(ItalyPowerDemand) .948 and .978. What the recipe reaches: bench/_nets/sequence.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import all_rows
from evenkeel.kinds.sequence.schema import SequenceSchema
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice

# Below so many training sequences the validation part is too small to choose the weights by: those of the end are kept.
SMALL = 500
MEMBERS = 4  # networks of the ensemble that so few sequences are learned by; their chance mistakes cancel
# Sequences of a batch: about this many batches an epoch, within these sizes.
BATCHES_AN_EPOCH, SMALLEST_BATCH, LARGEST_BATCH = 16, 16, 128
EPOCHS, FEWEST_UPDATES, MOST_UPDATES = 20, 500, 20_000
LOOKS = 20  # at the validation part: about one an epoch

NETS: Mapping[str, Mapping[str, Any]] = {
    "cnn": {"depth": 4, "norm": "auto", "activation": "relu", "learning_rate": 2e-3},
    "rnn": {"width": 128, "depth": 2, "norm": "layer", "activation": "tanh", "learning_rate": 3e-3},
    "transformer": {"width": 128, "depth": 4, "norm": "layer", "activation": "gelu", "learning_rate": 1e-3},
}
# Steps up to which a recurrent net is the usual one: a cnn halves them three times, and one or two would be left.
SHORT = 16
WIDTHS = {"few": 16, "many": 32}  # of a cnn's first stage


def sequence_recipe(net: str, dataset: Dataset[SequenceSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """Defaults of the plan for a net and so many sequences."""
    rows = len(dataset.split.train)
    small = rows < SMALL
    batch = int(np.clip(2 ** round(math.log2(rows / BATCHES_AN_EPOCH)), SMALLEST_BATCH, LARGEST_BATCH))
    settings = {
        "members": MEMBERS if small else None,
        "bins": None,
        "skip": "residual",
        "dropout": 0.2,
        "batch_size": batch,
        "updates": int(np.clip(EPOCHS * rows / batch, FEWEST_UPDATES, MOST_UPDATES)),
        "evaluations": LOOKS,
        "keep": "last" if small else "best",
        **NETS.get(net, {}),
    }
    if net == "cnn":
        settings["width"] = WIDTHS["few" if small else "many"]
    if dataset.schema.answers == "step":
        settings |= {"dropout": 0.3, "keep": "best"}
    return settings


def usual_net(dataset: Dataset[SequenceSchema]) -> str:
    """Recurrent layers where a step must be blind to the future or sequences are short; else convolutions."""
    if dataset.schema.answers == "step" or dataset.schema.direction == "past":
        return "rnn"
    return "rnn" if median_steps(dataset) <= SHORT else "cnn"


def median_steps(dataset: Dataset[SequenceSchema]) -> float:
    """The usual length of a sequence."""
    field = dataset.inputs["values"]
    if isinstance(field, Tensor):
        return float(field.shape[1])
    return float(all_rows(dataset.inputs["lengths"]).double().median())
