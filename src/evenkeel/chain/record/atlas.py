"""Where the numbers of a measurement come from, by place in the graph: found again in every graph of the same shape.

The nodes of a graph are numbered as a walk from the loss comes to them. A value of the forward pass is found among what
nodes saved for the backward pass, or among the outputs of the model; one that nobody keeps is not found again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from evenkeel.chain.record.ledger import Source
from evenkeel.chain.record.statistics import Summary, sample, summarise_samples
from evenkeel.chain.record.values import Value, address
from evenkeel.chain.record.wiring import Wiring

_OUTPUTS = -1
"""Stands for the model's outputs where a node's number is expected."""


_ALIASES = dict.fromkeys(("ReshapeAliasBackward0", "UnsafeViewBackward0"), "ViewBackward0")
"""Which of the three a reshape becomes depends on whether it is recorded."""


class _Spot(NamedTuple):
    """A tensor by its place: what a node saved under a name, or an output; in the form in which the value was used."""

    node: int
    name: str
    number: int
    form: tuple[int, ...]


class Atlas:
    """The map of one graph.

    Args:
        top: the node of the loss.
        outputs: of the model.
        sources: of the ledger's tickets, while their values live.
        wiring: what is read in the backward pass, by node.
        names: of the parameters, by `id`.

    Example:
        >>> import torch
        >>> layer, x = torch.nn.Linear(3, 1), torch.randn(5, 3)
        >>> atlas = Atlas(layer(x).sum().grad_fn, [], {}, Wiring(), {})
        >>> [node.name() for node in atlas.nodes(layer(x).sum().grad_fn)][:2]
        ['SumBackward0', 'AddmmBackward0']
        >>> atlas.nodes(layer(x).mean().grad_fn) is None
        True
    """

    def __init__(
        self,
        top: Any,
        outputs: Sequence[Tensor],
        sources: Mapping[int, Source],
        wiring: Wiring,
        names: Mapping[int, str],
    ) -> None:
        self._names = names
        nodes, self._shape = _walk(top, names)
        self.wiring = wiring.numbered({node: number for number, node in enumerate(nodes)})
        spots = _kept(nodes, outputs)
        tensors = {memory: tensor for memory, (_, tensor) in spots.items()}
        self._entries: dict[_Spot, list[tuple[int, Source]]] = {}
        for ticket, source in sources.items():
            value = source.value
            tensor = None if value is None else value.among(tensors)
            if value is not None and tensor is not None and _same_order(value, tensor):
                spot = spots[_memory(tensor)][0]._replace(form=value.shape)
                self._entries.setdefault(spot, []).append((ticket, source._replace(value=None)))

    def nodes(self, top: Any) -> list[Any] | None:
        """The nodes of another graph by number, or None where it has another shape."""
        nodes, shape = _walk(top, self._names)
        return nodes if shape == self._shape else None

    def read(self, nodes: Sequence[Any], outputs: Sequence[Tensor], batch: int | None) -> dict[int, Tensor]:
        """The numbers behind the tickets whose values are found in that graph, as 0-d tensors.

        Size, similarity and saturation are those of a sample.
        """
        tensors = {spot: tensor for spot in self._entries if (tensor := _take(spot, nodes, outputs)) is not None}
        samples = [sample(tensor, batch) for tensor in tensors.values()]
        summaries = summarise_samples(samples)
        read: dict[int, Tensor] = {}
        for (spot, whole), (part, _), summary in zip(tensors.items(), samples, summaries, strict=True):
            for ticket, source in self._entries[spot]:
                number = _number(source, whole, part, summary)
                if number is not None:
                    read[ticket] = number
        return read


def _number(source: Source, whole: Tensor, part: Tensor, summary: Summary) -> Tensor | None:
    if source.read == "norm":
        return summary.norm
    if source.read == "similarity":
        return summary.similarity
    return source.read(whole if source.examples == "all" else part)


def _walk(top: Any, names: Mapping[int, str]) -> tuple[list[Any], list[object]]:
    """All nodes in the order of a walk from the top, and the shape: what each is, and what it leads to."""
    nodes, numbers, shape = [top], {top: 0}, []
    for node in nodes:
        edges = []
        for below, slot in node.next_functions:
            if below is not None and below not in numbers:
                numbers[below] = len(nodes)
                nodes.append(below)
            edges.append((numbers.get(below), slot))
        variable = None if edges else getattr(node, "variable", None)
        name = node.name()
        shape.append((_ALIASES.get(name, name), edges, None if variable is None else names.get(id(variable))))
    return nodes, shape


def _kept(nodes: Sequence[Any], outputs: Sequence[Tensor]) -> dict[tuple[int | None, int], tuple[_Spot, Tensor]]:
    """Every tensor that a node saved, and the outputs, by the memory they lie in."""
    attributes: dict[type, list[str]] = {}
    spots: dict[tuple[int | None, int], tuple[_Spot, Tensor]] = {}
    for number, output in enumerate(outputs):
        spots.setdefault(_memory(output), (_Spot(_OUTPUTS, "", number, ()), output))
    for number, node in enumerate(nodes):
        kind = type(node)
        if kind not in attributes:
            attributes[kind] = [name for name in dir(node) if name.startswith("_saved_")]
        for name in attributes[kind]:
            tensor = _saved(node, name)
            if tensor is not None:
                spots.setdefault(_memory(tensor), (_Spot(number, name, 0, ()), tensor))
    return spots


def _memory(tensor: Tensor) -> tuple[int | None, int]:
    return address(tensor), tensor.numel()


def _saved(node: Any, name: str) -> Tensor | None:
    """What a node saved under a name, if that is a tensor that is still as it was."""
    try:
        value = getattr(node, name)
    except RuntimeError:
        return None
    return value if isinstance(value, Tensor) and value.numel() else None


def _same_order(value: Value, kept: Tensor) -> bool:
    """Whether what is kept is the value, or a view with its entries in the same order."""
    tensor = value.tensor
    if tensor is None:
        return kept.is_contiguous()
    alike = kept.shape == tensor.shape and kept.stride() == tensor.stride()
    return kept.dtype == tensor.dtype and (alike or (kept.is_contiguous() and tensor.is_contiguous()))


def _take(spot: _Spot, nodes: Sequence[Any], outputs: Sequence[Tensor]) -> Tensor | None:
    """The tensor at a place, or None where it is not as expected this time."""
    if spot.node == _OUTPUTS:
        tensor = outputs[spot.number] if spot.number < len(outputs) else None
    else:
        tensor = _saved(nodes[spot.node], spot.name)
    if tensor is None or tensor.numel() != math.prod(spot.form):
        return None
    return tensor.detach().view(spot.form)
