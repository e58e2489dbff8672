"""Whose a setting is, and the plan that follows."""

import pytest
from torch import nn

from _small import small_dataset
from evenkeel.errors import RequestError
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import Prepared
from evenkeel.run.settings import plan_of, sort_settings
from evenkeel.task import choose_task


def prepared():
    data = small_dataset("regression")
    return Prepared(dataset=data, choice=choose_task("number", data.target, "regression"))


def test_each_setting_is_of_the_kind_the_net_or_the_plan():
    found = sort_settings({"horizon": 4, "width": 8}, KINDS["series"], None, seed=3, loss=None)
    assert found.of_kind == {"horizon": 4} and found.of_plan == {"seed": 3, "width": 8} and found.of_net == {}
    assert found.net == KINDS["series"].net


def test_a_module_or_a_loss_of_ones_own_is_no_field_of_the_plan():
    found = sort_settings({}, KINDS["table"], nn.Linear(2, 2), loss=nn.MSELoss(), seed=0)
    assert found.of_plan == {"seed": 0}


def test_settings_go_before_arguments():
    assert sort_settings({"seed": 5}, KINDS["table"], "mlp", seed=3).of_plan == {"seed": 5, "net": "mlp"}


def test_a_setting_of_another_net_names_it():
    with pytest.raises(RequestError, match="net 'mlp' has no setting 'patch'; it is one of net"):
        sort_settings({"patch": 4}, KINDS["table"], "mlp")


def test_the_plan_is_the_recipe_with_the_settings_over_it():
    plan = plan_of(KINDS["table"], sort_settings({"width": 8}, KINDS["table"], None, seed=7), prepared())
    assert (plan.task, plan.net, plan.width, plan.seed) == ("regression", KINDS["table"].net, 8, 7)
