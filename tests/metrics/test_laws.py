"""What every metric promises, tested for every file of the folder."""

import importlib
import inspect

import pytest
import torch

from evenkeel import metrics
from evenkeel.errors import ShapeError

NAMES = list(metrics.PARTS)
ROWS = 40


def _example(name, rows=ROWS, seed=0):
    return metrics.PARTS[name].example(rows, torch.Generator().manual_seed(seed))


def _regrouped(name, order):
    """The same prediction and target with their rows picked and reordered."""
    prediction, target = _example(name)
    if not torch.is_tensor(prediction):
        return type(prediction)(prediction.mean[order], prediction.stddev[order]), target[order]
    return prediction[order], target[order]


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_the_plain_formula(name):
    prediction, target = _example(name)
    plain = importlib.import_module(f"metrics.test_{name}").plain
    found = metrics.PARTS[name].call(prediction, target)
    assert type(found) is float
    assert found == pytest.approx(plain(prediction, target), rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_does_not_matter(name):
    order = torch.randperm(ROWS)
    again = metrics.PARTS[name].call(*_regrouped(name, order))
    assert again == pytest.approx(metrics.PARTS[name].call(*_example(name)), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if metrics.PARTS[name].rows == "independent"])
def test_a_weight_is_as_good_as_copies_of_the_row(name):
    copies = torch.randint(0, 4, (ROWS,))
    repeated = metrics.PARTS[name].call(*_regrouped(name, torch.arange(ROWS).repeat_interleave(copies)))
    assert metrics.PARTS[name].call(*_example(name), copies.double()) == pytest.approx(repeated, rel=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if metrics.PARTS[name].rows == "joint"])
def test_where_rows_are_compared_a_weight_counts_by_its_share(name):
    part, weight = metrics.PARTS[name], torch.rand(ROWS, dtype=torch.float64)
    plain = part.call(*_example(name))
    assert part.call(*_example(name), torch.full((ROWS,), 3.0)) == pytest.approx(plain, rel=1e-12)
    weighted = part.call(*_example(name), weight)
    assert part.call(*_example(name), 3 * weight) == pytest.approx(weighted, rel=1e-9)
    assert weighted != pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_are_as_good_as_tensors_and_nothing_is_changed(name):
    prediction, target = _example(name)
    before = target.clone()
    found = metrics.PARTS[name].call(prediction, target)
    given = prediction.numpy() if torch.is_tensor(prediction) else prediction
    assert metrics.PARTS[name].call(given, target.numpy()) == found
    assert torch.equal(target, before)


@pytest.mark.parametrize("name", NAMES)
def test_a_weight_of_another_length_is_refused(name):
    with pytest.raises(ShapeError, match=r"weight must be one number per row, 40 of them, got shape \(3,\)"):
        metrics.PARTS[name].call(*_example(name), torch.ones(3))


@pytest.mark.parametrize("name", NAMES)
def test_all_are_called_alike(name):
    part = metrics.PARTS[name]
    positional = [p.name for p in inspect.signature(part.call).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional[1:] == ["target", "weight"] and part.call.__name__ == name and part.summary
