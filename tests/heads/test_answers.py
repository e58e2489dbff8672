"""Answers in words, as heads give them."""

import dataclasses

import numpy as np
import pytest

from _small import small_run
from evenkeel.heads.answers import Answers


def answers_of(run):
    return run.network.head.answers(run.sample["output"], run.sample["target"], run.record.target)


def test_numbers_are_neither_right_nor_sure_and_nothing_changes():
    answers = Answers(truth=["1"], prediction=["2"], miss=np.array([1.0]))
    assert answers.right is None and answers.confidence is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        answers.truth = ["2"]  # type: ignore[misc]


@pytest.mark.parametrize("task", ["single-label", "multi-label"])
def test_a_confident_mistake_comes_first_and_what_is_surely_right_last(task):
    answers = answers_of(small_run(task))
    assert len(answers.truth) == len(answers.prediction) == len(answers.miss) == len(answers.right)
    assert [a == b for a, b in zip(answers.truth, answers.prediction, strict=True)] == answers.right.tolist()
    assert (answers.miss[~answers.right] > 0).all() and (answers.miss[answers.right] <= 0).all()
    assert ((answers.confidence >= 0) & (answers.confidence <= 1)).all()


def test_numbers_are_given_with_their_error():
    run = small_run("regression")
    answers = answers_of(run)
    predicted = run.network.head.predict(run.sample["output"]).double().numpy()
    assert answers.right is None and np.allclose(answers.miss, np.abs(predicted - run.sample["target"].numpy()))
    assert answers.prediction[0] == f"{predicted[0]:.4g}"
