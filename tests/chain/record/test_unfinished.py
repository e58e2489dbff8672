from dataclasses import dataclass

import pytest
import torch

from evenkeel.chain.record.ledger import Ledger, Source
from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.statistics import numbers
from evenkeel.chain.record.unfinished import Unfinished, norm_of, rms_of, rms_of_value, value_of


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    norm: float | None = None
    rms: float | None = None
    size: float | None = None
    rows: tuple = ()


def test_fields_are_filled_when_the_ledger_is_settled_and_again_after_another_pass():
    ledger, reading = Ledger(), Reading([])
    ticket = ledger.note(torch.tensor(6.0), Source(None, "norm"))
    ledger.expect(reading)
    fields = {"norm": norm_of(reading), "rms": rms_of(reading), "size": rms_of_value(ticket, 4)}
    row = Unfinished(Row, name="a", **fields, rows=[Unfinished(Row, name="b", size=value_of(ticket))])
    for size in (2.0, 5.0):
        reading.again("exact")
        reading.add(torch.full((9,), size))
        ledger.settle(numbers(ledger.ask()))
        assert row.finish(ledger).norm == pytest.approx(3 * size) and row.finish(ledger).rms == pytest.approx(size)
        assert row.finish(ledger).size == pytest.approx(3.0) and row.finish(ledger).rows == (Row(name="b", size=6.0),)
        ledger.note_again({ticket: torch.tensor(6.0)})
    assert row.finish(ledger).rows == (Row(name="b"),), "a number that no pass has given is None"


def test_a_number_that_was_never_measured_is_none():
    row = Unfinished(Row, name="a", norm=norm_of(None), size=rms_of_value(None, 3), rms=value_of(None))
    assert row.finish(Ledger()) == Row(name="a")


def test_records_in_waiting_are_told_apart_by_identity():
    """Readings fill up while the backward pass runs: two of equal content are still two."""
    terms = [Unfinished(Row, name="w") for _ in range(2)]
    assert terms[0] != terms[1] and len(set(terms)) == 2
