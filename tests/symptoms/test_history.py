from dataclasses import FrozenInstanceError, replace

import pytest

from symptoms._made import chain, history, link, look
from symptoms._runs import adam, blobs, cross_entropy, mlp, run


def test_chains_are_those_of_the_looks():
    seen = chain(link("0"))
    assert history(look(1, None), look(4, seen)).chains == (seen,)


def test_the_first_chain_is_that_of_the_first_weights():
    first, later = chain(link("0")), chain(link("1"))
    assert history(look(1, first), look(4, later)).first is first
    assert history(look(1, None), look(4, later)).first is None


def test_is_a_value():
    with pytest.raises(FrozenInstanceError):
        history().steps = 2
    assert history() == history() != replace(history(), skipped=1)


def test_a_run_fills_it():
    model = mlp([2, 8, 3])
    seen = run(model, cross_entropy, blobs(), adam(model), 20)
    assert [each.step for each in seen.looks] == [1, 2, 4, 8, 16, 20]
    assert len(seen.losses) == 20 and len(seen.chains) == 6
    assert all(each.carried == 0 for each in seen.looks)
    assert {each.name for each in seen.looks[0].parameters} == set(dict(model.named_parameters()))
