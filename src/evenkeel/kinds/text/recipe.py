"""Defaults of the plan for texts, by the size of the data alone; measured in bench/_nets/text.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.data.dataset import Dataset
from evenkeel.data.fields import Windows, in_form
from evenkeel.kinds.text.schema import TextSchema
from evenkeel.task import TaskChoice

MANY = 50_000  # training texts from which less dropout and fewer passes suffice
STREAM_PASSES = 12  # over the tokens of a text that is continued
FEWEST, MOST = 300, 6000  # updates of such a training


def text_recipe(net: str, dataset: Dataset[TextSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """Choose the defaults of bags, of tokens in their order, or of a stream."""
    if dataset.target_schema.kind == "tokens":
        return _stream(net, dataset)
    return _order(net, dataset) if dataset.schema.bag is None else _bag(dataset)


def _bag(dataset: Dataset[TextSchema]) -> dict[str, Any]:
    many = len(dataset.split.train) >= MANY
    return {
        "width": 64 if many else 32,
        "depth": 1,
        "members": 4 if many else 8,
        "bins": None,
        "dropout": 0.3 if many else 0.7,
        "learning_rate": 5e-3,
        "batch_size": 256 if many else 64,
        "epochs": 4 if many else 12,
        "evaluations": 24,
    }


def _order(net: str, dataset: Dataset[TextSchema]) -> dict[str, Any]:
    many = len(dataset.split.train) >= MANY
    return {
        "width": 128,
        "depth": 2 if net == "transformer" else 1,
        "members": None,
        "bins": None,
        "norm": "layer",
        "activation": "gelu" if net == "transformer" else "tanh",
        "dropout": 0.2 if many else 0.4,
        "learning_rate": 1e-3 if net == "transformer" else 2e-3,
        "weight_decay": 0.05,
        "batch_size": 64,
        "epochs": 3 if many else 12,
        "evaluations": 24,
    }


def _stream(net: str, dataset: Dataset[TextSchema]) -> dict[str, Any]:
    tokens = len(in_form(dataset.target, Windows).series)
    batch, window = 16, dataset.schema.window or 1
    return {
        "width": 128,
        "depth": 4 if net == "transformer" else 2,
        "members": None,
        "bins": None,
        "norm": "layer",
        "activation": "gelu" if net == "transformer" else "tanh",
        "dropout": 0.0,
        "learning_rate": 3e-3,
        "weight_decay": 0.1,
        "batch_size": batch,
        "updates": min(max(STREAM_PASSES * tokens // (batch * window), FEWEST), MOST),
        "evaluations": 20,
    }
