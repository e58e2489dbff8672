import pytest
from torch import nn

from evenkeel.errors import RequestError
from evenkeel.heads import Latent, Tokens, Value
from evenkeel.kinds.latent_head import check_writes, latent_of


def test_only_a_head_of_tokens_writes():
    check_writes(Tokens(4, vocabulary=5), 3)
    with pytest.raises(RequestError, match="a run for regression by Value writes no text; train on a text for that"):
        check_writes(Value(4), 3)
    with pytest.raises(RequestError, match="length must be 0 or more tokens, got -1"):
        check_writes(Tokens(4, vocabulary=5), -1)


def test_only_a_latent_head_has_a_latent_space():
    head = Latent(4, units=2, decoder=nn.Linear(2, 3))
    assert latent_of(head) is head
    with pytest.raises(RequestError, match="a run for regression by Value has no latent space"):
        latent_of(Value(4))
