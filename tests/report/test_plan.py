"""The network and the settings that a run reads."""

from torch import nn

from _small import SETTINGS, small_run, small_table
from evenkeel.run.fit import fit
from report._runs import described


def test_the_plan_of_a_given_net_and_loss_names_them():
    run = fit(
        small_table("regression"),
        target="height",
        net=nn.Sequential(nn.Linear(8, 12), nn.ReLU()),
        loss=nn.L1Loss(),
        task="regression",
        progress=False,
        settings={**SETTINGS, "updates": 5},
    )
    plan = described(run).plan
    names = [setting.name for setting in plan.settings]
    assert (plan.net, plan.loss) == ("Sequential", "L1Loss (given)")
    assert "learning rate" in names and "width" not in names, "the plan's net was not used"
    assert plan.parameters == sum(p.numel() for p in run.network.parameters())
    own = described(small_run("regression")).plan
    names = [setting.name for setting in own.settings]
    assert "width" in names and (own.net, own.loss) == ("mlp", "mse")
    assert not {"beta", "gamma", "positive", "counts"} & set(names), "another head or loss reads these"


def test_the_pieces_of_numbers_are_a_setting_of_tables_with_our_net():
    names = [setting.name for setting in described(small_run("single-label")).plan.settings]
    assert "bins" in names and not {"task", "net", "loss", "net options"} & set(names), "these have their own lines"
