"""The record that each net file ends with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from evenkeel.nets.blocks import Extent
from evenkeel.parts import Part

Kind = Literal["table", "image", "sequence", "text", "graph"]


@dataclass(frozen=True, kw_only=True)
class Net(Part):
    """A kind of net: the class that builds it, the kinds of data it reads, and its sizes by name."""

    call: Callable[..., nn.Module]
    reads: tuple[Kind, ...]
    sizes: Mapping[str, Extent] = field(default_factory=dict)
