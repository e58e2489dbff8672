"""The record of answers in words."""

import dataclasses

import numpy as np
import pytest

from evenkeel.heads.answers import Answers


def test_numbers_are_neither_right_nor_sure_and_nothing_changes():
    answers = Answers(truth=["1"], prediction=["2"], miss=np.array([1.0]))
    assert answers.right is None and answers.confidence is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        answers.truth = ["2"]  # type: ignore[misc]
