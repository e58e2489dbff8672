"""Defaults of the plan for pairs: large batches, and for each side's net the defaults of its own kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from evenkeel.data.dataset import Dataset
from evenkeel.kinds.pair.schema import PairSchema, side_data
from evenkeel.kinds.pair.sides import reader_of
from evenkeel.nets import PARTS as NETS
from evenkeel.plan import Plan
from evenkeel.task import TaskChoice

WIDTH = 128  # units of a side's net without a default of its kind
OF_NET = ("net", "width", "depth", "skip", "activation", "norm", "dropout")


def pair_recipe(net: str, dataset: Dataset[PairSchema], choice: TaskChoice) -> Mapping[str, Any]:
    """Choose large batches, as the rows of a batch are each other's negatives; `width` is that of the embedding."""
    rows = len(dataset.split.train)
    drawn = rows if dataset.alike is None else len(dataset.alike[torch.from_numpy(dataset.split.train)].unique())
    return {
        "width": 64,
        "depth": 1,
        "members": None,
        "bins": None,
        "dropout": usual_dropout(dataset.schema),
        "learning_rate": 2e-3,
        "weight_decay": 0.1,
        "batch_size": int(min(max(drawn // 4, 32), 128)),
        "updates": 1000,
        "patience": 0.5,
    }


def net_of_side(
    dataset: Dataset[PairSchema], name: str, choice: TaskChoice, *, net: str, width: int | None
) -> dict[str, Any]:
    """Choose the net of a side and its settings: `net` where it reads such data, else the default of its kind."""
    from evenkeel.kinds import PARTS as KINDS

    own = side_data(dataset, name)
    kind = KINDS[own.schema.kind]
    chosen = net if net in NETS and kind.name in NETS[net].reads else kind.net
    recipe = dict(kind.recipe(chosen, own, choice))
    settings: dict[str, Any] = {"width": WIDTH, "depth": 2, "dropout": 0.1}
    settings |= {key: value for key, value in recipe.items() if key in OF_NET}
    settings |= {**recipe.get("net_options", {}), "net": chosen, **reader_of(kind.name).plan.get(chosen, {})}
    return settings if width is None else {**settings, "width": width}


def side_plan(plan: Plan, schema: PairSchema, name: str) -> Plan:
    """Make the plan of one side's net: the choices of its kind, then the user's changes for both."""
    side = schema.side(name)
    usual = {field: Plan.model_fields[field].default for field in ("activation", "norm", "skip")}
    usual["dropout"] = usual_dropout(schema)
    changed = {field: getattr(plan, field) for field in usual if getattr(plan, field) != usual[field]}
    chosen = {field: value for field, value in side.net.items() if field in Plan.model_fields}
    options = {field: value for field, value in side.net.items() if field not in Plan.model_fields}
    return plan.model_copy(update={"members": None, "bins": None, **chosen, **changed, "net_options": options})


def usual_dropout(schema: PairSchema) -> float:
    """Return the dropout that stands in the plan while each side keeps its own: the larger of the two."""
    return max(float(side.net.get("dropout") or 0.0) for side in (schema.left, schema.right))
