"""The task `embedding` of data with groups, end to end on a table: near are rows of one group, also of a new one."""

from functools import cache

import numpy as np
import polars as pl
import pytest
import torch

import evenkeel as ek
from evenkeel import metrics
from evenkeel.cli.predict import table_of_predictions
from evenkeel.data.dataset import SplitRequest, _whole_groups
from evenkeel.errors import DataError, RequestError
from evenkeel.task import infer_task

FAST = {"updates": 80, "evaluations": 4, "width": 32}


def grouped(groups: int = 6, each: int = 40, seed: int = 0, first: int = 0) -> pl.DataFrame:
    """Two columns decide the group, four larger ones say nothing of it."""
    generator = np.random.default_rng(seed)
    names = np.repeat(np.arange(groups) + first, each)
    angle = 2 * np.pi * names / 7.3
    signal = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.15 * generator.normal(size=(len(names), 2))
    noise = 2 * generator.normal(size=(len(names), 4))
    columns = {f"x{i}": column for i, column in enumerate(np.concatenate([signal, noise], 1).T)}
    return pl.DataFrame({**columns, "name": [f"g{name}" for name in names]})


@cache
def run_of_groups() -> ek.Run:
    return ek.fit(grouped(), target="name", task="embedding", progress=False, settings=FAST)


def test_rows_find_their_group_better_than_by_their_columns():
    run = run_of_groups()
    assert run.part.name == "embedding" and run.plan.members is None
    assert list(run.metrics) == ["recall_at_k", "map_at_r", "alignment", "uniformity"]
    new = grouped(seed=1)
    columns = new.drop("name").to_numpy()
    plain = metrics.recall_at_k(torch.from_numpy(columns / columns.std(0)), run_target(run, new))
    assert run.evaluate(new)["recall_at_k"] > plain + 0.1
    assert run.metrics["map_at_r"] > metrics.map_at_r(torch.from_numpy(columns / columns.std(0)), run_target(run, new))


def run_target(run, frame):
    return torch.tensor([run.classes.index(name) for name in frame["name"]])


def test_the_prediction_is_the_point():
    run, new = run_of_groups(), grouped(each=3, seed=1)
    points = run.predict(new)
    assert points.shape == (18, 128) and np.array_equal(points, run.embed(new))
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-5)
    assert table_of_predictions(run, new).shape == (18, 128)


def test_groups_that_training_has_not_seen_can_be_evaluated():
    run, strangers = run_of_groups(), grouped(4, 10, seed=2, first=20)
    found = run.evaluate(strangers)
    points = torch.from_numpy(run.predict(strangers))
    assert found["recall_at_k"] == metrics.recall_at_k(points, torch.arange(4).repeat_interleave(10))


def test_a_saved_run_is_the_same_and_its_report_shows_the_map(tmp_path):
    run, new = run_of_groups(), grouped(each=3, seed=1)
    again = ek.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.predict(new), run.predict(new))
    assert "Map of the embeddings" in (tmp_path / "run" / "report.html").read_text()


def test_the_loss_on_validation_rows_compares_all_of_them_at_once():
    run = run_of_groups()
    assert run.history[-1].validation_loss is not None
    assert run.history[-1].validation_loss < run.history[0].validation_loss + 0.5
    assert np.isfinite(run.history[-1].validation_loss)


@pytest.mark.parametrize(("each", "whole"), [(40, False), (3, True)])
def test_small_groups_are_held_out_whole(each, whole):
    target = torch.arange(20).repeat_interleave(each)
    found = _whole_groups(target, "groups", SplitRequest())
    assert (found is not None) == whole
    frame = grouped(20, each)
    run = ek.fit(frame, target="name", task="embedding", progress=False, settings={**FAST, "updates": 4})
    assert run.record.split.startswith("by group") == whole
    assert run.metrics["recall_at_k"] >= 0, "whichever way, some test row has another of its group"


def test_more_groups_than_a_classifier_takes_are_welcome():
    names = pl.DataFrame({"who": [f"p{i // 2}" for i in range(60)]})
    assert infer_task(names, "embedding").kind == "groups"
    with pytest.raises(DataError, match="there is nothing to learn"):
        ek.fit(grouped(1), target="name", task="embedding", progress=False, settings=FAST)


def test_an_ensemble_of_points_is_refused():
    with pytest.raises(RequestError, match="task 'embedding' takes one network, got members=4; leave `members` out"):
        ek.fit(grouped(), target="name", task="embedding", progress=False, settings={"members": 4})
