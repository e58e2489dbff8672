"""A network is a net and a head: inputs to features to output, with its loss and its prediction.

Built from a plan and a dataset; a net of the user's own takes the place of ours, as any `nn.Module` from inputs to
features. Inputs: a tensor -> net(x), a tuple -> net(*x), a mapping -> net(**x).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.data.dataset import Dataset
from evenkeel.data.schema import Frozen, Schema
from evenkeel.data.target import Target
from evenkeel.errors import RequestError
from evenkeel.heads._for_task import head_for
from evenkeel.heads._head import Head, LossChoice
from evenkeel.heads.embedding import Embedding
from evenkeel.nets import PARTS as NETS
from evenkeel.nets._embed import ROWS_FOR_EDGES, quantile_edges
from evenkeel.plan import Plan
from evenkeel.shapes import Float, Int, Tensor

Inputs = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]


class Network(nn.Module):
    """Net + head as one module.

    Args:
        net: inputs to features (batch, unit) or (member, batch, unit).
        head: features to output; it knows loss and prediction.

    Example:
        >>> from evenkeel import heads, nets
        >>> network = Network(nets.MLP(4), heads.Value(256))
        >>> network.predict(torch.zeros(3, 4)).shape
        torch.Size([3])
    """

    def __init__(self, net: nn.Module, head: Head) -> None:
        super().__init__()
        self.net, self.head = net, head

    @override
    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        return self.head(self.net(*inputs, **named))

    def output(self, inputs: Inputs) -> Tensor:
        """Output of the head for inputs in any of the three forms."""
        if isinstance(inputs, Mapping):
            return self(**inputs)
        return self(*inputs) if isinstance(inputs, tuple) else self(inputs)

    def loss(self, inputs: Inputs, target: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
        """Mean loss of a batch; a head that compares its outputs with one another (Embedding) needs no target."""
        output = self.output(inputs)
        if target is not None:
            return self.head.loss(output, target, weight)
        if not isinstance(self.head, Embedding):
            raise RequestError(f"head {type(self.head).__name__} learns from a target; pass one: loss(inputs, target)")
        return self.head.loss(output, None, weight)

    def predict(self, inputs: Inputs) -> Tensor:
        """Predictions in the target's units, without dropout and without gradients; the mode is put back after."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                return self.head.predict(self.output(inputs))
        finally:
            self.train(training)


class FlatInputs(nn.Module):
    """Numbers and categories as one matrix for a net that takes one tensor: missing as 0 with a flag, levels one-hot.

    Shapes: numbers (batch, column), categories (batch, other) -> the net's input (batch, 2·column + codes).
    """

    def __init__(self, net: nn.Module, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.net, self.levels = net, levels

    @override
    def forward(
        self, numbers: Float[Tensor, "batch column"], categories: Int[Tensor, "batch other"]
    ) -> Float[Tensor, "*lead batch unit"]:
        return self.net(flatten(numbers, categories, self.levels))


def flatten(
    numbers: Float[Tensor, "batch column"], categories: Int[Tensor, "batch other"], levels: tuple[int, ...]
) -> Float[Tensor, "batch unit"]:
    """One matrix: numbers (0 where missing), flags of missing numbers, one-hot levels."""
    missing = numbers.isnan()
    codes = [
        functional.one_hot(column.long(), count).to(numbers.dtype)
        for column, count in zip(categories.unbind(1), levels, strict=True)
    ]
    return torch.cat([numbers.masked_fill(missing, 0.0), missing.to(numbers.dtype), *codes], dim=1)


class NetShape(Frozen):
    """What a net's size owes to the data it was built for: pieces of each number column, and the flagged columns."""

    pieces: tuple[int, ...] | None
    flagged: tuple[int, ...]


def build_network(
    plan: Plan, data: Dataset, *, net: nn.Module | None = None, loss: LossChoice | None = None
) -> tuple[Network, NetShape]:
    """The network of a plan, started for the data's training rows; `plan.seed` decides its first weights."""
    rows = torch.from_numpy(data.split.train)
    numbers = data.inputs["numbers"]
    # A large table is never copied whole: some rows tell the quantiles, and missing values are sought by column.
    some = rows[:: max(1, math.ceil(len(rows) / ROWS_FOR_EDGES))]
    edges = quantile_edges(numbers[some], plan.bins) if plan.bins and net is None else None
    shape = NetShape(
        pieces=None if edges is None else tuple(max(len(edge) - 1, 0) for edge in edges),
        flagged=tuple(i for i, column in enumerate(numbers.unbind(1)) if column[rows].isnan().any()),
    )
    network = assemble(plan, data.schema, data.target_schema, shape, net=net, loss=loss, edges=edges)
    network.head.start(data.target[rows], None if data.weight is None else data.weight[rows])
    return network, shape


def assemble(
    plan: Plan,
    schema: Schema,
    target: Target,
    shape: NetShape,
    *,
    net: nn.Module | None = None,
    loss: LossChoice | None = None,
    edges: list[Tensor] | None = None,
) -> Network:
    """A network of the right sizes; without `edges` they are blank, to be filled from saved weights."""
    if edges is None and shape.pieces is not None:
        edges = [torch.zeros(count + 1) if count else torch.empty(0) for count in shape.pieces]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        if net is None:
            body: nn.Module = _own_net(plan, schema, shape, edges)
        else:
            names = inspect.signature(net.forward).parameters
            body = net if {"numbers", "categories"} <= set(names) else FlatInputs(net, schema.levels)
        members = plan.members if net is None else getattr(net, "members", None)
        return Network(body, _head(plan, target, _features(body, schema), members, loss))


def _own_net(plan: Plan, schema: Schema, shape: NetShape, edges: list[Tensor] | None) -> nn.Module:
    """Our net, sized by the plan."""
    part = NETS[plan.net]
    if "table" not in part.reads:
        able = ", ".join(name for name, other in NETS.items() if "table" in other.reads)
        raise RequestError(f"net {plan.net!r} reads {' and '.join(part.reads)} data, and this is a table; try {able}")
    return part.call(
        len(schema.numbers),
        levels=schema.levels,
        width=plan.width,
        depth=plan.depth,
        skip=plan.skip,
        activation=plan.activation,
        norm=plan.norm,
        dropout=plan.dropout,
        members=plan.members,
        edges=edges,
        flagged=shape.flagged,
    )


def _features(body: nn.Module, schema: Schema) -> int:
    """Units that the net gives, found by feeding it two empty rows."""
    known = getattr(body, "features", None)
    if isinstance(known, int):
        return known
    codes = torch.zeros(2, len(schema.categories), dtype=torch.int32)
    two = {"numbers": torch.zeros(2, len(schema.numbers)), "categories": codes}
    training = body.training
    try:
        with torch.no_grad():
            found = body.eval()(**two)
    except Exception as problem:
        columns = flatten(**two, levels=schema.levels).shape[1]
        raise RequestError(
            f"the net cannot read this table: {problem}. It is given one float tensor (batch, {columns}), or "
            "`numbers` and `categories` if its forward names them"
        ) from problem
    finally:
        body.train(training)
    if not isinstance(found, Tensor) or found.dim() not in (2, 3) or found.shape[-2] != 2:
        came = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise RequestError(f"a net must give features of shape (batch, unit), got {came} for a batch of 2")
    return found.shape[-1]


def _head(plan: Plan, target: Target, width: int, members: int | None, loss: LossChoice | None) -> Head:
    """The head of the plan's task with its loss."""
    part = head_for(plan.task)
    sizes: dict[str, Any] = {}
    if plan.task == "single-label":
        sizes["classes"] = len(target.levels)
    elif plan.task == "multi-label":
        sizes["labels"] = len(target.levels)
    elif plan.task == "positive-regression":
        sizes |= {"counts": plan.counts, "activation": plan.positive}
    chosen = loss if loss is not None else plan.loss
    options: dict[str, float] = {}
    if chosen in (None, "gaussian_nll") and plan.task == "probabilistic-regression":
        options["beta"] = plan.beta
    if chosen == "focal":
        options["gamma"] = plan.gamma
    return part.call(width, members=members, loss=chosen, options=options, **sizes)
