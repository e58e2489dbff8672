import numpy as np
import polars as pl
import pytest

from _houses import write_houses
from _small import same
from evenkeel.data.schema import encode, fit_schema
from evenkeel.errors import DataError
from evenkeel.kinds.table import parts as large
from evenkeel.kinds.table.parts import LargeTable, encode_in_parts, free_memory, large_table, rows_to_learn_from


@pytest.fixture
def path(tmp_path):
    return write_houses(tmp_path)


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.setattr(large, "ROWS_AT_ONCE", 70)


def test_only_parquet_beyond_the_limit_is_read_in_parts(path, tmp_path):
    assert large_table(path) is None, "a small table fits into memory"
    found = large_table(str(path), memory=0.0)
    assert found == LargeTable(path=path, columns=("size", "town", "price", "one"), height=500)
    assert large_table(pl.read_parquet(path), memory=0.0) is None
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert large_table(tmp_path / "a.csv", memory=0.0) is None
    (tmp_path / "bad.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match=r"bad\.parquet could not be read as a table"):
        large_table(tmp_path / "bad.parquet", memory=0.0)


def test_encoding_is_that_of_the_schema(path, parts):
    frame = pl.read_parquet(path).drop("price")
    schema = fit_schema(frame, np.arange(400))
    rows = np.array([0, 69, 70, 71, 499])
    found = encode_in_parts(schema, large_table(path, memory=0.0), rows)
    assert same(found, encode(schema, frame[rows]).mapping())


def test_rows_to_learn_from_are_training_rows(monkeypatch):
    monkeypatch.setattr(large, "ROWS_TO_LEARN_FROM", 5)
    train = np.arange(10, 60, 2)
    found = rows_to_learn_from(train, 0)
    assert len(found) == 5 and set(found) <= set(train) and (np.diff(found) > 0).all()
    assert free_memory() > 0
