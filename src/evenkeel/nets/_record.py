"""The record that each net file ends with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from evenkeel.parts import Part

Kind = Literal["table", "image", "sequence", "text", "graph"]


@dataclass(frozen=True, kw_only=True)
class Net(Part):
    """A kind of net: the class that builds it and the kinds of data it reads."""

    call: Callable[..., nn.Module]
    reads: tuple[Kind, ...]
