"""What a report shows of the examples themselves: one picture of all rows by the head, or some by their kind."""

from __future__ import annotations

from collections.abc import Mapping

from evenkeel.kinds.base import Shown
from evenkeel.network import Network
from evenkeel.page import Section
from evenkeel.record import SHOWN, RunRecord
from evenkeel.shapes import Tensor


def pictures(record: RunRecord, network: Network, sample: Mapping[str, Tensor]) -> list[Section]:
    """One picture of all rows by the head, or else some examples by their kind; none where nothing was kept."""
    output, target, answers = sample.get("output"), sample.get("target"), None
    if output is not None and target is not None:
        if network.head.embeds == "output":
            return _present(network.head.picture(output, target, record.target))
        answers = network.head.answers(output, target, record.target)
    shown = Shown(
        schema=record.schema_,
        head=network.head,
        network=network,
        tensors={name.removeprefix(SHOWN): each.numpy() for name, each in sample.items() if name.startswith(SHOWN)},
        output=output,
        target=target,
        answers=answers,
    )
    return _present(record.kind.pictures(shown))


def _present(section: Section | None) -> list[Section]:
    return [] if section is None else [section]
