import math

import pytest
import torch

from evenkeel.metrics import perplexity


def plain(log_probability, target):
    """The geometric mean of 1 / p, token by token."""
    logs = [float(log_probability[i, j]) for i, j in (target != -100).nonzero().tolist()]
    return math.prod(math.exp(-one) for one in logs) ** (1 / len(logs))


def test_a_uniform_guess_hesitates_among_the_whole_vocabulary():
    logits, target = torch.zeros(3, 4, 50), torch.randint(50, (3, 4))
    logs = logits.log_softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    assert perplexity(logs, target) == pytest.approx(50, rel=1e-6)


def test_nothing_known_impossible_and_certain():
    one = torch.zeros(1, 2).long()
    assert perplexity(torch.zeros(1, 2), one) == 1
    assert perplexity(torch.full((1, 2), -math.inf), one) == math.inf == perplexity(torch.full((1, 2), -1e4), one)
    assert perplexity(torch.zeros(1, 2), one - 100) is None
    assert perplexity(torch.tensor([[-1.0, -9.0]]), torch.tensor([[1, 0]]), ignore_index=0) == pytest.approx(math.e)
