import warnings

import numpy as np
import pytest
import torch

from _small import TARGETS, small_dataset
from evenkeel.data.dataset import SplitRequest, build_dataset, set_target_apart
from evenkeel.data.table import read_table
from evenkeel.heads import PARTS, plain_models
from evenkeel.heads.for_task import head_for
from evenkeel.kinds import PARTS as KINDS
from evenkeel.train.baselines import baseline_scores, verdict

NAMES = tuple(KINDS["table"].baselines)


@pytest.mark.parametrize("task", TARGETS)
def test_both_models_are_scored_on_the_metrics_that_need_no_distribution(task):
    found = baseline_scores(head_for(task), small_dataset(task), seed=0)
    assert tuple(found) == NAMES
    expected = [name for name in head_for(task).metrics if name not in ("nll", "crps", "coverage_90", "width_90")]
    for values in found.values():
        assert set(values) <= set(expected) and expected[0] in values
        assert all(np.isfinite(value) for value in values.values())


def test_they_beat_the_mean_on_diabetes_by_what_is_usual():
    table = set_target_apart(read_table("sample:diabetes"), "target")
    data = build_dataset(table, "number", SplitRequest())
    found = baseline_scores(head_for("regression"), data, seed=0)
    assert 0.3 < found["linear"]["r2"] < 0.65 and 0.15 < found["gradient boosting"]["r2"] < 0.65


def test_they_are_the_same_for_the_same_seed_and_leave_the_random_state_alone():
    data, part = small_dataset("single-label"), head_for("single-label")
    before = np.random.get_state()[1].tolist()
    assert baseline_scores(part, data, seed=3) == baseline_scores(part, data, seed=3)
    assert np.random.get_state()[1].tolist() == before


def test_test_rows_are_not_trained_on():
    data = small_dataset("regression")
    rows = torch.from_numpy(data.split.test)
    honest = baseline_scores(head_for("regression"), data, seed=0)
    data.target[rows] += 1000.0
    moved = baseline_scores(head_for("regression"), data, seed=0)
    assert all(moved[name]["rmse"] > 900 > honest[name]["rmse"] for name in NAMES)


def test_a_label_that_is_constant_in_training_is_predicted_by_its_frequency():
    data = small_dataset("multi-label")
    data.target[:, 1] = 0.0
    found = baseline_scores(head_for("multi-label"), data, seed=0)
    assert set(found) == set(NAMES) and found["linear"]["hamming"] < 0.3


def test_a_class_that_training_lacks_is_given_probability_zero():
    data = small_dataset("single-label")
    known = np.concatenate([data.split.train, data.split.validation])
    absent = torch.from_numpy(known)[data.target[torch.from_numpy(known)] == 2]
    data.target[absent] = 1
    found = baseline_scores(head_for("single-label"), data, seed=0)
    assert found["linear"]["accuracy"] < 1


def test_very_many_classes_leave_the_trees_out(monkeypatch):
    monkeypatch.setattr(plain_models, "MOST_CLASSES", 2)
    assert list(baseline_scores(head_for("single-label"), small_dataset("single-label"), seed=0)) == ["linear"]


def test_without_test_rows_there_are_none():
    assert baseline_scores(head_for("regression"), small_dataset("regression", test=0.0), seed=0) == {}


def test_warnings_of_a_yardstick_are_no_news():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        baseline_scores(PARTS["single_label"], small_dataset("single-label", rows=40), seed=0)


def test_the_verdict_names_the_winner_with_its_numbers():
    theirs = {"linear": {"rmse": 5.0}, "gradient boosting": {"rmse": 4.0}}
    assert verdict({"rmse": 3.0}, theirs, "rmse") == (
        "The network is ahead of both plain models on the test rows; the nearest, gradient boosting, has "
        "rmse 4 against 3."
    )
    assert verdict({"rmse": 6.0}, theirs, "rmse") == (
        "A plain gradient boosting model does better on the test rows: rmse 4 against 6. Consider using it, or "
        "report this case."
    )
    higher = {"linear": {"accuracy": 0.9}}
    assert verdict({"accuracy": 0.8}, higher, "accuracy").startswith("A plain linear model does better")
    assert verdict({}, theirs, "rmse") == verdict({"rmse": 1.0}, {}, "rmse") == ""
