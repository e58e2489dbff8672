"""Body for pairs: a net for each side, or one for both, each ending in a linear map to the space that both share.

features = (project_left(net_left(left)), project_right(net_right(right)))     of a side alone: of that side
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn, stack
from typing_extensions import override

from evenkeel.data.dataset import Dataset
from evenkeel.errors import RequestError
from evenkeel.heads.embedding import Towers
from evenkeel.kinds.base import Build, NetShape
from evenkeel.kinds.pair.read import LEFT, RIGHT
from evenkeel.kinds.pair.recipe import side_plan
from evenkeel.kinds.pair.schema import PairSchema, side_data
from evenkeel.linear import Linear
from evenkeel.nets import PARTS as NETS
from evenkeel.nets.base import Body, UsualLoss
from evenkeel.shapes import Float


class Tower(nn.Module):
    """A net and the map of its features to the shared space."""

    def __init__(self, net: nn.Module, features: int, units: int, depth: int) -> None:
        super().__init__()
        hidden = [layer for _ in range(depth - 1) for layer in (Linear(features, features, variance=2.0), nn.ReLU())]
        self.net, self.project = net, nn.Sequential(*hidden, Linear(features, units))

    @override
    def forward(self, **fields: Tensor) -> Float[Tensor, "batch unit"]:
        return self.project(self.net(**fields))


class PairBody(nn.Module):
    """Body of pairs: fields of both sides, by prefix, to features (batch, 2, unit); of one side to (batch, unit).

    Args:
        towers: one for each side, or one for both; all have as many units.
    """

    def __init__(self, towers: list[Tower]) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)

    @override
    def forward(self, **fields: Tensor) -> Float[Tensor, "batch *view unit"]:
        features = [tower(**own) for tower, own in self._sides(fields)]
        return stack(features, dim=1) if len(features) == 2 else features[0]

    def count_examples(self, inputs: Mapping[str, Tensor]) -> int:
        """Count the pairs of a batch, or the examples of one side."""
        tower, own = next(self._sides(inputs))
        count = getattr(tower.net, "count_examples", None)
        return len(next(iter(own.values()))) if count is None else count(own)

    def _sides(self, fields: Mapping[str, Tensor]) -> Iterator[tuple[Tower, dict[str, Tensor]]]:
        """Yield the tower and the fields of each side of a batch."""
        for name, tower in ((LEFT, self.towers[0]), (RIGHT, self.towers[-1])):
            prefix = f"{name}_"
            own = {key.removeprefix(prefix): value for key, value in fields.items() if key.startswith(prefix)}
            if own:
                yield tower, own  # type: ignore[misc]


def pair_body(build: Build[PairSchema]) -> Body:
    """Build a tower for each side, by the kind of that side; or around the user's nets.

    Raises:
        RequestError: a net of the user's own for sides of different kinds.
    """
    schema = build.schema
    sides, nets = _sides(schema), _own_nets(build.given, schema)
    towers = [_tower(build, name, net) for name, net in zip(sides[: len(nets)], nets, strict=True)]
    options = {"symmetric": True, "temperature": schema.temperature}
    return Body(
        module=PairBody(towers),
        features=build.plan.width,
        head={"units": build.plan.width, "projection": None, "views": 2},
        loss=UsualLoss(name="info_nce", options=options, learn=("temperature",)),
    )


def _sides(schema: PairSchema) -> tuple[str, ...]:
    return (LEFT, RIGHT) if schema.towers == 2 else (LEFT,)


def _own_nets(net: nn.Module | None, schema: PairSchema) -> list[nn.Module | None]:
    """Return the user's net of each tower, of `heads.Towers(left, right)` or one for both sides; None for ours."""
    if net is None:
        return [None] * schema.towers
    if isinstance(net, Towers):
        return list(net.nets)
    if schema.left.name != schema.right.name:
        raise RequestError(
            f"one net cannot read both sides, {schema.left.name} and {schema.right.name}; "
            "try net=ek.heads.Towers(left_net, right_net)"
        )
    return [net]


def _tower(build: Build[PairSchema], name: str, own: nn.Module | None) -> Tower:
    """Build the body of one side by its kind and the settings of its recipe, and the map to the shared space."""
    from evenkeel.kinds import PARTS as KINDS

    side = build.schema.side(name)
    plan = side_plan(build.plan, build.schema, name)
    part = None if own is not None else NETS[plan.net]
    of_side = dataclasses.replace(
        build, plan=plan, part=part, given=own, schema=side.schema_, shape=NetShape(), dataset=_data(build, name)
    )
    body = KINDS[side.name].body(of_side)
    return Tower(body.module, body.features, build.plan.width, build.plan.depth)


def _data(build: Build[PairSchema], name: str) -> Dataset[Any] | None:
    """Return the data that a tower is initialised on: its side, or both sides where it reads both."""
    if build.dataset is None:
        return None
    own = side_data(build.dataset, name)
    if build.schema.towers == 2:
        return own
    other = {f"other_{field}": value for field, value in side_data(build.dataset, RIGHT).inputs.items()}
    return dataclasses.replace(own, inputs={**own.inputs, **other})
