import torch

from evenkeel.chain.ledger import Ledger
from evenkeel.chain.meter import Reading


def test_tickets_and_readings_become_numbers_together():
    ledger = Ledger()
    first, none = ledger.note(torch.tensor(2.5)), ledger.note(None)
    silent, heard = ledger.expect(Reading([])), ledger.expect(Reading([]))
    heard.add(torch.tensor([3.0, 4.0]))
    ledger.settle()
    assert (ledger.value(first), ledger.value(none), ledger.value(None)) == (2.5, None, None)
    assert (ledger.norm(heard), ledger.norm(silent), ledger.norm(None)) == (5.0, None, None)


def test_an_empty_ledger_settles():
    ledger = Ledger()
    ledger.settle()
    assert ledger.value(None) is None
