"""Each specimen can be built and trained, the same again for the same seed; the marks are right on known cases."""

import math
from types import SimpleNamespace

import pytest
import torch
from bench._specimens import generated
from bench._specimens.examine import Found, Verdict, examine, found_of, hits, right_cause, three_constants
from bench._specimens.healthy import HEALTHY
from bench._specimens.loops import NO_CONTEXT
from bench._specimens.marks import Share
from bench._specimens.outcomes import Outcome, lost_share
from bench._specimens.rows import ROWS
from bench._specimens.setup import forward

from evenkeel.errors import DataError
from evenkeel.finding import SYMPTOMS

SETUPS = [half for row in ROWS for half in (row.sick, row.fixed)] + HEALTHY
CAUSES = {"depth", "initialisation", "activation", "learning-rate", "optimizer", "data-scale", "target-scale"}
CAUSES |= {"output-activation", "loss-choice", "missing-normalisation", "batch-size", "numerics", "training-loop"}
CAUSES |= {"regularisation"}


def row_of(number):
    return next(row for row in ROWS if row.number == number)


def built(setup, seed=0):
    """The case, or a skip that says which folder is missing."""
    try:
        return setup.build(seed)
    except DataError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_builds_and_takes_two_steps(setup):
    state = torch.get_rng_state()
    case = built(setup)
    assert torch.equal(state, torch.get_rng_state()), "building must not touch the caller's random state"
    first = [parameter.detach().clone() for parameter in case.setup.model.parameters()]
    loss = case.loss(forward(case.setup.model, case.setup.batches[0][0]), case.setup.batches[0][1])
    assert loss.shape == ()
    setup.loop(case, 2, NO_CONTEXT)
    again = setup.build(0)
    for parameter, other in zip(first, again.setup.model.parameters(), strict=True):
        assert torch.equal(parameter, other), "the same seed must draw the same weights"
    assert math.isfinite(case.trivial)
    assert isinstance(case.score(), float)


def test_every_row_is_there_and_speaks_the_words_of_the_contract():
    assert [row.number for row in ROWS] == list(range(1, 39))
    for row in ROWS:
        assert row.symptoms <= SYMPTOMS
        assert row.causes <= CAUSES
        assert row.sick.direction == row.fixed.direction
        assert row.sick.entry == row.fixed.entry


def test_another_seed_draws_other_weights_and_another_order():
    first, second = row_of(14).fixed.build(0), row_of(14).fixed.build(1)
    assert not torch.equal(next(first.setup.model.parameters()), next(second.setup.model.parameters()))
    assert not torch.equal(first.setup.batches[0][1], second.setup.batches[0][1])


def test_three_constants_finds_a_vanished_gradient_and_not_a_sound_one():
    row = row_of(3)
    assert hits(row, examine(row.sick, 0, three_constants))
    assert not examine(row.fixed, 0, three_constants).findings


def test_a_note_is_no_alarm_unless_the_row_says_so():
    note = Verdict(findings=(Found(symptom="overfitting", severity="note", causes=("training-loop",)),), seconds=0.0)
    assert hits(row_of(33), note) and right_cause(row_of(33), note)
    assert not hits(row_of(35), note) and not right_cause(row_of(35), note)
    assert note.symptoms() == []


@pytest.mark.parametrize(
    ("cause", "causes"), [(None, ()), ("depth", ("depth",)), (["depth", "numerics"], ("depth", "numerics"))]
)
def test_findings_are_read_with_no_one_or_several_causes(cause, causes):
    finding = SimpleNamespace(symptom="no-learning", severity="critical", cause=cause, evidence={"step": 12.0})
    assert found_of(finding) == Found(symptom="no-learning", severity="critical", causes=causes, step=12)


def test_wilson_interval():
    # 8 of 10: (0.4902, 0.9433), by the closed formula worked by hand.
    low, high = Share(hits=8, count=10).interval
    assert low == pytest.approx(0.4902, abs=1e-4) and high == pytest.approx(0.9433, abs=1e-4)
    assert Share(hits=0, count=45).interval == pytest.approx((0.0, 0.0787), abs=1e-3)


def test_lost_share_is_measured_from_the_trivial_predictor():
    best, half = Outcome(score=0.9, trivial=0.1, seconds=0.0), Outcome(score=0.5, trivial=0.1, seconds=0.0)
    assert lost_share(half, best, "higher") == pytest.approx(0.5)
    assert lost_share(Outcome(score=math.nan, trivial=0.1, seconds=0.0), best, "higher") == math.inf
    low, high = Outcome(score=2.0, trivial=10.0, seconds=0.0), Outcome(score=6.0, trivial=10.0, seconds=0.0)
    assert lost_share(high, low, "lower") == pytest.approx(0.5)


def test_a_generated_definition_depends_on_its_number_alone():
    assert generated.draw(7) == generated.draw(7)
    assert generated.draw(7).key != generated.draw(8).key


@pytest.mark.parametrize("index", range(0, 60, 4))
def test_generated_set_ups_train(index):
    setup = generated.set_up(generated.draw(index))
    case = built(setup, index)
    setup.loop(case, 2, NO_CONTEXT)
    assert isinstance(case.score(), float)
