import dataclasses

import pytest

from evenkeel.symptoms.history import History, LossPoint, Observation, ParameterLook
from evenkeel.symptoms.steps import long, lost, restless, short, short_descent, skipped, slow, step_size, stopped


def parameter(name="0.weight", *, update=1e-3, weight=0.1, gradient=0.01, moved=1.0, size=100):
    return ParameterLook(name=name, size=size, weight_rms=weight, gradient_rms=gradient, update_rms=update, moved=moved)


def history(*looks, optimizer="adaptive", losses=(1.0,) * 100, **more):
    points = tuple(LossPoint(step=step, loss=loss) for step, loss in enumerate(losses, start=1))
    return History(optimizer=optimizer, steps=len(points), losses=points, looks=looks, **more)


USUAL = (parameter(),)


def look(step=1, rate=1e-3, parameters=USUAL):
    return Observation(step=step, loss=1.0, rate=rate, gradient_norm=1.0, parameters=tuple(parameters))


def test_skipped_steps():
    assert skipped(history(skipped=3)) is None
    assert skipped(history(skipped=99)) == ("numerics", "a gradient scaler skipped 99 of 100 steps")


def test_a_rate_that_was_0_for_most_of_the_run():
    looks = [look(1), look(16), look(32, 0.0), look(100, 0.0)]
    assert stopped(history(*looks)) == ("learning-rate", "the learning rate is 0 from step 32 on")
    assert stopped(history(look(1, 0.0), look(100, 0.0))).because == "the learning rate is 0 from step 1 on"
    assert stopped(history(look(1), look(64), look(100, 0.0))) is None, "an ordinary schedule ends at 0 too"
    assert stopped(history(look(1), look(32, 0.0), look(100))) is None
    assert stopped(history()) is None


def test_steps_lost_in_rounding():
    coarse = parameter(update=1e-6, moved=0.04)
    found = lost(history(look(1, 1e-5, [coarse]), look(2, 1e-5, [coarse])))
    assert found.cause == "numerics"
    assert (
        found.because == "a step of 0.0001 of the weights' size changes only 4% of them, the rest lose it in rounding"
    )
    fine = parameter(update=1e-5)
    assert lost(history(look(1, 1e-5, [fine]))) is None
    sparse = [parameter("embedding", moved=0.01, size=10_000), parameter("a"), parameter("b")]
    assert lost(history(look(1, 1e-3, sparse))) is None, "rows that were not looked up get no gradient"
    assert lost(history(look(1, 1e-3, [parameter(moved=0.0)]))) is None, "a step of 1 % is lost in no format"
    assert lost(history(look(1, 1e-3, [parameter(moved=0.0, gradient=0.0)]))) is None


def test_steps_too_short_by_the_rate():
    found = short(history(look(1, 1e-8, [parameter(update=1e-8)])))
    assert found == ("learning-rate", "a step changes the weights by only 1e-07 of their size")
    assert short(history(look(1, 1e-3, [parameter(update=0.0)]))) is None, "the rate is sound, the gradient is not"
    assert short(history(look())) is None
    slowly = history(look(1, 1e-5, [parameter(update=1e-5)]))
    assert short(slowly) is not None, "100 steps of 1e-4 change nothing by more than 1 %"
    assert short(dataclasses.replace(slowly, steps=10_000)) is None
    descending = history(look(1, 1e-6, [parameter(update=1e-8)]), optimizer="descent")
    assert short(descending) is None and short_descent(descending).cause == "learning-rate"
    assert short_descent(history(look(1, 0.1, [parameter(update=0.0)]), optimizer="descent")) is None, "no gradient"


def test_steps_too_long():
    assert long(history(look())) is None
    usual = [look(step, 1.0, [parameter(update=0.02)]) for step in (1, 2, 4)]
    assert long(history(*usual)) == ("learning-rate", "a step changes the weights by 0.2 of their size")
    once = [look(1, 1.0, [parameter(update=0.05)]), look(2), look(4)]
    assert long(history(*once)).because == "a single step changed the weights by 0.5 of their size"
    rather = history(look(1, 1.0, [parameter(update=0.012)]), look(2), look(4))
    assert long(rather) is None
    assert restless(rather) == ("learning-rate", "a single step changed the weights by 0.12 of their size")
    assert restless(history(look())) is None


def test_the_size_of_a_step_is_over_all_parameters():
    small = parameter("bias", update=1e-3, weight=1e-6, size=1)
    assert step_size(history(look(1, 1e-3, [parameter(), small]))) == pytest.approx(0.01, rel=0.01)
    assert step_size(history()) is None
    frozen = dataclasses.replace(parameter(), update_rms=None, moved=None)
    assert step_size(history(look(1, 1e-3, [frozen]))) is None


def test_a_loss_that_falls_slowly_while_steps_are_short():
    falling = [2.3 - 0.0005 * step for step in range(100)]
    found = slow(history(look(1, 1e-4, [parameter(update=1e-4)]), losses=falling))
    assert found == ("learning-rate", "it does fall, but a step changes the weights by only 0.001 of their size")
    assert slow(history(look(1, 1e-2, [parameter(update=1e-2)]), losses=falling)) is None
    assert slow(history(look(1, 1e-4, [parameter(update=1e-4)]))) is None
