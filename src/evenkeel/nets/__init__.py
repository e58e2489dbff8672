"""Nets: inputs to features. Each file is one kind of net, usable alone as an `nn.Module`."""

from evenkeel.nets.base import Net as Net
from evenkeel.parts import Registry, fill

PARTS: Registry[Net] = fill(__name__, "net", globals())
