import copy

import pytest
import torch

from _small import small_dataset, small_network, small_plan
from evenkeel.heads.for_task import head_for
from evenkeel.train.importance import _shuffled, importance
from evenkeel.train.loop import Loop, Watchers


@pytest.fixture(scope="module")
def trained():
    """A network that has learned that `signal` and `town` decide the height, and the data."""
    torch.manual_seed(0)
    data = small_dataset("regression")
    network = small_network("regression", data)
    Loop(network, data, small_plan("regression", updates=300, learning_rate=1e-2), device=torch.device("cpu")).run(
        Watchers()
    )
    return network, data


def test_informative_columns_come_first_and_noise_counts_for_nothing(trained):
    network, data = trained
    found = importance(network, head_for("regression"), data, seed=0)
    assert [each.column for each in found] == ["signal", "town", "noise"]
    assert found[0].drop > 2 and found[1].drop > 0.2, "in units of the target: rmse without the column"
    assert abs(found[2].drop) < 0.1


def test_it_is_the_metric_that_gets_worse_either_way_round(trained):
    """For accuracy, where higher is better, an important column has a positive drop too."""
    data = small_dataset("single-label")
    network = small_network("single-label", data)
    Loop(network, data, small_plan("single-label", updates=200, learning_rate=1e-2), device=torch.device("cpu")).run(
        Watchers()
    )
    found = {each.column: each.drop for each in importance(network, head_for("single-label"), data, seed=0)}
    assert found["town"] > 0.1 and found["signal"] > 0.1 and abs(found["noise"]) < 0.1


def test_features_of_one_column_are_shuffled_together_and_others_stay():
    """As the parts of a date are: otherwise one part would give away what the other lost."""
    inputs = {"numbers": torch.randn(30, 3), "categories": torch.arange(30)[:, None]}
    order = torch.randperm(30)
    changed = _shuffled(inputs, [("numbers", 0), ("numbers", 2), ("categories", 0)], order)
    assert torch.equal(changed["numbers"][:, [0, 2]], inputs["numbers"][order][:, [0, 2]])
    assert torch.equal(changed["numbers"][:, 1], inputs["numbers"][:, 1])
    assert torch.equal(changed["categories"], inputs["categories"][order])


def test_the_data_are_not_changed(trained):
    network, data = trained
    before = copy.deepcopy(dict(data.inputs))
    importance(network, head_for("regression"), data, seed=0)
    assert all(torch.equal(before[name].nan_to_num(9), value.nan_to_num(9)) for name, value in data.inputs.items())


def test_the_same_seed_gives_the_same_numbers(trained):
    network, data = trained
    part = head_for("regression")
    assert importance(network, part, data, seed=1) == importance(network, part, data, seed=1)
    assert importance(network, part, data, seed=1) != importance(network, part, data, seed=2)


def test_without_test_rows_the_validation_rows_serve_and_without_both_there_is_none():
    part = head_for("regression")
    data = small_dataset("regression", test=0.0)
    assert len(importance(small_network("regression", data), part, data, seed=0)) == 3
    data = small_dataset("regression", test=0.0, validation=0.0)
    assert importance(small_network("regression", data), part, data, seed=0) == []
