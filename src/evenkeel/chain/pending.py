"""A link, its terms and its branches before their gradients are known: tickets and readings instead of numbers.

`trace` turns them into frozen records when the backward pass is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evenkeel.chain.drafts import LinkDraft
from evenkeel.chain.reading import Reading
from evenkeel.chain.theory import Theory


@dataclass(eq=False, kw_only=True)
class PendingTerm:
    """A local term before its gradient is known."""

    name: str
    shape: tuple[int, ...]
    """Of the weight as the operation took it: it may have been transposed."""
    mean_square: float
    ideal_rms: float | None
    input_norm: int | None
    input_count: int
    output: Reading
    gradient: Reading | None


@dataclass(eq=False, kw_only=True)
class PendingBranch:
    """A branch before its contribution is known."""

    name: str
    kind: str
    links: list[PendingLink]
    flow: Reading | None
    above: Reading | None
    expected: float | None
    ideal: float | None


@dataclass(eq=False, kw_only=True)
class PendingLink:
    """A link before its gradients are known."""

    name: str
    kind: str
    draft: LinkDraft
    theory: Theory
    upper: Reading
    lower: Reading | None
    exact_cut: bool
    forward_norm: int | None
    forward_count: int
    similarity: int | None
    dead: int | None
    saturated: int | None
    activation: str | None
    norm: str | None
    width: int | None
    terms: list[PendingTerm]
    branches: list[PendingBranch]
    recurrent: Any = None
