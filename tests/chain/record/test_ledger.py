import pytest
import torch

from evenkeel.chain.record.ledger import Ledger, Source
from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.statistics import numbers

NOWHERE = Source(None, "norm")


def test_tickets_and_readings_become_numbers_together():
    ledger = Ledger()
    first, none = ledger.note(torch.tensor(2.5), NOWHERE), ledger.note(None, NOWHERE)
    silent, heard = ledger.expect(Reading([])), ledger.expect(Reading([]))
    heard.add(torch.tensor([3.0, 4.0]))
    ledger.settle(numbers(ledger.ask()))
    assert (ledger.value(first), ledger.value(none), ledger.value(None)) == (2.5, None, None)
    assert (ledger.norm(heard), ledger.norm(silent), ledger.norm(None)) == (5.0, None, None)


def test_an_empty_ledger_settles():
    ledger = Ledger()
    ledger.settle(numbers(ledger.ask()))
    assert ledger.value(None) is None


def test_a_ticket_that_is_not_noted_again_has_no_number_any_more():
    ledger = Ledger()
    old, new = (ledger.note(torch.tensor(value), NOWHERE) for value in (1.0, 2.0))
    ledger.settle(numbers(ledger.ask()))
    ledger.note_again({new: torch.tensor(5.0)})
    ledger.settle(numbers(ledger.ask()))
    assert (ledger.value(old), ledger.value(new)) == (None, 5.0)


@pytest.mark.parametrize(
    "manner, size, doubtful", [("quick", 1.0, False), ("quick", 1e-25, True), ("exact", 1e-25, False)]
)
def test_what_is_read_quickly_must_be_of_a_size_for_that(manner, size, doubtful):
    ledger = Ledger()
    reading = ledger.expect(Reading([], manner=manner))
    reading.add(torch.full((3,), size))
    ledger.settle(numbers(ledger.ask()))
    assert ledger.doubtful == doubtful
    assert doubtful or ledger.norm(reading) == pytest.approx(size * 3**0.5, rel=1e-6)
