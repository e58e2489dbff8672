"""The chain of back-propagation, at the first step and at the last one that was looked at."""

from __future__ import annotations

from evenkeel.chain import Chain
from evenkeel.page import Section
from evenkeel.record import RunRecord

MOMENTS = (
    ("The chain at the first step", "Before anything is learned theory and measurement should agree."),
    ("The chain late in training", "Weights align with what they learn; theory speaks of the first step only."),
)


def chains(record: RunRecord) -> list[Section]:
    """A figure of each chain with its total gain."""
    return [
        Section(title=title, svg=chain.figure(title=title), caption=_caption(chain, words))
        for chain, (title, words) in zip(record.chains, MOMENTS, strict=False)
    ]


def _caption(chain: Chain, words: str) -> str:
    if chain.total_gain is None:
        return words
    ideal = "" if chain.ideal_gain is None else f" (ideal {chain.ideal_gain:.2g})"
    return f"From output to input the gradient is multiplied by {chain.total_gain:.2g}{ideal}. {words}"
