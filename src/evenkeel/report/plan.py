"""The network of a run and the recipe it was trained by."""

from __future__ import annotations

from torch import nn

from evenkeel.network import Network
from evenkeel.page import PlanSection, ShownLayer, ShownSetting
from evenkeel.plan import is_read
from evenkeel.record import RunRecord

SIZES = ("outputs", "units", "out_features", "out_channels", "embedding_dim", "num_features")  # how layers name them

OPTIONS = {"net_options", "head_options", "loss_options"}  # of parts, by their own names
APART = {"task", "net", "head", "loss", *OPTIONS}  # shown on lines of their own


def plan(record: RunRecord, network: Network) -> PlanSection:
    """Task, net, head and loss; layers with their parameters; the settings that this run reads."""
    return PlanSection(
        task=record.plan.task,
        net=record.net_text,
        head=record.head.summary,
        loss=record.loss_text,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        layers=[
            ShownLayer(name=name, shape=_shape(module), parameters=sum(p.numel() for p in module.parameters()))
            for name, module in network.named_modules()
            if not list(module.children()) and list(module.parameters())
        ],
        settings=_settings(record),
    )


def _settings(record: RunRecord) -> list[ShownSetting]:
    """The settings that this run reads: none of our nets beside a caller's own, of another task, loss or kind."""
    recipe, kind = record.plan, record.schema_.kind
    run = {"task": recipe.task, "loss": recipe.loss, "kind": kind, "net": record.net, "head": recipe.head}
    read = {name for name in type(recipe).model_fields if is_read(name, **run)}
    settings = {**recipe.model_dump(include=read - APART), **recipe.net_options}
    settings |= {**recipe.head_options, **recipe.loss_options}
    return [ShownSetting(name=name.replace("_", " "), value=str(value)) for name, value in settings.items()]


def _shape(module: nn.Module) -> str:
    """The size of a layer's output, as far as its own numbers tell."""
    for name in SIZES:
        if isinstance(getattr(module, name, None), int):
            members = getattr(module, "members", None)
            return f"{members} × {getattr(module, name)}" if members else str(getattr(module, name))
    return ""
