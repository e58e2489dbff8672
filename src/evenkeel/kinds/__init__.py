"""Kinds of data: each file says how one kind is recognised, read and encoded, and which net reads it by default."""

from evenkeel.kinds.base import Kind as Kind
from evenkeel.parts import Registry, fill

PARTS: Registry[Kind] = fill(__name__, "kind of data", globals())
