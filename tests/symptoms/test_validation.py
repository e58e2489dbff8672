from evenkeel.symptoms.history import LossPoint
from evenkeel.symptoms.no_learning import never_below_start
from evenkeel.symptoms.overfitting import rise_after_best
from evenkeel.symptoms.validation import ValidationCurve


def curve(first, best, last):
    return ValidationCurve(first=first, best=LossPoint(step=20, loss=best), last=last)


def test_what_was_learned_and_given_back():
    assert (curve(1.0, 0.5, 0.75).learned, curve(1.0, 0.5, 0.75).given_back) == (0.5, 0.25)


def test_a_loss_that_never_fell_is_no_learning_whatever_follows():
    finding = never_below_start(curve(1.0, 0.9995, 2.0))
    assert finding is not None and finding.symptom == "no-learning"
    assert never_below_start(curve(1.0, 0.99, 2.0)) is None


def test_a_rise_of_more_than_half_of_what_was_learned_is_overfitting():
    finding = rise_after_best(curve(1.0, 0.5, 0.76))
    assert finding is not None and (finding.symptom, finding.severity) == ("overfitting", "note")
    assert rise_after_best(curve(1.0, 0.5, 0.75)) is None
