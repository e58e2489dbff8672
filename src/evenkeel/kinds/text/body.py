"""Nets over texts: a bag of pieces or tokens in their order, alone, in pairs, or with an answer at every step.

one text     features = net(text)
a pair       features = [mix(|u - v|, u·v, cosines), cosines],   u and v by the same net
a stream     features of every step, from those before it
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from evenkeel.data.dataset import Dataset
from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build
from evenkeel.kinds.body import build_net, features_of, takes
from evenkeel.kinds.text.pieces import Pieces
from evenkeel.kinds.text.schema import TextSchema
from evenkeel.linear import Linear
from evenkeel.nets.base import Body, members_of
from evenkeel.nets.mlp import Plain, Residual
from evenkeel.plan import Plan
from evenkeel.shapes import Float, Int, Tensor

TIED_FROM = 1000  # tokens: a smaller vocabulary has few weights to save (LOG.md)
PROBED = 8  # steps on which a net of the user's own is tried, to see whether it looks ahead
TOLERANCE = 1e-4  # of the largest feature
TOKEN_INPUTS = "`tokens` (batch, step), whole numbers, and `lengths` (batch,) if its forward takes two arguments"


class Stack(nn.Module):
    """A linear map and the blocks of an MLP: (batch, units) -> (batch, width), or (member, batch, width)."""

    def __init__(self, units: int, plan: Plan) -> None:
        super().__init__()
        self.features, self.members = plan.width, plan.members
        kind = Residual if plan.skip == "residual" else Plain
        options = (plan.activation, plan.norm, plan.dropout, plan.members)
        self.first = Linear(units, plan.width, members=plan.members)
        self.blocks = nn.ModuleList(kind(plan.width, *options, share=1.0 / plan.depth) for _ in range(plan.depth))
        self.dropout = plan.dropout

    @override
    def forward(self, read: Float[Tensor, "*lead batch unit"]) -> Float[Tensor, "*more batch width"]:
        hidden = self.first(functional.dropout(read, self.dropout, self.training))
        for block in self.blocks:
            hidden = block(hidden)
        return functional.relu(hidden)


class BagBody(nn.Module):
    """Pieces of each text, added up, then an MLP."""

    def __init__(self, pieces: Pieces, plan: Plan) -> None:
        super().__init__()
        self.pieces, self.stack = pieces, Stack(pieces.units, plan)
        self.features, self.members = plan.width, plan.members

    @override
    def forward(self, pieces: Int[Tensor, "place"], counts: Int[Tensor, "batch"]) -> Float[Tensor, "*lead batch unit"]:
        return self.stack(self.pieces(pieces, counts))

    def count_examples(self, inputs: Mapping[str, Tensor]) -> int:
        """Number of examples in a batch."""
        return len(inputs["counts"])


class BagPairs(nn.Module):
    """Two texts by the same vectors; the cosines of tf-idf stand beside what is learned of both."""

    def __init__(self, pieces: Pieces, plan: Plan) -> None:
        super().__init__()
        self.pieces, self.stack = pieces, Stack(2 * pieces.units + pieces.kinds + 1, plan)
        self.features, self.members = plan.width + pieces.kinds + 1, plan.members

    @override
    def forward(
        self,
        pieces: Int[Tensor, "place"],
        counts: Int[Tensor, "batch"],
        other_pieces: Int[Tensor, "other"],
        other_counts: Int[Tensor, "batch"],
    ) -> Float[Tensor, "*lead batch unit"]:
        left, right = self.pieces.weigh(pieces, counts), self.pieces.weigh(other_pieces, other_counts)
        known = self.pieces.cosines(left, right, len(counts))
        return compared(self.pieces.sum(left, counts), self.pieces.sum(right, other_counts), known, self.stack)

    def count_examples(self, inputs: Mapping[str, Tensor]) -> int:
        """Number of examples in a batch."""
        return len(inputs["counts"])


class OrderBody(nn.Module):
    """Tokens of each text by a net over steps; of pairs both by the same."""

    def __init__(self, net: nn.Module, features: int, plan: Plan | None) -> None:
        super().__init__()
        self.net, self.both = net, _takes_two(net)
        self.stack = None if plan is None else Stack(2 * features + 1, plan)
        self.features = features if plan is None else plan.width + 1

    @override
    def forward(
        self,
        tokens: Int[Tensor, "batch step"],
        lengths: Int[Tensor, "batch"],
        other_tokens: Int[Tensor, "batch other"] | None = None,
        other_lengths: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "batch unit"]:
        features = self.net(tokens, lengths) if self.both else self.net(tokens)
        if other_tokens is None or self.stack is None:
            return features
        other = self.net(other_tokens, other_lengths) if self.both else self.net(other_tokens)
        return compared(features, other, features.new_empty(len(features), 0), self.stack)


class StreamBody(nn.Module):
    """Tokens of one text after the other to features of every step."""

    def __init__(self, net: nn.Module, features: int) -> None:
        super().__init__()
        self.net, self.features = net, features

    @override
    def forward(self, tokens: Int[Tensor, "batch step"]) -> Float[Tensor, "batch step unit"]:
        return self.net(tokens)


def compared(u: Tensor, v: Tensor, known: Tensor, stack: Stack) -> Float[Tensor, "*lead batch unit"]:
    """Compare two vectors (batch, unit) by distance, product and cosines, symmetrically in (u, v)."""
    size = math.sqrt(u.shape[-1])
    cosines = torch.cat([functional.cosine_similarity(u, v, dim=-1).unsqueeze(-1), known], dim=-1)
    lengths = [functional.normalize(each, dim=-1) * size for each in (u, v)]
    mixed = stack(torch.cat([(lengths[0] - lengths[1]).abs(), lengths[0] * lengths[1], cosines], dim=-1))
    centred = (2 * cosines - 1).expand(*mixed.shape[:-1], -1)
    return torch.cat([mixed, centred], dim=-1)


def _takes_two(net: nn.Module) -> bool:
    """Whether a net reads lengths beside tokens."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in kinds for each in inspect.signature(net.forward).parameters.values()) > 1


class TokenNet(nn.Module):
    """Call a net by the position of its arguments, whatever their names."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.both = net, _takes_two(net)

    @override
    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        return self.net(tokens, lengths) if self.both else self.net(tokens)


def _units(net: nn.Module, description: str) -> int:
    """Number of features: the net's own attribute, or as measured on a small batch."""
    if isinstance(getattr(net, "features", None), int):
        return net.features  # type: ignore[return-value]
    return features_of(
        TokenNet(net), {"tokens": torch.zeros(2, 2, dtype=torch.int32), "lengths": torch.tensor([2, 1])}, description
    )


def text_body(build: Build[TextSchema]) -> Body:
    """Build the body that suits how the texts were read, with our net or the user's.

    Raises:
        RequestError: a net over steps where the order was not kept, or the other way round.
    """
    schema = build.schema
    if schema.window is not None:
        return _stream_body(build, schema)
    if (schema.bag is None) != (build.given is not None or build.plan.net != "mlp"):
        read = "in their order" if schema.bag is None else "as bags"
        raise RequestError(f"these texts were read {read}; net='mlp' reads bags, others tokens in their order")
    if schema.bag is None:
        return _order_body(build, schema)
    pieces = Pieces(schema.bag, build.plan.width, build.plan.dropout)
    if build.dataset is not None:
        _start(pieces, build.dataset)
    body = BagBody(pieces, build.plan) if len(schema.text) == 1 else BagPairs(pieces, build.plan)
    return Body(module=body, features=body.features, members=body.members)


def _start(pieces: Pieces, dataset: Dataset[TextSchema]) -> None:
    """Set the rarity of the pieces from the training texts."""
    rows = torch.from_numpy(dataset.split.train)
    fields = [field for name, field in dataset.inputs.items() if name.endswith("pieces")]
    pieces.start(torch.cat([field.index_select(0, rows) for field in fields]), len(fields) * len(rows))


def _order_body(build: Build[TextSchema], schema: TextSchema) -> Body:
    sizes = {"vocabulary": schema.tokens.size} | ({"longest": schema.longest} if takes(build, "longest") else {})
    net = build_net(build, "text", **sizes)
    single = build.plan.model_copy(update={"members": None})  # only bags are read by several members
    body = OrderBody(net, _units(net, TOKEN_INPUTS), single if len(schema.text) > 1 else None)
    return Body(module=body, features=body.features, members=members_of(net))


def _stream_body(build: Build[TextSchema], schema: TextSchema) -> Body:
    """Build a net that sees the past alone; the head shares its tokens where there are many of them."""
    size = schema.tokens.size
    net = build_net(build, "text", vocabulary=size, direction="past", pooling=None)
    body = StreamBody(net, _units(net, "`tokens` (batch, step), whole numbers, and must give (batch, step, unit)"))
    if build.given is not None:
        _refuse_sight(body, size)
    first = getattr(net, "input", None)
    tied = size >= TIED_FROM and isinstance(first, nn.Embedding) and first.weight.shape == (size, body.features)
    head = {"characters": schema.tokens.characters(), "tied": first if tied else None}
    return Body(module=body, features=body.features, members=members_of(net), head=head)


def _refuse_sight(body: StreamBody, vocabulary: int) -> None:
    """Refuse a net of the user's own without features of every step, or whose features depend on later tokens.

    Raises:
        RequestError: it gives others, or they change with later tokens.
    """
    tokens = torch.arange(PROBED, dtype=torch.int32).unsqueeze(0) % vocabulary
    later = torch.cat([tokens[:, : PROBED // 2], tokens[:, : PROBED // 2].flip(1)], dim=1)
    training = body.training
    body.eval()
    try:
        with torch.no_grad():
            first, second = body.net(tokens), body.net(later)
    finally:
        body.train(training)
    if first.shape != (1, PROBED, body.features):
        raise RequestError(
            f"a net that continues a text must give features of every step, (batch, step, unit), got "
            f"{tuple(first.shape)} for {PROBED} steps of one text"
        )
    known = slice(PROBED // 2)
    if (first[:, known] - second[:, known]).abs().max() > TOLERANCE * first.abs().max():
        raise RequestError(
            "the net's features of a step change with the tokens that come after it, so it would look up what it is to "
            "predict; try a net that reads forwards only"
        )
