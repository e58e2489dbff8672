"""Nets that read sequences: one vector for each sequence, or one for each of its real steps."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from typing_extensions import override

from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build
from evenkeel.kinds.body import build_net, features_of, takes
from evenkeel.kinds.sequence.schema import AnswersPer, SequenceSchema
from evenkeel.nets.base import Body, members_of
from evenkeel.shapes import Float, Int, Tensor

STEP_INPUTS = "`values` (batch, step, channel), and `lengths` (batch,) if its forward names them"
PROBED = 8  # steps of the batch on which a net of the user's own is tried
TOLERANCE = 1e-4  # of features that should not have changed, as a share of their size


class SequenceBody(nn.Module):
    """Run a net over steps, and pick the features that answers are made from.

    Args:
        net: values (batch, step, channel), and lengths (batch,) where its forward takes them, to features
            (batch, unit); or (batch, step, unit) where each step has an answer.
        answers: `example` or `step`.

    Shapes: values and lengths -> (batch, unit), or (real steps of all examples together, unit).

    Example:
        >>> from evenkeel import nets
        >>> body = SequenceBody(nets.RNN(3, width=8, pooling=None), "step")
        >>> body(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
        torch.Size([7, 8])
    """

    def __init__(self, net: nn.Module, answers: AnswersPer) -> None:
        super().__init__()
        self.net, self.answers = net, answers
        self.takes_lengths = "lengths" in inspect.signature(net.forward).parameters

    @override
    def forward(
        self, values: Float[Tensor, "batch step channel"], lengths: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "*lead unit"]:
        if lengths is not None and not self.takes_lengths:
            raise RequestError(
                "these sequences are of unequal length, and the net's forward takes no `lengths`, so that it cannot "
                "tell padding from steps; add the argument lengths (batch,), or cut the sequences to one length"
            )
        features = self.net(values) if lengths is None else self.net(values, lengths=lengths)
        if self.answers == "example":
            return features
        if lengths is None:
            return features.flatten(-3, -2)
        real = torch.arange(values.shape[1], device=values.device) < lengths.to(values.device).unsqueeze(1)
        return features[..., real, :]


class Ensemble(nn.Module):
    """Several nets of one kind, each with first weights of its own, on the same input.

    Shapes: as the nets, with the member first: (member, batch, unit) or (member, batch, step, unit).

    Example:
        >>> from evenkeel import nets
        >>> Ensemble([nets.RNN(3, width=8) for _ in range(4)])(torch.zeros(2, 5, 3)).shape
        torch.Size([4, 2, 8])
    """

    def __init__(self, nets: Sequence[nn.Module]) -> None:
        super().__init__()
        self.nets, self.features = nn.ModuleList(nets), nets[0].features

    @override
    def forward(
        self, values: Float[Tensor, "batch step channel"], lengths: Int[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "member batch *step unit"]:
        return torch.stack([net(values, lengths) for net in self.nets])


def sequence_body(build: Build[SequenceSchema]) -> Body:
    """Build our net by the plan, as an ensemble where the plan has members, or take the user's.

    Raises:
        RequestError: a net that knows the future where it must not, reads other data, or gives no features.
    """
    schema = build.schema
    sizes = _sizes(build, schema)
    members = build.plan.members if build.given is None else None
    nets = [build_net(build, "sequence", **sizes) for _ in range(members or 1)]
    net = nets[0] if members is None else Ensemble(nets)
    body = SequenceBody(net, schema.answers)
    known = getattr(net, "features", None)
    features = known if isinstance(known, int) else _probed(body, build, schema)
    if build.given is not None and schema.answers == "step" and schema.direction == "past":
        _refuse_sight(body, schema)
    return Body(module=body, features=features, members=members if build.given is None else members_of(net))


def _sizes(build: Build[SequenceSchema], schema: SequenceSchema) -> dict[str, Any]:
    """Arguments of our nets that the data decide."""
    sizes: dict[str, Any] = {"channels": schema.inputs}
    if schema.answers == "step":
        sizes["pooling"] = None
    if takes(build, "direction"):
        sizes["direction"] = schema.direction
    elif schema.direction == "past" and build.part is not None and "sequence" in build.part.reads:
        raise RequestError(
            f"a {build.part.name} looks to both sides of each step, and here only the past may be known; try net='rnn' "
            "or 'transformer', or settings={'direction': 'both'} where the later steps are known when predicting"
        )
    if takes(build, "dimensions"):
        sizes["dimensions"] = 1
    return sizes


def _batch(build: Build[SequenceSchema], schema: SequenceSchema) -> dict[str, Tensor]:
    """Two sequences for a trial: with lengths where the data have them."""
    batch: dict[str, Tensor] = {"values": torch.zeros(2, PROBED, schema.inputs)}
    if build.dataset is not None:
        values = build.dataset.inputs["values"].index_select(0, torch.zeros(2, dtype=torch.int64))
        batch = {"values": values}
        if "lengths" in build.dataset.inputs:
            batch["lengths"] = torch.full((2,), values.shape[1])
    return batch


def _probed(body: SequenceBody, build: Build[SequenceSchema], schema: SequenceSchema) -> int:
    """Number of features of a net of the user's own, measured on a small batch."""
    batch = _batch(build, schema)
    if schema.answers == "example":
        return features_of(body, batch, STEP_INPUTS)
    steps = 2 * batch["values"].shape[1]
    net = _StepRows(body)
    return features_of(net, {"first": torch.zeros(steps, 1), **batch}, f"{STEP_INPUTS}, and gives (batch, step, unit)")


class _StepRows(nn.Module):
    """Present a body as one whose rows are steps: `first` sets their number."""

    def __init__(self, body: SequenceBody) -> None:
        super().__init__()
        self.body = body

    @override
    def forward(self, first: Tensor, **batch: Tensor) -> Tensor:
        return self.body(**batch)


def _refuse_sight(body: SequenceBody, schema: SequenceSchema) -> None:
    """Refuse a net whose features of a step change with the steps after it."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(1, PROBED, schema.inputs, generator=generator)
    later = torch.cat([values[:, : PROBED // 2], torch.randn(1, PROBED // 2, schema.inputs, generator=generator)], 1)
    training = body.training
    body.eval()
    try:
        with torch.no_grad():
            first, second = (body(each)[: PROBED // 2] for each in (values, later))
    finally:
        body.train(training)
    if (first - second).abs().max() > TOLERANCE * first.abs().max():
        raise RequestError(
            "the net's features of a step change with the steps that come after it; where an answer may know the past "
            "alone this is looking it up. Try a net that reads forwards only, or settings={'direction': 'both'} where "
            "the later steps are known when predicting"
        )
