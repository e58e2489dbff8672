"""Settings of a request, sorted by whom they are for, and the plan that follows from them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from evenkeel.errors import RequestError
from evenkeel.kinds import Kind
from evenkeel.kinds.base import Prepared
from evenkeel.nets import PARTS as NETS
from evenkeel.nets.blocks import extent_of
from evenkeel.plan import Plan, make_plan
from evenkeel.shapes import Tensor


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings sorted by whom they are for, and the name of the net that these go with.

    `net` is that of the kind, unless `of_plan` names one.
    """

    of_kind: Mapping[str, Any]
    of_net: Mapping[str, Any]
    of_plan: Mapping[str, Any]
    net: str


def sort_settings(settings: Mapping[str, Any], kind: Kind, net: str | nn.Module | None, **arguments: Any) -> Settings:
    """Whose settings these are: of the kind's reading, of the net alone, or of the plan, which names what it lacks.

    Args:
        settings: by name.
        kind: of the data.
        net: as in the request: a name, a module, or nothing.
        arguments: of the request that are fields of the plan; None and what is no name is left out, settings go before.

    Raises:
        RequestError: a setting of another net alone.
    """
    name = net if isinstance(net, str) else str(settings.get("net", kind.net))
    of_kind = {key: value for key, value in settings.items() if key in kind.options.model_fields}
    rest = {key: value for key, value in settings.items() if key not in of_kind}
    own = inspect.signature(NETS[name].call).parameters
    of_net = {key: value for key, value in rest.items() if key in own and key not in Plan.model_fields}
    of_plan = {key: value for key, value in rest.items() if key not in of_net}
    for key in of_plan:
        others = [other for other, part in NETS.items() if key in inspect.signature(part.call).parameters]
        if key not in (*Plan.model_fields, "epochs") and others:
            raise RequestError(f"net {name!r} has no setting {key!r}; it is one of net {' and '.join(others)}")
    stated = {
        key: value for key, value in {**arguments, "net": net}.items() if value is not None and not callable(value)
    }
    return Settings(of_kind=of_kind, of_net=of_net, of_plan={**stated, **of_plan}, net=name)


def plan_of(kind: Kind, settings: Settings, prepared: Prepared) -> Plan:
    """The recipe of the kind for its net, with what was set laid over it."""
    dataset, choice = prepared.dataset, prepared.choice
    net = settings.net if "net" in settings.of_plan or kind.usual is None else kind.usual(dataset)
    numbers = dataset.inputs.get("numbers")
    return make_plan(
        choice.task,
        rows=len(dataset.split.train),
        numbers=numbers.shape[1] if isinstance(numbers, Tensor) else 1,
        counts=choice.counts,
        settings=settings.of_plan,
        recipe=_with_options({"net": net, **kind.recipe(net, dataset, choice)}, net, settings.of_net),
    )


def _with_options(recipe: dict[str, Any], net: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe with the net's own options; a `size` stands for a width and a depth."""
    further = {name: value for name, value in options.items() if name != "size"}
    size = options.get("size")
    recipe |= {} if size is None else vars(extent_of(NETS[net].sizes, size, None, None))
    return recipe | ({"net_options": {**recipe.get("net_options", {}), **further}} if further else {})
