"""Training engines: each file says one way to the loss and the gradients of a batch, and for which networks it is."""

from collections.abc import Sequence

from torch import nn

from evenkeel.network import Network
from evenkeel.parts import Registry, fill
from evenkeel.train.engines.base import Engine as Engine
from evenkeel.train.engines.base import EnginePart as EnginePart
from evenkeel.train.engines.base import Shapes as Shapes

PARTS: Registry[EnginePart] = fill(__name__, "engine", globals())


def engine_for(network: Network, parameters: Sequence[nn.Parameter], shapes: Shapes = "fixed") -> Engine:
    """The fastest engine for a network: of those that fit, the one with the lowest rank."""
    fitting = [part for part in PARTS.values() if part.fits(network, parameters, shapes)]
    return min(fitting, key=lambda part: part.rank).call(network, parameters)
