import numpy as np
import pytest

from evenkeel.data.dataset import SplitRequest
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.sequence.recipe import MEMBERS, SHORT, median_steps, sequence_recipe, usual_net
from evenkeel.plan import make_plan

KIND = PARTS["sequence"]


def prepared(rows=40, steps=5, answers="example", **options):
    X = np.random.default_rng(0).normal(size=(rows, steps, 1))
    y = np.arange(rows) % 2 if answers == "example" else np.tile(np.arange(steps) % 2, (rows, 1))
    asked = DataRequest(split=SplitRequest(test=0.0), options=KIND.options(**options))
    return KIND.prepare((X, y), asked)


@pytest.mark.parametrize("rows", [12, 300, 3000])
@pytest.mark.parametrize("net", ["cnn", "rnn", "transformer", "mlp"])
def test_makes_a_plan_for_any_size(net, rows):
    found = prepared(rows)
    recipe = sequence_recipe(net, found.dataset, found.choice)
    plan = make_plan("single-label", rows=rows, recipe=recipe, settings={"net": net})
    assert plan.members == (None if rows == 3000 else MEMBERS) and plan.bins is None
    assert plan.keep == ("best" if rows == 3000 else "last")
    assert 16 <= plan.batch_size <= 128 and plan.updates >= 500


def test_a_longer_budget_for_more_sequences_and_the_best_look_for_steps():
    few, many = (sequence_recipe("rnn", found.dataset, found.choice) for found in (prepared(40), prepared(40000)))
    assert many["updates"] > few["updates"]
    steps = prepared(answers="step")
    assert sequence_recipe("rnn", steps.dataset, steps.choice)["keep"] == "best"
    assert sequence_recipe("rnn", steps.dataset, steps.choice)["members"] == MEMBERS, "few, whatever is answered"


def test_recurrent_where_it_is_short_or_blind_to_the_future():
    assert usual_net(prepared(steps=SHORT).dataset) == "rnn"
    assert usual_net(prepared(steps=SHORT + 1).dataset) == "cnn"
    assert usual_net(prepared(steps=SHORT + 1, direction="past").dataset) == "rnn"
    assert usual_net(prepared(steps=SHORT + 1, answers="step").dataset) == "rnn"


def test_the_usual_length_of_unequal_ones():
    sequences = [np.ones((length, 1)) for length in (3, 9, 4)] * 4
    asked = DataRequest(split=SplitRequest(test=0.0), options=KIND.options())
    assert median_steps(KIND.prepare((sequences, np.arange(12) % 2), asked).dataset) == 4
    assert median_steps(prepared(steps=7).dataset) == 7
