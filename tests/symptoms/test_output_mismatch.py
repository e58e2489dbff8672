import dataclasses
import math

import pytest
from torch import nn

from evenkeel.symptoms import output_mismatch
from evenkeel.symptoms.history import History, LossPoint, Start
from symptoms._runs import adam, blobs, cross_entropy, mlp, of_classes, run

SOFTMAX_FLOOR = math.log(1 + 2 / math.e)
"""Cross-entropy of three classes with probabilities 1, 0, 0 taken for logits."""
SOFTMAX = dataclasses.replace(
    of_classes(3), output_floor=SOFTMAX_FLOOR, free_floor=0.0, output_operation="softmax", reachable_loss=0.05
)


def history(start, loss=1.0):
    points = tuple(LossPoint(step=step, loss=loss) for step in range(1, 41))
    return History(optimizer="adaptive", steps=40, losses=points, start=start)


def test_softmax_before_cross_entropy_never_gets_below_the_floor_it_is_told():
    model = nn.Sequential(*mlp([2, 32, 3]), nn.Softmax(1))
    seen = run(model, cross_entropy, blobs(), adam(model, 1e-2), 200, start=SOFTMAX, looks=(1,))
    assert min(point.loss for point in seen.losses) > SOFTMAX_FLOOR
    (found,) = output_mismatch(seen)
    assert (found.severity, found.cause, found.where) == ("warning", "output-activation", "output")
    assert found.sentence == (
        "No outputs of `softmax` bring the loss below 0.551: 50% of what can be gained "
        "on a constant guess is out of reach."
    )


def test_a_linear_output_is_silent():
    model = mlp([2, 32, 3])
    start = dataclasses.replace(SOFTMAX, output_floor=0.0, output_operation=None)
    assert output_mismatch(run(model, cross_entropy, blobs(), adam(model, 1e-2), 60, start=start, looks=(1,))) == ()


@pytest.mark.parametrize(
    ("operation", "floor", "severity"),
    [("tanh", 480.0, "critical"), ("relu", 20.0, "warning"), ("sigmoid", 5.0, None), ("softplus", 0.0, None)],
)
def test_the_share_out_of_reach_is_the_severity(operation, floor, severity):
    start = Start(loss=500.0, constant_loss=80.0, free_floor=0.0, output_floor=floor, output_operation=operation)
    found = output_mismatch(history(start))
    assert [each.severity for each in found] == ([] if severity is None else [severity])
    assert all(each.cause == "output-activation" for each in found)


def test_a_floor_below_zero_is_measured_from_the_free_floor():
    start = Start(loss=3.0, constant_loss=1.0, free_floor=-3.0, output_floor=-2.8, output_operation="softplus")
    assert output_mismatch(history(start)) == ()
    assert output_mismatch(history(dataclasses.replace(start, output_floor=0.0)))[0].severity == "critical"


def test_a_complaint_is_passed_on_with_the_numbers():
    start = dataclasses.replace(SOFTMAX, complaint="Cross-entropy takes logits, and the output is already a softmax")
    (found,) = output_mismatch(history(start))
    assert found.sentence == (
        "Cross-entropy takes logits, and the output is already a softmax. No outputs of `softmax` bring the loss below "
        "0.551: 50% of what can be gained on a constant guess is out of reach."
    )


def test_a_complaint_alone_is_a_warning_unless_the_network_learns_well():
    start = Start(loss=1.25, complaint="The target has values below 0, the loss takes counts.")
    (found,) = output_mismatch(history(start))
    assert (found.severity, found.cause) == ("critical", "loss-choice"), "a flat loss is harm by itself"
    assert found.sentence == "The target has values below 0, the loss takes counts. The first loss is 1.25."
    known = dataclasses.replace(start, constant_loss=1.0, reachable_loss=0.2)
    assert output_mismatch(history(known, loss=0.2))[0].severity == "note"
    short = dataclasses.replace(history(start), steps=2, losses=history(start).losses[:2])
    assert output_mismatch(short)[0].severity == "warning"


def test_padding_that_counts_is_the_loss():
    start = Start(loss=4.2, complaint="The loss counts padding.", padded=0.9, output_operation="softmax")
    assert output_mismatch(history(start))[0].cause == "loss-choice"
