"""Heads: features to output to prediction. Each file is one head; it names its task, loss, start and metrics."""

from evenkeel.heads.base import HeadPart as HeadPart
from evenkeel.parts import Registry, fill

PARTS: Registry[HeadPart] = fill(__name__, "head", globals())
