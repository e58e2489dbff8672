import numpy as np

from evenkeel.metrics import hamming


def plain(probability, target):
    wrong = [(p > 0.5) != (t > 0.5) for p, t in zip(probability.flatten(), target.flatten(), strict=True)]
    return sum(map(bool, wrong)) / len(wrong)


def test_each_label_counts():
    assert hamming(np.array([[0.9, 0.8, 0.1, 0.1]]), np.array([[1, 0, 0, 0]])) == 0.25
