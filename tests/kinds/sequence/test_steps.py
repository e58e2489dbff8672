"""Sequences of which each step has an answer."""

import numpy as np
import polars as pl
import pytest
from torch import nn

from evenkeel.errors import RequestError
from kinds._sequences import QUICK, fit, long_table, stepwise


@pytest.mark.parametrize("net", ["rnn", "transformer"])
def test_answers_of_each_step_come_from_the_past(net):
    sequences, answers = stepwise()
    settings = {"updates": 200, "width": 32, "depth": 1, "dropout": 0.0, "learning_rate": 0.005}
    made = fit((sequences, answers), net=net, settings=settings, test=0.15)
    assert made.record.schema_.direction == "past" and made.record.schema_.answers == "step"
    assert made.evaluate((sequences, answers))["accuracy"] > 0.75  # who knows the step alone is right half the time
    whole = made.predict_proba(sequences)
    assert len(whole) == sum(map(len, sequences))
    short = [each[:4] for each in sequences]
    starts = np.cumsum([0, *map(len, sequences)])[:-1]
    expected = np.concatenate([whole[start : start + 4] for start in starts])
    np.testing.assert_allclose(made.predict_proba(short), expected, atol=1e-5)
    made.report_text()


def test_the_default_net_for_steps_is_blind_to_the_future():
    made = fit(stepwise(), settings={"updates": 5})
    assert made.plan.net == "rnn" and any("direction='both'" in note for note in made.record.notes)
    both = fit(stepwise(), net="cnn", settings={**QUICK, "updates": 5, "direction": "both"})
    assert both.record.schema_.direction == "both" and both.plan.net == "cnn"


def test_labels_and_numbers_of_each_step_and_a_long_table():
    sequences, answers = stepwise()
    labels = [np.stack([each, 1 - each], 1) for each in answers]
    made = fit((sequences, labels), settings={"updates": 5, "width": 8})
    assert made.plan.task == "multi-label" and made.predict(sequences).shape[1] == 2
    table = long_table(sequences, np.zeros(30, int)).with_columns(y=pl.Series(np.concatenate(sequences)[:, 0] + 1))
    settings = {"updates": 5, "width": 8, "series": "id", "time": "t"}
    numbers = fit(table, target="y", settings=settings)
    assert numbers.plan.task == "probabilistic-regression" and len(numbers.predict(table)) == table.height
    assert numbers.evaluate(table)["rmse"] > 0


def test_equal_lengths_and_padded_answers():
    X = np.random.default_rng(0).normal(size=(20, 6, 1))
    made = fit((X, (X[:, :, 0] > 0).astype(int)), settings={"updates": 5, "width": 8})
    assert made.record.schema_.answers == "step" and made.predict(X).shape == (120,)


class Steps(nn.Module):
    """Features of each step, from it alone or from all."""

    def __init__(self, sees="itself"):
        super().__init__()
        self.layer, self.sees = nn.Linear(1, 5), sees

    def forward(self, values, lengths=None):
        found = self.layer(values)
        return found if self.sees == "itself" else found + found.mean(1, keepdim=True)


def test_a_net_of_the_users_own_on_steps():
    made = fit(stepwise(), net=Steps(), settings={"updates": 5})
    assert made.network.head.linear.inputs == 5
    with pytest.raises(RequestError, match="change with the steps that come after it"):
        fit(stepwise(), net=Steps("all"), settings={"updates": 5})
    fit(stepwise(), net=Steps("all"), settings={"updates": 5, "direction": "both"})
