"""The reference learns what can be learned, and no more."""

import itertools

import pytest
import torch
from torch.nn import functional

from doctor._setups import blobs, line
from evenkeel.doctor.bounds import constant_loss
from evenkeel.doctor.reference import reachable_loss
from evenkeel.doctor.working_copy import order

STEPS = 100


def reached(batches: list, loss, shape: tuple[int, ...]) -> tuple[float, float]:
    """Losses of the best constant and of the reference."""
    outputs = [torch.zeros(len(x), *shape) for x, _ in batches]
    targets = [y for _, y in batches]
    constant = constant_loss(outputs, targets, loss, None)
    assert constant is not None
    numbers = list(itertools.islice(order(len(batches), 0), STEPS))
    found = reachable_loss(
        [x for x, _ in batches], outputs, targets, loss, constant=constant[1], limit=None, order=numbers, seed=0
    )
    assert found is not None
    return constant[0], found


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_it_learns_a_line_whatever_the_targets_scale(scale: float) -> None:
    constant, found = reached(line(scale=scale), functional.mse_loss, (1,))
    assert found < 0.1 * constant


def test_it_learns_blobs() -> None:
    constant, found = reached(blobs(), functional.cross_entropy, (3,))
    assert found < 0.3 * constant


def test_shuffled_labels_teach_it_next_to_nothing() -> None:
    other = torch.randperm(32, generator=torch.Generator().manual_seed(1))
    batches = [(x, y[other]) for x, y in blobs(1024)]
    constant, found = reached(batches, functional.cross_entropy, (3,))
    assert found > 0.9 * constant


def test_tokens_are_read_position_by_position_without_the_future() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(5, (64, 9), generator=generator)
    x, y = tokens[:, :-1], tokens[:, 1:]
    outputs, loss = [torch.zeros(64, 8, 5)], lambda o, t: functional.cross_entropy(o.flatten(0, 1), t.flatten())
    constant = constant_loss(outputs, [y], loss, None)
    assert constant is not None
    numbers = [0] * 40
    found = reachable_loss([x], outputs, [y], loss, constant=constant[1], limit=None, order=numbers, seed=0)
    assert found is not None and found > 0.8  # the next of random tokens is known only to who looks ahead


def test_inputs_that_are_no_rows_have_no_reference() -> None:
    found = reachable_loss(
        [{"count": 3}],  # no tensor at all
        [torch.zeros(5, 2)],
        [torch.zeros(5, dtype=torch.long)],
        functional.cross_entropy,
        constant=torch.zeros(2),
        limit=None,
        order=[0],
        seed=0,
    )
    assert found is None


def test_a_smaller_last_batch_is_no_hindrance() -> None:
    x, y = blobs()[0]
    constant, found = reached([(x, y), (x[:5], y[:5])], functional.cross_entropy, (3,))
    assert found < constant
