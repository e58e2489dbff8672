"""Sequences of numbers, of equal or unequal length: one answer for each sequence, or one for each of its steps."""

from evenkeel.kinds.sequence.kind import SEQUENCE as SEQUENCE

__all__ = ["SEQUENCE"]
