from evenkeel.chain.meter import Reading
from evenkeel.chain.pending import PendingTerm
from evenkeel.chain.values import Weight


def test_records_in_waiting_are_told_apart_by_identity():
    """Readings fill up while the backward pass runs: two of equal content are still two."""
    import torch

    weight = Weight(name="w", tensor=torch.ones(2), position=0)
    terms = [
        PendingTerm(weight=weight, ideal_rms=None, input_norm=None, input_count=0, output=Reading([]), gradient=None)
        for _ in range(2)
    ]
    assert terms[0] != terms[1] and len(set(terms)) == 2
