"""Nets: inputs to features. Each file is one kind of net, usable alone as an `nn.Module`."""

from evenkeel.parts import Registry, fill

PARTS: Registry = fill(__name__, "net", globals())
