import math

import pytest

from evenkeel.chain.ledger import Ledger
from evenkeel.chain.reading import Reading
from evenkeel.chain.statistics import numbers
from evenkeel.chain.writing import Ends, Measured


def test_a_chain_without_links_is_its_ends():
    import torch

    upper, lower, rows = Reading([]), Reading([]), [Reading([], batch=2) for _ in range(2)]
    for reading, size in ((upper, 2.0), (lower, 1.0), (rows[0], 2.0), (rows[1], 1.0)):
        reading.add(torch.full((2, 3), size))
    ledger = Ledger()
    ledger.expect(upper)
    ledger.expect(lower)
    ledger.settle(numbers(ledger.ask()))
    weight = torch.zeros(3, requires_grad=True)
    chain = Measured(
        ledger=ledger,
        pending=[],
        ends=Ends(upper=upper, lower=lower, upper_rows=rows[0], lower_rows=rows[1]),
        loss=1.5,
        gradient_similarity=0.25,
        known_loss=None,
        starts_at="output",
        batch=2,
        parameters={"w": weight, "fixed": torch.zeros(1)},
        gradients={"w": None},
        unrolled={},
        spectra={},
    ).chain()
    assert chain.gradient_similarity == 0.25
    assert chain.total_gain == pytest.approx(0.5) and chain.example_gains == pytest.approx((0.5, 0.5))
    assert chain.output_gradient == pytest.approx(2 * math.sqrt(6)) and chain.output_gradient_rms == pytest.approx(2.0)
    assert chain.without_gradient == ("w",) and chain.frozen == ("fixed",)
