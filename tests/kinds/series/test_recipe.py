from evenkeel.kinds.series.recipe import series_recipe
from kinds._series_made import hourly, prepared


def test_a_recipe_knows_only_sizes():
    small, large = (prepared(hourly(steps)) for steps in (200, 4000))
    plans = [series_recipe("mlp", each.dataset, each.choice) for each in (small, large)]
    assert plans[0]["updates"] == 600 and plans[0]["batch_size"] == 32 and plans[1]["batch_size"] == 256
    assert series_recipe("rnn", small.dataset, small.choice)["activation"] == "tanh"
