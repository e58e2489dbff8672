"""How blind a chain has become to its input: two links and how alike the features of different inputs are at each."""

from __future__ import annotations

from dataclasses import dataclass

from evenkeel.chain import Chain, Link
from evenkeel.symptoms.stretch import blocked, finite, has_weights

ALIKE = 0.97
"""Similarity of the last features above which what tells inputs apart is learned over 30 times slower than the rest."""
FALL = 10.0
"""How many times smaller the difference is after the chain than after its first link: less is the data's own doing."""


@dataclass(frozen=True, kw_only=True)
class Blindness:
    """Two links of one chain: the first with a similarity, and that whose features the output is made from."""

    first: Link
    last: Link
    between: tuple[Link, ...]
    seen: float
    """Similarity after the first link."""
    left: float
    """Similarity of the last features."""


def blindness(chain: Chain) -> Blindness | None:
    """The shape itself: alike at the end, far less so at the beginning. None without it, or where a layer is dead."""
    links = list(chain.links)
    while links and not has_weights(links[-1]):
        links.pop()
    features = [link for link in links[:-1] if finite(link.similarity) is not None]
    if len(features) < 2 or any(blocked(link) for link in links):
        return None
    first, last = features[0], features[-1]
    seen, left = finite(first.similarity) or 0.0, finite(last.similarity) or 0.0
    if left <= ALIKE or 1 - seen < FALL * (1 - left):
        return None
    between = tuple(links[: links.index(last) + 1])
    return Blindness(first=first, last=last, between=between, seen=seen, left=min(left, 1.0))
