from evenkeel.chain.pending import PendingTerm
from evenkeel.chain.reading import Reading


def test_records_in_waiting_are_told_apart_by_identity():
    """Readings fill up while the backward pass runs: two of equal content are still two."""
    known = {"name": "w", "shape": (2,), "mean_square": 1.0, "ideal_rms": None, "input_norm": None, "input_count": 0}
    terms = [PendingTerm(**known, output=Reading([]), gradient=None) for _ in range(2)]
    assert terms[0] != terms[1] and len(set(terms)) == 2
