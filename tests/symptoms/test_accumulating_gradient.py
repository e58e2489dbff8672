import math

import pytest

from evenkeel.symptoms import accumulating_gradient
from symptoms._made import falling, flat, history, look
from symptoms._runs import adam, cross_entropy, descent, digits, mlp, run


@pytest.mark.parametrize("optimizer", [lambda model: descent(model, 0.1), adam])
def test_is_found_where_gradients_are_never_cleared(optimizer):
    model = mlp([64, 32, 10])
    (found,) = accumulating_gradient(run(model, cross_entropy, digits(), optimizer(model), 40, clear="never"))
    assert found.severity in ("warning", "critical") and found.cause == "training-loop"


@pytest.mark.parametrize("optimizer", [lambda model: descent(model, 0.1), adam])
def test_is_silent_where_they_are(optimizer):
    model = mlp([64, 32, 10])
    assert accumulating_gradient(run(model, cross_entropy, digits(), optimizer(model), 40)) == ()


@pytest.mark.parametrize(("losses", "severity"), [(falling(), "warning"), (flat(), "critical")])
def test_says_how_often_and_how_much(losses, severity):
    looks = (look(1, carried=0.0), look(2, carried=0.5), look(4, carried=0.9), look(8, carried=0.95))
    (found,) = accumulating_gradient(history(*looks, losses=losses))
    assert found.severity == severity
    assert found.sentence == (
        "At 3 of 3 looks the gradient of earlier steps still lay there before the backward pass "
        "(90 % of what the step then used): zero_grad is not called."
    )


@pytest.mark.parametrize("carried", [(0.9, 0.0, 0.0), (0.0, 0.9, 0.0), (None, None, None), (0.0, math.nan, 0.05)])
def test_once_is_not_enough(carried):
    looks = [look(step, carried=share) for step, share in zip((1, 2, 4), carried, strict=True)]
    assert accumulating_gradient(history(*looks)) == ()
