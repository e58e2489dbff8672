"""What each prediction of sequences belongs to."""

import numpy as np
import polars as pl
import pytest

from evenkeel.cli.predict import table_of_predictions
from evenkeel.data import table
from kinds._sequences import QUICK, fit, long_table, stepwise, waves

FEW = {**QUICK, "updates": 3}


@pytest.fixture(scope="module")
def by_step():
    """A run that answers each step of a long table, and the table in no order at all."""
    sequences, answers = stepwise()
    table = long_table(sequences, np.zeros(30, int)).with_columns(y=pl.Series(np.concatenate(answers)))
    mixed = table[np.random.default_rng(0).permutation(table.height)]
    settings = {"updates": 5, "width": 8, "series": "id", "time": "t"}
    return fit(mixed, target="y", settings=settings), mixed


def keys(run, new):
    return run.kind.encode(run.record.schema_, new).keys


def test_steps_of_a_long_table_are_told_by_series_and_time(by_step):
    run, mixed = by_step
    found = keys(run, mixed)
    assert list(found) == ["id", "t"]
    joined = pl.DataFrame(found).with_columns(p=pl.Series(run.predict_proba(mixed)[:, 1]))
    assert joined.height == mixed.height and joined.select("id", "t").is_unique().all()
    for name in ("s0", "s7"):
        alone = mixed.filter(pl.col("id") == name).sort("t")
        there = joined.filter(pl.col("id") == name).sort("t")
        np.testing.assert_allclose(there["p"], run.predict_proba(alone)[:, 1], atol=1e-6)


def test_steps_without_a_time_and_steps_of_lists_are_numbered(by_step):
    run, _ = by_step
    sequences = [np.zeros((2, 1)), np.ones((3, 1))]
    assert keys(run, sequences) == {"sequence": [0, 0, 1, 1, 1], "step": [0, 1, 0, 1, 2]}
    schema = run.record.schema_.model_copy(update={"time": None})
    table = pl.DataFrame({"id": ["b", "a", "b"], "x0": [1.0, 2.0, 3.0]})
    assert run.kind.encode(schema, table).keys == {"id": ["b", "b", "a"], "step": [0, 1, 0]}
    renamed = schema.model_copy(update={"series": "step"})
    assert run.kind.encode(renamed, table.rename({"id": "step"})).keys == {"step": ["b", "b", "a"], "place": [0, 1, 0]}


def test_series_of_a_long_table_are_named_where_each_has_one_answer():
    sequences, answers = waves(equal=False)
    whole = long_table(sequences, answers)
    mixed = whole[np.random.default_rng(0).permutation(whole.height)]
    run = fit(whole, target="y", settings={**FEW, "series": "id", "time": "t"})
    found = keys(run, mixed)
    assert list(found) == ["id"] and found["id"] == mixed["id"].unique(maintain_order=True).to_list()
    expected = dict(zip(keys(run, whole)["id"], run.predict(whole), strict=True))
    assert dict(zip(found["id"], run.predict(mixed), strict=True)) == expected


def test_lists_and_wide_tables_keep_their_order_and_need_no_keys():
    sequences, answers = waves()
    assert keys(fit((sequences, answers), settings=FEW), sequences) == {}
    table = pl.DataFrame(np.stack(sequences)[:, :, 0]).with_columns(y=pl.Series(answers))
    assert keys(fit(table, target="y", kind="sequence", settings=FEW), table) == {}


def test_a_long_table_is_read_once_for_predictions_and_keys(by_step, tmp_path, monkeypatch):
    run, mixed = by_step
    mixed.write_csv(tmp_path / "steps.csv")
    expected = table_of_predictions(run, mixed)
    reads, plain = [], table.read_delimited
    monkeypatch.setattr(table, "read_delimited", lambda path: reads.append(path) or plain(path))
    found = table_of_predictions(run, str(tmp_path / "steps.csv"))
    assert len(reads) == 1 and found.columns[:2] == ["id", "t"] and found["prediction"].equals(expected["prediction"])
