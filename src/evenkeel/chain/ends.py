"""The two ends of a chain: the gradient where it begins and where it arrives, and that of each example."""

from __future__ import annotations

from dataclasses import dataclass

from evenkeel.chain.graph.drafts import LinkDraft
from evenkeel.chain.graph.meter import Meter
from evenkeel.chain.graph.places import Graph
from evenkeel.chain.record.ledger import Ledger
from evenkeel.chain.record.reading import Reading


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The readings at the upper end (dL/dy) and the lower end of a chain; `rows` where there is one value to read."""

    upper: Reading
    lower: Reading
    upper_rows: Reading | None
    lower_rows: Reading | None

    def example_gains(self) -> tuple[float, ...]:
        """For each example, gradient norm at the lower end over that at the upper one; empty where not read."""
        above = None if self.upper_rows is None else self.upper_rows.rows
        below = None if self.lower_rows is None else self.lower_rows.rows
        if above is None or below is None or above.shape != below.shape or self.upper.manner == "quick":
            return ()
        return tuple((below.double() / above.double()).nan_to_num(0.0).tolist())


def read_ends(graph: Graph, drafts: list[LinkDraft], meter: Meter, ledger: Ledger, batch: int | None) -> Ends:
    """Announce what is to be read at both ends."""
    tops, bottom = graph.places[0].below, _bottom(graph, drafts)
    return Ends(
        upper=ledger.expect(meter.total(tops)),
        lower=ledger.expect(meter.total(bottom)),
        upper_rows=meter.rows(tops[0], batch) if len(tops) == 1 else None,
        lower_rows=meter.rows(bottom[0], batch) if len(bottom) == 1 else None,
    )


def _bottom(graph: Graph, drafts: list[LinkDraft]) -> list[int]:
    """The places whose gradient is the chain's lower end: the inputs, else the first value that takes a gradient."""
    first = next((draft for draft in drafts if draft.passed is not None), None)
    if first is None:
        return drafts[0].entries if drafts else list(graph.places[0].below)
    if first.lower != graph.sink:
        return [first.lower]
    return [number for number in first.exits if graph.places[number].entry]
