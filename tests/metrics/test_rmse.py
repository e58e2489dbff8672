import numpy as np

from evenkeel.metrics import rmse


def plain(prediction, target):
    return np.sqrt(np.mean((prediction.numpy() - target.numpy()) ** 2))


def test_several_columns_count_alike():
    assert rmse(np.array([[0.0, 2.0]]), np.array([[0.0, 0.0]])) == np.sqrt(2)
