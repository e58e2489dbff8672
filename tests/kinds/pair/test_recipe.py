import torch

from evenkeel.kinds.pair.read import read_pairs
from evenkeel.kinds.pair.recipe import side_plan, usual_dropout
from evenkeel.kinds.pair.schema import fit_pairs
from evenkeel.kinds.side import SideRequest
from evenkeel.plan import make_plan


def test_a_side_keeps_its_own_settings_unless_the_plan_changed_them():
    pairs = read_pairs(([[1.0], [2.0]], [[1.0], [3.0]]), {})
    schema = fit_pairs(pairs, torch.arange(2).numpy(), SideRequest(), towers=2, temperature=0.1)
    nets = {"left": {"net": "cnn", "width": 8, "dropout": 0.1, "patch": 4}, "right": {"width": 16, "dropout": 0.4}}
    sides = {name: schema.side(name).model_copy(update={"net": net}) for name, net in nets.items()}
    schema = schema.model_copy(update=sides)
    usual = {"dropout": usual_dropout(schema), "members": None, "bins": None}
    plan = make_plan("embedding", rows=100, settings=usual)
    left, right = (side_plan(plan, schema, name) for name in ("left", "right"))
    assert (left.net, left.width, left.dropout, left.net_options) == ("cnn", 8, 0.1, {"patch": 4})
    assert (right.width, right.dropout, right.activation) == (16, 0.4, "relu")
    changed = make_plan("embedding", rows=100, settings={**usual, "dropout": 0.2, "activation": "gelu"})
    both = [side_plan(changed, schema, name) for name in ("left", "right")]
    assert [(each.dropout, each.activation, each.width) for each in both] == [(0.2, "gelu", 8), (0.2, "gelu", 16)]
