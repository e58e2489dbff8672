import math

import pytest
import torch

from evenkeel.errors import ShapeError
from evenkeel.metrics import bits_per_character, perplexity


def plain(log_probability, target):
    """Token by token."""
    kept = (target != -100).nonzero().tolist()
    return sum(-math.log2(math.exp(float(log_probability[i, j]))) for i, j in kept) / len(kept)


def test_of_single_characters_it_is_the_logarithm_of_perplexity():
    logs, target = torch.rand(4, 5, dtype=torch.float64).log(), torch.randint(7, (4, 5))
    assert bits_per_character(logs, target) == pytest.approx(math.log2(perplexity(logs, target)))


def test_long_tokens_share_their_bits():
    logs, target = torch.tensor([[-1.0, -2.0, -3.0]]), torch.tensor([[0, 2, -100]])
    found = bits_per_character(logs, target, characters=torch.tensor([1, 9, 4]))
    assert found == pytest.approx(3 / math.log(2) / 5)
    weighted = bits_per_character(
        logs.repeat(2, 1), target.repeat(2, 1), torch.tensor([1.0, 2.0]), characters=torch.tensor([1, 9, 4])
    )
    assert weighted == pytest.approx(found)


def test_no_character_has_no_bits_and_an_unknown_token_is_refused():
    assert bits_per_character(torch.zeros(1, 1), torch.tensor([[-100]])) is None
    assert bits_per_character(torch.zeros(1, 1), torch.tensor([[0]]), characters=torch.zeros(1)) is None
    for token in (3, -1):
        with pytest.raises(ShapeError, match=rf"each token of the vocabulary, got 3 of them, and tokens {token}"):
            bits_per_character(torch.zeros(1, 1), torch.tensor([[token]]), characters=torch.ones(3))
