import numpy as np
import pytest

from _small import small_run
from evenkeel.run.answers import answers_of


@pytest.mark.parametrize("task", ["single-label", "multi-label"])
def test_a_confident_mistake_comes_first_and_what_is_surely_right_last(task):
    told = answers_of(small_run(task))
    assert len(told.truth) == len(told.prediction) == len(told.miss) == len(told.right)
    assert [a == b for a, b in zip(told.truth, told.prediction, strict=True)] == told.right.tolist()
    assert (told.miss[~told.right] > 0).all() and (told.miss[told.right] <= 0).all()
    assert ((told.confidence >= 0) & (told.confidence <= 1)).all()


def test_numbers_are_told_with_their_error():
    run = small_run("regression")
    told = answers_of(run)
    predicted = run.network.head.predict(run.sample["output"]).double().numpy()
    assert told.right is None and np.allclose(told.miss, np.abs(predicted - run.sample["target"].numpy()))
    assert told.prediction[0] == f"{predicted[0]:.4g}"
