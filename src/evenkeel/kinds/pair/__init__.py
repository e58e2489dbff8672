"""Pairs: two things that belong together in each row, brought near each other by InfoNCE in both directions."""

from evenkeel.kinds.pair.kind import PAIR as PAIR

__all__ = ["PAIR"]
