"""The record that each net file ends with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from evenkeel.parts import Part


@dataclass(frozen=True, kw_only=True)
class Net(Part):
    """A kind of net: the class that builds it and the kind of data it reads."""

    call: Callable[..., nn.Module]
    reads: Literal["table", "image", "sequence", "text", "graph"]
