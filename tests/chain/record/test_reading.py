import pytest
import torch
from torch.nn.functional import cosine_similarity

from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.statistics import FEW


@pytest.mark.parametrize("manner", ["exact", "quick"])
def test_a_reading_adds_squares(manner):
    reading = Reading([], manner=manner)
    assert reading.norm is None
    reading.add(torch.tensor([3.0]))
    reading.add(torch.tensor([4.0]))
    assert reading.norm.item() == 5.0 and reading.count == 2


@pytest.mark.parametrize("manner, examples", [("exact", 100), ("quick", FEW)])
def test_single_examples_are_those_of_the_batch_or_the_first_of_them(manner, examples):
    gradient = torch.randn(100, 6) + 0.5
    reading = Reading([], batch=100, manner=manner)
    reading.add(gradient)
    assert reading.norm.item() == pytest.approx(gradient.norm().item(), rel=1e-6)
    assert torch.allclose(reading.rows.float(), gradient[:examples].norm(dim=1))
    alike = cosine_similarity(gradient[:examples, None], gradient[None, :examples], dim=-1)
    wanted = alike[~torch.eye(examples, dtype=torch.bool)].mean().item()
    assert reading.similarity.item() == pytest.approx(wanted, abs=1e-5)


def test_squares_that_float32_loses_are_kept_by_an_exact_reading():
    tiny = torch.full((4,), 1e-25)
    exact, quick = Reading([]), Reading([], manner="quick")
    for reading in (exact, quick):
        reading.add(tiny)
    assert exact.norm.item() == pytest.approx(2e-25) and quick.norm.item() == 0.0


def test_again_forgets_everything_but_the_batch():
    reading = Reading([], batch=2)
    reading.add(torch.ones(2, 3))
    reading.again("quick")
    assert (reading.norm, reading.count, reading.rows, reading.similarity) == (None, 0, None, None)
    assert reading.batch == 2 and reading.manner == "quick"


def test_readings_are_told_apart_by_identity():
    """They fill up while the backward pass runs: two of equal content are still two."""
    readings = [Reading([]) for _ in range(2)]
    assert readings[0] != readings[1] and len(set(readings)) == 2
