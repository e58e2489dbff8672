import pytest

from evenkeel.data.dataset import SplitRequest
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.text import recipe as recipes
from evenkeel.kinds.text.recipe import text_recipe
from evenkeel.plan import make_plan

TEXTS = ([f"text {number}" for number in range(40)], [0, 1] * 20)
LINES = "\n".join(f"line {number} of a text" for number in range(100))


def prepared(data, **options):
    kind = PARTS["text"]
    return kind.prepare(data, DataRequest(split=SplitRequest(), options=kind.options(), **options))


@pytest.mark.parametrize(
    ("data", "net"), [(TEXTS, "mlp"), (TEXTS, "transformer"), (TEXTS, "rnn"), (LINES, "transformer"), (LINES, "rnn")]
)
def test_every_recipe_makes_a_plan(data, net):
    found = prepared(data, net=net)
    recipe = text_recipe(net, found.dataset, found.choice)
    plan = make_plan(found.choice.task, rows=len(found.dataset.split.train), recipe={**recipe, "net": net})
    assert plan.width == recipe["width"] and plan.members == recipe["members"]
    assert (plan.members is None) == (net != "mlp")


def test_a_net_of_the_users_own_is_never_an_ensemble():
    found = prepared(TEXTS, net="given")
    assert text_recipe("mlp", found.dataset, found.choice)["members"] is None


def test_many_texts_are_seen_fewer_times_and_silenced_less(monkeypatch):
    found = prepared(TEXTS)
    few = text_recipe("mlp", found.dataset, found.choice)
    monkeypatch.setattr(recipes, "MANY", 10)
    many = text_recipe("mlp", found.dataset, found.choice)
    assert many["epochs"] < few["epochs"] and many["dropout"] < few["dropout"]


def test_a_longer_text_is_read_longer_within_bounds(monkeypatch):
    short, long = prepared(LINES), prepared(LINES * 100)
    updates = [text_recipe("transformer", each.dataset, each.choice)["updates"] for each in (short, long)]
    assert updates[0] == recipes.FEWEST < updates[1]
    monkeypatch.setattr(recipes, "MOST", 310)
    assert text_recipe("transformer", long.dataset, long.choice)["updates"] == 310
