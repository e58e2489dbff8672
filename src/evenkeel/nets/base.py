"""The record that each net file ends with, and what a module before a head says of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from evenkeel.nets.blocks import Extent
from evenkeel.parts import Part

KindName = Literal["table", "image", "sequence", "text", "graph"]


@dataclass(frozen=True, kw_only=True)
class Net(Part):
    """A kind of net: the class that builds it, the kinds of data it reads, and its sizes by name."""

    call: Callable[..., nn.Module]
    reads: tuple[KindName, ...]
    sizes: Mapping[str, Extent] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UsualLoss:
    """The loss that a body is made for: options, and which of them are learned; they suit no other loss."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    learn: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Body:
    """The module from the fields of a batch to features, and what it needs of its head.

    Args:
        module: fields by name to features (batch, unit), or (member, batch, unit).
        features: units that it gives.
        members: networks of an ensemble that it is; None: one network.
        head: arguments of the head that the body decides, by the head's own names.
        loss: the usual loss, where it is not the head's.
    """

    module: nn.Module
    features: int
    members: int | None = None
    head: Mapping[str, Any] = field(default_factory=dict)
    loss: UsualLoss | None = None


def members_of(net: nn.Module) -> int | None:
    """The number of networks that a net says it is; None of one that says nothing.

    Example:
        >>> members_of(nn.Linear(3, 5)) is None
        True
    """
    members = getattr(net, "members", None)
    return members if isinstance(members, int) else None
