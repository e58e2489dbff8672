"""The measure of delay: each onset changes a sound training, each symptom has a row, cells say what was told."""

import pytest
import torch
from bench._delay_clock import READERS, installed
from bench._delay_faults import FAULTS, NEVER, Fault
from bench._delay_measure import ONSET, Course, Told, course
from bench._delay_onsets import rate
from bench._delay_setups import SETUPS
from bench._delay_table import besides, delay_of, first_right, itself, rows_of

from evenkeel.symptoms import PARTS as SYMPTOMS


def told(step, symptom, severity="warning"):
    return Told(step=step, symptom=symptom, severity=severity)


def state_of(training):
    return [parameter.detach().clone() for parameter in training.model.parameters()]


@pytest.mark.parametrize("name", SETUPS)
def test_a_training_left_alone_learns(name):
    training = SETUPS[name]()
    losses = [training.step() for _ in range(100)]
    # NT-Xent of noisy views soon comes near its floor, so that it has least to lose.
    assert sum(losses[-10:]) < 0.98 * sum(losses[:10])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.symptom}: {fault.name}")
def test_an_onset_changes_the_steps_that_follow(fault):
    courses = []
    for spoilt in (False, True):
        torch.manual_seed(0)
        training = SETUPS[fault.setup]()
        training.step()
        if spoilt:
            fault.begin(training)
        losses = [training.step() for _ in range(3)]
        courses.append((losses, state_of(training)))
    (clean, weights), (bad, changed) = courses
    assert clean != bad or any(not torch.equal(a, b) for a, b in zip(weights, changed, strict=True))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.symptom}: {fault.name}")
def test_a_fault_speaks_the_words_of_the_contract(fault):
    assert {fault.symptom, *fault.accepted} <= set(SYMPTOMS)
    assert len(set(fault.accepted)) == len(fault.accepted)


def test_every_symptom_has_an_onset_or_a_reason():
    planted = {fault.symptom for fault in FAULTS}
    assert planted | set(NEVER) == set(SYMPTOMS)
    assert not planted & set(NEVER)
    assert rows_of("wrong-first-loss")[0][3] == NEVER["wrong-first-loss"]


def test_a_broken_loop_is_told_while_it_runs_and_not_before(monkeypatch):
    monkeypatch.setattr("bench._delay_measure.ONSET", 6)
    fault = next(fault for fault in FAULTS if fault.name == "NaN in one batch")
    found = course(fault.setup, fault.begin, 0, steps=8, seconds=0.0)
    assert [(one.step, one.symptom) for one in found.live] == [(6, "non-finite")]
    assert len(found.losses) == 8
    assert course(fault.setup, None, 0, steps=8, seconds=0.0).told() == set()


def test_the_clock_counts_waiting_and_gives_the_time_back():
    kept = [vars(module)["time"] for module in READERS]
    with installed() as clock:
        assert all(vars(module)["time"] is clock for module in READERS)
        begun = clock.perf_counter()
        clock.wait_until(begun + 100.0)
        assert 100.0 <= clock.perf_counter() - begun < 101.0
        clock.wait_until(begun)
        assert clock.perf_counter() - begun < 101.0
    assert [vars(module)["time"] for module in READERS] == kept


def test_the_same_seed_gives_the_same_training():
    first, again, other = (course("regression", rate(10), seed, steps=5, seconds=0.0).losses for seed in (0, 0, 1))
    assert first == again != other


def test_cells_count_from_the_onset_and_mark_notes_and_the_end():
    run = Course(
        live=[told(50, "oscillation"), told(ONSET + 7, "loss-spike", "note")], ended=[told(1000, "no-learning")]
    )
    assert delay_of(run, {"loss-spike"}) == "7n"
    assert delay_of(run, {"no-learning"}) == "end"
    assert delay_of(run, {"oscillation"}) == "-"


def test_a_row_keeps_apart_what_is_right_and_what_is_not():
    runs = [
        Course(live=[told(ONSET + 9, "no-learning"), told(ONSET + 9, "loss-spike"), told(ONSET + 40, "dead-units")]),
        Course(live=[told(ONSET + 60, "loss-spike"), told(ONSET + 60, "overfitting")]),
    ]
    fault = Fault(
        symptom="dead-units", name="", setup="", begin=rate(1), accepted=("no-learning", "loss-spike"), unknown="cannot"
    )
    assert itself(fault, runs) == "40, -"
    assert itself(fault, runs[1:]) == "cannot"
    assert first_right(fault, runs) == "9, 60 (loss-spike, no-learning)"
    assert besides(fault, runs) == "overfitting (1 of 2)"
