"""Pairs end to end: tiny data whose sides have a cause in common, from `fit` to a saved run."""

from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import evenkeel as ek
from evenkeel import metrics
from evenkeel.data.dataset import SplitRequest
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.choose import kind_of
from evenkeel.kinds.pair.kind import PairOptions, prepare_pairs

COLOURS = ["red", "green", "blue", "white", "black", "brown", "pink", "grey"]
THINGS = ["house", "horse", "tree", "boat", "plane", "clock", "bread", "glove"]
FAST = {"updates": 120, "evaluations": 4}


def numbers(rows: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two views of four hidden causes."""
    generator = np.random.default_rng(seed)
    cause = generator.normal(size=(rows, 4))
    mix = np.random.default_rng(9).normal(size=(2, 4, 6))
    return cause @ mix[0], np.tanh(cause @ mix[1][:, :5])


def pictures(rows: int = 200, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """A bright patch in one of 16 places, and words for where it is."""
    generator = np.random.default_rng(seed)
    place = generator.integers(0, 16, rows)
    pixels = generator.integers(0, 60, (rows, 16, 16), dtype=np.uint8)
    for row, each in enumerate(place):
        pixels[row, 4 * (each // 4) :, 4 * (each % 4) :][:4, :4] += 150
    words = [f"{COLOURS[each // 4]} {THINGS[each % 4]} number {row}" for row, each in enumerate(place)]
    return pixels, words


@cache
def number_run() -> ek.Run:
    return ek.fit(numbers(), kind="pair", progress=False, settings=FAST)


def fitted(data, **options):
    return ek.fit(data, kind="pair", progress=False, settings={**FAST, **options.pop("settings", {})}, **options)


def test_partners_are_found_far_above_chance():
    run = number_run()
    rows = run.record.rows["test"]
    assert list(run.metrics) == list(run.part.metrics) and run.part.name == "pairs"
    assert run.metrics["left_recall_at_1"] > 10 / rows and run.metrics["right_recall_at_1"] > 10 / rows
    assert run.metrics["left_recall_at_1"] <= run.metrics["left_recall_at_5"] <= run.metrics["left_recall_at_10"]
    assert 1 <= run.metrics["partner_rank"] < rows / 8
    assert run.record.loss_text == "info_nce" and run.plan.task == "embedding"


def test_new_pairs_are_embedded_together_or_one_side_alone():
    run, (left, right) = number_run(), numbers(seed=1)
    both = run.embed((left, right))
    assert both.shape == (240, 2, run.plan.width)
    np.testing.assert_allclose(np.linalg.norm(both, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(run.embed({"left": left}), both[:, 0], atol=1e-6)
    np.testing.assert_allclose(run.embed({"right": right}), both[:, 1], atol=1e-6)


def test_a_prediction_is_the_cosine_of_the_pair():
    run, (left, right) = number_run(), numbers(seed=1)
    both = run.embed((left, right))
    np.testing.assert_allclose(run.predict((left, right)), (both[:, 0] * both[:, 1]).sum(1), atol=1e-6)
    assert run.predict((left, right)).mean() > run.predict((left, np.roll(right, 1, 0))).mean() + 0.3
    with pytest.raises(RequestError, match=r"compares the two sides of a pair, and one is missing; try run\.embed"):
        run.predict({"left": left})


def test_evaluation_is_that_of_the_metrics_on_the_embedding():
    run, (left, right) = number_run(), numbers(seed=1)
    evaluated, points = run.evaluate((left, right)), torch.from_numpy(run.embed((left, right)))
    assert evaluated["right_recall_at_5"] == metrics.partner_recall(points, torch.arange(240), k=5, asking="right")
    assert evaluated["partner_rank"] == metrics.partner_rank(points, torch.arange(240))
    with pytest.raises(DataError, match=r"expected both sides to be evaluated, got \['left'\]; try run.embed"):
        run.evaluate({"left": left})


def test_a_saved_run_is_the_same_and_keeps_what_its_loss_learned(tmp_path):
    run, data = number_run(), numbers(seed=1)
    again = ek.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.predict(data), run.predict(data))
    learned = "head.loss_function.log_temperature"
    start, end = np.log(0.1), float(run.network.state_dict()[learned])
    assert end != pytest.approx(start, abs=1e-3)
    assert float(again.network.state_dict()[learned]) == end
    assert "<html" in run.report_text()


def test_another_loss_takes_its_own_options_and_survives_too(tmp_path):
    run = fitted(numbers(), loss="nt_xent", settings={"updates": 20})
    assert run.record.loss_text == "nt_xent" and run.network.head.options == {}
    again = ek.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.predict(numbers(seed=1)), run.predict(numbers(seed=1)))
    with pytest.raises(RequestError, match="loss 'mse' expects value"):
        fitted(numbers(), loss="mse")


def test_pictures_and_words(tmp_path):
    run = fitted(pictures(), settings={"left_width": 4, "updates": 60, "batch_size": 48})
    schema = run.record.schema_
    assert (schema.left.name, schema.right.name, schema.towers) == ("image", "text", 2)
    assert run.metrics["left_recall_at_10"] > 20 / run.record.rows["test"]
    pixels, words = pictures(8, seed=1)
    assert run.embed({"right": words}).shape == run.embed({"left": pixels}).shape == (8, 64)
    again = ek.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.predict((pixels, words)), run.predict((pixels, words)))


def test_texts_share_a_net_unless_two_are_asked_for():
    generator = np.random.default_rng(0)
    picks = [generator.permutation(8)[:3] for _ in range(120)]
    left = [f"{row} {' '.join(COLOURS[each] for each in pick)}" for row, pick in enumerate(picks)]
    right = [f"{' '.join(THINGS[each] for each in pick)} of {row}" for row, pick in enumerate(picks)]
    one = fitted((left, right), settings={"updates": 10})
    assert one.record.schema_.towers == 1 and len(one.network.net.towers) == 1
    two = fitted((left, right), settings={"updates": 10, "towers": "two"})
    assert len(two.network.net.towers) == 2
    assert two.record.schema_.columns[0].name == "left"


def test_pairs_of_one_group_stay_together_and_never_meet(monkeypatch):
    left, right = numbers(200)
    frame = pl.DataFrame({"a": left[:, 0], "b": right[:, 0], "kind": np.arange(200) % 40})
    options = PairOptions(left="a", right="b", alike="kind")
    data = prepare_pairs(frame, DataRequest(split=SplitRequest(), options=options)).dataset
    kinds = np.arange(200) % 40
    parts = [set(kinds[rows]) for rows in (data.split.train, data.split.validation, data.split.test)]
    assert all(parts) and not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert len(data.target.unique()) == 200, "partners are those of the row, not of the group"
    groups = data.alike
    assert groups is not None and len(groups.unique()) == 40
    batches = []
    from evenkeel.train.loop import Loop

    original = Loop._next_rows
    monkeypatch.setattr(Loop, "_next_rows", lambda self: batches.append(original(self)) or batches[-1])
    named = {"left": "a", "right": "b", "alike": "kind"}
    ek.fit(frame, kind="pair", progress=False, settings={**named, "updates": 12, "batch_size": 8})
    assert len(batches) == 12
    assert all(len(set(kinds[rows])) == len(rows) for rows in batches)


def test_pairs_that_share_a_side_are_not_torn_apart():
    left, right = numbers(120)
    left = left[np.arange(120) // 3]  # three rows each
    data = prepare_pairs((left, right), DataRequest(options=PairOptions())).dataset
    groups = np.arange(120) // 3
    parts = [set(groups[rows]) for rows in (data.split.train, data.split.validation, data.split.test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert torch.equal(data.target.unique(return_counts=True)[1], torch.full((40,), 3))


def test_one_giant_group_cannot_be_held_out():
    data = (np.ones(60), numbers(60)[1])
    with pytest.raises(DataError, match=r"60 of 60 pairs are linked by values that their sides share.*split='group"):
        prepare_pairs(data, DataRequest(options=PairOptions()))


class Pixels(nn.Module):
    """A net of the user's own on one tensor."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.linear, self.features = nn.Linear(inputs, 12), 12

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.linear(values.flatten(1)))


def test_nets_of_the_users_own_stand_in_towers(tmp_path):
    left, right = numbers()
    net = ek.heads.Towers(Pixels(12), Pixels(10))  # each number with a flag for a missing one
    run = fitted((left, right), net=net)
    assert run.metrics["partner_recall"] > 5 / run.record.rows["test"]
    assert run.embed({"right": right}).shape == (240, 64)
    again = ek.load(run.save(tmp_path / "run"), net=net)
    assert np.array_equal(again.predict((left, right)), run.predict((left, right)))


def test_one_net_of_the_users_own_reads_both_sides_where_they_are_equal():
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    run = fitted((images, 255 - images), net=Pixels(64), settings={"updates": 10, "augment": "none"})
    assert len(run.network.net.towers) == 1
    with pytest.raises(RequestError, match=r"one net cannot read both sides, image and table; try net=ek.heads.Towers"):
        fitted((images, numbers(60)[0]), net=Pixels(64))


def test_images_vary_while_training_as_a_function_of_seed_epoch_and_row():
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    data = prepare_pairs((images, numbers(40)[0]), DataRequest(options=PairOptions())).dataset
    assert data.augment is not None
    rows = torch.tensor([3, 5])
    batch = {name: field.index_select(0, rows) for name, field in data.inputs.items()}
    first, again, later = (data.augment(batch, rows, epoch) for epoch in (1, 1, 2))
    assert torch.equal(first["left_pixels"], again["left_pixels"])
    assert not torch.equal(first["left_pixels"], later["left_pixels"])
    assert torch.equal(first["right_numbers"], batch["right_numbers"])
    still = PairOptions(augment="none")
    assert prepare_pairs((images, numbers(40)[0]), DataRequest(options=still)).dataset.augment is None


@pytest.mark.parametrize(
    ("options", "changes", "error", "words"),
    [
        ({}, {"target": "b"}, RequestError, "pairs have no target, got 'b'; leave `target` out and name the sides"),
        ({}, {"task": "regression"}, RequestError, "pairs are embedded, task='regression' does not fit them"),
        ({"left": "a"}, {}, RequestError, "name both sides or none; 'right' is missing"),
        ({"alike": "kin", "left": "a", "right": "b"}, {}, DataError, "no column 'kin' of groups; did you mean 'kind'"),
        ({"left": "a", "right": "words"}, {}, DataError, "there is no column 'words' for a side of the pairs"),
    ],
)
def test_what_makes_no_sense(options, changes, error, words):
    frame = pl.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0), "kind": np.arange(20)})
    with pytest.raises(error, match=words):
        prepare_pairs(frame, DataRequest(options=PairOptions(**options), **changes))


def test_too_few_pairs():
    with pytest.raises(DataError, match="expected at least 10 pairs, got 5; a part of them must be held out"):
        prepare_pairs(numbers(5), DataRequest(options=PairOptions()))


def test_a_mapping_of_two_sides_is_known_without_being_told():
    assert kind_of({"left": [1.0], "right": [2.0]}).name == "pair"
    assert kind_of({"left": [1.0], "right": [2.0], "y": [1]}).name != "pair"
    assert all(field.description for field in PARTS["pair"].options.model_fields.values())
