"""Texts: classes and numbers of texts and of pairs of texts, and generation from one plain text."""

from evenkeel.kinds.text.kind import TEXT as TEXT

__all__ = ["TEXT"]
