"""Predictions of a run beside the truth, on the test rows that were kept."""

from __future__ import annotations

from collections.abc import Mapping

from evenkeel.network import Network
from evenkeel.page.comparisons import Comparison
from evenkeel.record import RunRecord
from evenkeel.shapes import Tensor


def predictions(record: RunRecord, network: Network, sample: Mapping[str, Tensor]) -> Comparison | None:
    """The comparison that the head draws; None where it has none, or no rows were kept."""
    if "output" not in sample:
        return None
    return network.head.compare(sample["output"], sample["target"], record.target)
