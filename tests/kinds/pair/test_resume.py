"""Pairs: an interrupted training goes on to the same bits, and one seed gives one network."""

from functools import cache

import numpy as np
import pytest

import evenkeel as ek
from _interrupt import interrupt_at
from _small import same
from evenkeel.errors import DataError, RequestError
from evenkeel.run.run import CHECKPOINT

FAST = {"updates": 20, "evaluations": 4, "patience": 9.0}


def numbers(rows=120, seed=0):
    """Two views of four hidden causes."""
    generator = np.random.default_rng(seed)
    cause = generator.normal(size=(rows, 4))
    mix = np.random.default_rng(9).normal(size=(2, 4, 4))
    return cause @ mix[0], np.tanh(cause @ mix[1][:, :3])


def fitted(**options):
    return ek.fit(numbers(), kind="pair", progress=False, settings=FAST, **options)


@cache
def whole():
    return fitted()


@pytest.mark.parametrize("update", [1, 8])
def test_an_interrupted_training_goes_on_to_the_same_bits(update, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, update)
        part = fitted(out=tmp_path / "run")
    assert part.record.ended == "SIGINT" and part.history[-1].update == update
    assert (tmp_path / "run" / CHECKPOINT).is_dir()
    again = fitted(out=tmp_path / "run")
    assert same(again.network.state_dict(), whole().network.state_dict())
    assert again.metrics == whole().metrics and again.record.ended == "budget"
    assert not same(part.network.state_dict(), whole().network.state_dict())


def test_one_seed_gives_one_network():
    assert same(fitted().network.state_dict(), whole().network.state_dict())
    assert not same(fitted(seed=1).network.state_dict(), whole().network.state_dict())


def test_a_side_is_never_guessed():
    left, right = numbers(5)
    with pytest.raises(DataError, match="does not say which side it is"):
        whole().embed(left)
    with pytest.raises(DataError, match=r"training saw a left side of 4 column\(s\), got 7 columns"):
        whole().embed({"left": np.zeros((2, 7))})
    assert whole().embed((left, right)).shape == (5, 2, 64)


def test_a_thing_and_itself_are_no_pair():
    frame = {"s1": ["a", "b"] * 20, "s2": ["c", "d"] * 20}
    with pytest.raises(RequestError, match="column 's1' is named twice for the sides of the pairs"):
        ek.fit(frame, kind="pair", progress=False, settings={"left": "s1", "right": "s1"})
