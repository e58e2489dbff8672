from typing import get_args

import pytest
import torch

from evenkeel import losses
from evenkeel.errors import RequestError
from evenkeel.losses.base import LossInput


@pytest.mark.parametrize("name", list(losses.PARTS))
def test_what_a_loss_expects_is_a_known_word(name):
    assert set(losses.PARTS[name].expects) <= set(get_args(LossInput))


@pytest.mark.parametrize("name", list(losses.PARTS))
def test_examples_follow_the_generator_and_the_dtype(name):
    make = losses.PARTS[name].example
    first, again, other = (make(4, torch.Generator().manual_seed(seed), torch.float16) for seed in (0, 0, 1))
    for one, two in zip(first.output, again.output, strict=True):
        assert torch.equal(one, two) and one.dtype == torch.float16
    assert not torch.equal(first.output[0], other.output[0])


def test_an_unknown_loss_is_answered_with_a_close_name():
    with pytest.raises(RequestError, match="no loss is called 'focl'; did you mean 'focal'"):
        losses.PARTS["focl"]
