import numpy as np
import pytest
import torch

from _houses import write_houses
from _small import same
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.table import parts as large
from evenkeel.kinds.table.kind import TableOptions, prepare_table
from evenkeel.kinds.table.large import prepare_large
from evenkeel.kinds.table.parts import large_table
from evenkeel.run.fit import fit


@pytest.fixture
def path(tmp_path):
    return write_houses(tmp_path)


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.setattr(large, "ROWS_AT_ONCE", 70)


def test_in_parts_and_whole_are_the_same_dataset(path, parts):
    whole = prepare_table(path, DataRequest(options=TableOptions(), target="price")).dataset
    found = prepare_large(large_table(path, memory=0.0), DataRequest(options=TableOptions(), target="price")).dataset
    assert [column.kind for column in found.schema.columns] == [column.kind for column in whole.schema.columns]
    assert same(dict(whole.inputs), dict(found.inputs)) and torch.equal(whole.target, found.target)
    assert np.array_equal(whole.split.train, found.split.train) and whole.schema.numbers == found.schema.numbers
    assert found.notes[0] == "10 of 500 rows have no target value and are left out."
    assert found.notes[1].startswith("The table is read in parts; its columns are judged by ")
    assert "Column 'one'" in found.notes[2]


def test_a_run_on_parts_is_the_run_on_the_whole(path, parts):
    options = {"target": "price", "progress": False, "settings": {"updates": 30, "members": 2, "width": 16}}
    whole = fit(path, **options)
    found = fit(path, **{**options, "settings": {**options["settings"], "memory": 0.0}})
    assert same(whole.network.state_dict(), found.network.state_dict()) and whole.metrics == found.metrics


def test_new_rows_may_be_many_too(path, parts, monkeypatch):
    run = fit(path, target="price", progress=False, settings={"updates": 20, "members": 2, "width": 16})
    predicted, measured = run.predict(path), run.evaluate(path)
    monkeypatch.setattr(large, "SHARE", 0.0)
    assert np.array_equal(run.predict(path), predicted) and run.evaluate(path) == measured


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (DataRequest(options=TableOptions()), RequestError, "which column is to be predicted.*'size'"),
        (DataRequest(options=TableOptions(), target="prise"), DataError, "no column 'prise'; did you mean 'price'"),
        (DataRequest(options=TableOptions(), target="price", weight="wait"), DataError, "there is no column 'wait'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(path, asked, error, message):
    with pytest.raises(error, match=message):
        prepare_large(large_table(path, memory=0.0), asked)
