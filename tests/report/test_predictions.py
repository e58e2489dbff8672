"""Predictions of the kept test rows beside the truth."""

import numpy as np
import pytest
import torch

from _small import TARGETS, small_run
from evenkeel.page.comparisons import ClassesSection, LabelsSection, RegressionSection
from report._runs import described


@pytest.mark.parametrize("task", TARGETS)
def test_each_head_has_its_comparison(task):
    run = small_run(task)
    kinds = {"number": RegressionSection, "class": ClassesSection, "labels": LabelsSection}
    assert isinstance(described(run).predictions, kinds[run.part.target])


def test_predictions_are_those_of_the_kept_test_rows():
    run = small_run("probabilistic-regression")
    shown = described(run).predictions
    np.testing.assert_allclose(shown.truth, run.sample["target"].numpy())
    inside = (shown.truth >= shown.lower) & (shown.truth <= shown.upper)
    assert inside.mean() == pytest.approx(run.metrics["coverage_90"])
    assert ((shown.pit >= 0.05) & (shown.pit <= 0.95)).mean() == pytest.approx(run.metrics["coverage_90"])
    plain = described(small_run("regression")).predictions
    assert plain.lower is None and plain.pit is None


def test_the_confusion_counts_every_kept_row():
    run = small_run("single-label")
    shown = described(run).predictions
    assert shown.names == ["high", "low", "middle"] and shown.confusion.sum() == len(run.sample["target"])
    assert shown.confusion.trace() / shown.confusion.sum() == pytest.approx(run.metrics["accuracy"])
    assert shown.confusion.sum(1).tolist() == torch.bincount(run.sample["target"], minlength=3).tolist()


def test_each_label_has_its_precision_and_recall():
    run = small_run("multi-label")
    shown = described(run).predictions.labels[0]
    said = run.network.head.predict(run.sample["output"])[:, 0].numpy()
    there = run.sample["target"][:, 0].numpy() > 0.5
    assert shown.name == "wet" and shown.base_rate == pytest.approx(there.mean())
    assert shown.precision == pytest.approx((said & there).sum() / said.sum())
    assert shown.recall == pytest.approx((said & there).sum() / there.sum())
