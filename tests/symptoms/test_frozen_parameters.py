from dataclasses import replace

import pytest
import torch
from torch import nn

from evenkeel.symptoms import frozen_parameters
from symptoms._made import chain, falling, flat, history, link, look, parameter
from symptoms._runs import adam, cross_entropy, digits, mlp, of_classes, run


class Split(nn.Module):
    """A trunk, and a head that takes its features as they are or detached."""

    def __init__(self, *, cut=False):
        super().__init__()
        self.trunk, self.head, self.cut = mlp([64, 64, 64]), nn.Linear(64, 10), cut

    def forward(self, x):
        features = self.trunk(x).relu()
        return self.head(features.detach() if self.cut else features)


def head_only(model):
    return torch.optim.Adam(model.head.parameters())


def off(model):
    model.trunk.requires_grad_(False)
    return model


def looks(*parameters, **numbers):
    """Two looks at the same parameters."""
    frozen = numbers.pop("frozen", ())
    seen = replace(chain(link("0")), frozen=frozen)
    return [look(step, seen, parameters=parameters, **numbers) for step in (1, 4)]


BIG, LITTLE = parameter("trunk.weight", size=900), parameter("head.weight", size=100)


@pytest.mark.parametrize(
    ("make", "optimizer", "cause"),
    [(Split, head_only, "optimizer"), (lambda: Split(cut=True), adam, "training-loop")],
    ids=["head only", "detached"],
)
def test_is_found_with_its_cause(make, optimizer, cause):
    model = make()
    (found,) = frozen_parameters(run(model, cross_entropy, digits(), optimizer(model), 40))
    assert found.severity != "note" and found.cause == cause
    assert found.where == "trunk.0.weight to trunk.2.bias"
    assert found.evidence["share"] == pytest.approx(8320 / 8970)


def test_is_silent_where_all_moves():
    model = Split()
    assert frozen_parameters(run(model, cross_entropy, digits(), adam(model), 40)) == ()


def test_frozen_on_purpose_is_a_note_while_it_learns():
    model = off(Split())
    (found,) = frozen_parameters(run(model, cross_entropy, digits(), head_only(model), 60))
    assert (found.severity, found.cause) == ("note", "optimizer")
    assert found.sentence == (
        "93 % of all weights stand still (`trunk.0.weight` and 3 more parameters): their requires_grad is off."
    )


def test_where_most_is_frozen_a_lag_counts_however_steadily_the_loss_falls():
    still = looks(BIG, LITTLE, frozen=("trunk.weight",))
    start = of_classes(10, reachable=0.3)
    possible = start.constant_loss - 0.3
    for share, expected in ((0.5, "warning"), (0.2, "note")):
        falling = [0.3 + share * possible * 2 ** (1 - step / 60) for step in range(60)]
        (found,) = frozen_parameters(history(*still, losses=falling, start=start))
        assert found.severity == expected


def test_frozen_by_accident_does_harm():
    still = looks(BIG, LITTLE, frozen=("trunk.weight",))
    assert [found.severity for found in frozen_parameters(history(*still, losses=flat()))] == ["critical"]
    assert [found.severity for found in frozen_parameters(history(*still))] == ["note"]
    few = looks(BIG, LITTLE, frozen=("head.weight",))
    assert [found.severity for found in frozen_parameters(history(*few, losses=flat()))] == ["note"]
    assert frozen_parameters(history(*few)) == ()


@pytest.mark.parametrize(
    ("outside", "gradient", "losses", "severity"),
    [
        (BIG, 1.0, falling(), "warning"),
        (BIG, 1.0, flat(), "critical"),
        (BIG, None, falling(), "note"),
        (LITTLE, 1.0, falling(), "note"),
    ],
    ids=["wasted", "harmful", "perhaps a teacher", "a detail"],
)
def test_outside_every_optimizer(outside, gradient, losses, severity):
    lone = replace(outside, gradient_rms=gradient, update_rms=None, moved=None)
    seen = looks(*(lone if each is outside else each for each in (BIG, LITTLE)))
    (found,) = frozen_parameters(history(*seen, losses=losses, outside=(outside.name,)))
    assert (found.severity, found.cause) == (severity, "optimizer")
    share = 90 if outside is BIG else 10
    assert found.sentence == f"{share} % of all weights stand still (`{outside.name}`): no optimizer holds them."


def test_an_unused_branch_is_a_note_and_a_detached_trunk_is_not():
    unused = looks(BIG, replace(LITTLE, gradient_rms=None))
    (found,) = frozen_parameters(history(*unused, losses=flat()))
    assert (found.severity, found.cause) == ("note", "training-loop")
    small, large = replace(LITTLE, name="trunk.weight", gradient_rms=None), replace(BIG, name="head.weight")
    (found,) = frozen_parameters(history(*looks(small, large)))
    assert (found.severity, found.where) == ("warning", "trunk.weight")
    assert found.sentence == (
        "10 % of all weights stand still (`trunk.weight`): "
        "no gradient ever reaches them, so the loss is detached from them."
    )


def test_a_layer_that_is_cut_off_in_mid_run_is_told_with_the_step():
    moving, cut = BIG, replace(BIG, gradient_rms=None, update_rms=0.0, moved=0.0)
    steps = [look(step, parameters=(moving if step < 20 else cut, LITTLE)) for step in (1, 4, 8, 16, 32, 64, 128)]
    (found,) = frozen_parameters(history(*steps, losses=flat()))
    assert (found.where, found.cause, found.evidence["step"]) == ("trunk.weight", "training-loop", 32.0)
    assert "since step 32" in found.sentence and found.severity != "note"
    assert frozen_parameters(history(*steps[:6], losses=flat())) == (), "two looks might be chance"


@pytest.mark.parametrize(
    ("rate", "skipped", "cause", "reason"),
    [
        (1e-3, 0, "numerics", "the updates are lost in rounding."),
        (1e-3, 9, "numerics", "their steps are skipped."),
        (1e-12, 0, "learning-rate", "the updates are lost in rounding, as the learning rate is tiny."),
    ],
)
def test_a_step_that_changes_nothing(rate, skipped, cause, reason):
    stuck = looks(replace(BIG, moved=0.0, update_rms=0.0), LITTLE, rate=rate)
    (found,) = frozen_parameters(history(*stuck, losses=flat(), skipped=skipped))
    assert (found.severity, found.cause) == ("critical", cause)
    assert found.sentence == f"90 % of all weights stand still (`trunk.weight`): {reason}"
    at_rest = looks(replace(BIG, moved=0.0, update_rms=0.0), LITTLE, rate=0.0)
    assert frozen_parameters(history(*at_rest, losses=flat())) == ()


def test_evaluation_mode_is_a_note():
    model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10)).eval()
    (found,) = frozen_parameters(run(model, cross_entropy, digits(), adam(model), 40))
    assert (found.severity, found.where, found.cause) == ("note", "1", "training-loop")
    assert found.sentence == (
        "At all 7 looks `1` and 1 more were in evaluation mode: dropout is off, batch norm keeps its old averages."
    )
    once = [look(1, evaluating=("1",)), look(2)]
    assert frozen_parameters(history(*once)) == ()
