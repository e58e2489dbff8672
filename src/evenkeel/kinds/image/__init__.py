"""Images: one answer for each, be it a class, several labels or a number; or images like them, made from a code."""

from evenkeel.kinds.image.kind import IMAGE as IMAGE

__all__ = ["IMAGE"]
