import torch
from torch import nn

from evenkeel.kinds.pair.body import PairBody, Tower, side_plan, usual_dropout
from evenkeel.kinds.pair.schema import fit_pairs, read_pairs
from evenkeel.kinds.pair.sides import SideRequest
from evenkeel.plan import make_plan


class Doubled(nn.Module):
    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return 2 * numbers


def body(towers: int) -> PairBody:
    return PairBody([Tower(Doubled(), 3, 5, 1) for _ in range(towers)])


def test_each_side_goes_through_its_own_tower():
    both = body(2)
    left, right = torch.randn(4, 3), torch.randn(4, 3)
    found = both(left_numbers=left, right_numbers=right)
    assert found.shape == (4, 2, 5)
    torch.testing.assert_close(found[:, 0], both.towers[0].project(2 * left))
    torch.testing.assert_close(found[:, 1], both.towers[1].project(2 * right))
    torch.testing.assert_close(both(right_numbers=right), found[:, 1])
    torch.testing.assert_close(both(left_numbers=left), found[:, 0])


def test_one_tower_reads_both_sides():
    both = body(1)
    same = torch.randn(4, 3)
    found = both(left_numbers=same, right_numbers=same)
    assert torch.equal(found[:, 0], found[:, 1])
    assert len(list(both.parameters())) == 2


def test_depth_is_that_of_the_map_to_the_shared_space():
    assert len(Tower(Doubled(), 3, 5, 1).project) == 1
    deep = Tower(Doubled(), 3, 5, 3)
    assert deep(numbers=torch.randn(4, 3)).shape == (4, 5) and len(deep.project) == 5


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
