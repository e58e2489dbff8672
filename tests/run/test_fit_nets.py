"""What is said of the net in a call of `fit`: its size by name, its type, one of it where several have no mean."""

import numpy as np
import pytest
from torch import nn

from _small import small_table
from _unchecked import unchecked
from evenkeel.errors import RequestError
from evenkeel.run.fit import fit


@pytest.mark.parametrize("net, came", [(2, "got int"), (nn.Linear, r"got the class Linear; give Linear\(\.\.\.\)")])
def test_a_net_is_a_name_or_a_module(net, came):
    with unchecked(), pytest.raises(RequestError, match=f"net must be a name .*{came}"):
        fit(small_table("regression"), target="height", net=net)


def test_a_size_by_name_is_width_and_depth_unless_these_are_said():
    waves = np.random.default_rng(0).normal(size=(40, 6, 2)).astype(np.float32)
    settings = {"updates": 2, "size": "small"}
    plan = fit((waves, np.arange(40) % 2), net="rnn", progress=False, settings=settings).plan
    assert (plan.width, plan.depth) == (128, 2) and "size" not in plan.net_options
    plan = fit((waves, np.arange(40) % 2), net="rnn", progress=False, settings={**settings, "width": 8}).plan
    assert (plan.width, plan.depth) == (8, 2)
    with pytest.raises(RequestError, match="no size is called 'huge'; there are: small, base"):
        fit((waves, np.arange(40) % 2), net="rnn", progress=False, settings={"size": "huge"})


@pytest.mark.parametrize("data", ["waves", "texts"])
def test_points_come_from_one_network_where_a_recipe_has_several(data):
    label = np.arange(40) % 2
    waves = np.random.default_rng(0).normal(size=(40, 6, 2)).astype(np.float32)
    given = (
        waves if data == "waves" else [f"film {number} was {'good' if number % 2 else 'bad'}" for number in range(40)]
    )
    run = fit((given, label), task="embedding", progress=False, settings={"updates": 3})
    assert run.plan.members is None and run.embed(given[:3]).shape == (3, run.network.head.units)
