import numpy as np
import polars as pl
import pytest

from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.table.kind import (
    TableOptions,
    answers_of_table,
    encode_table,
    prepare_table,
)

FRAME = pl.DataFrame({"size": np.arange(40.0) ** 1.5, "town": ["Bonn", "Trier"] * 20, "price": np.arange(40.0)})


def test_a_table_is_read_split_and_encoded():
    prepared = prepare_table(FRAME, DataRequest(options=TableOptions(), target="price", task="regression"))
    dataset = prepared.dataset
    assert set(dataset.inputs) == {"numbers", "categories"} and len(dataset) == 40
    assert prepared.choice.task == "regression" and dataset.source == "a DataFrame of 40 rows"


def test_arrays_come_with_their_answers():
    prepared = prepare_table((np.arange(40.0)[:, None] ** 1.5, np.arange(40) % 2), DataRequest(options=TableOptions()))
    assert prepared.choice.task == "single-label" and prepared.dataset.target_schema.columns == ("target",)


def test_which_column_must_be_said():
    with pytest.raises(RequestError, match=r"which column is to be predicted.*'size', 'town', 'price'"):
        prepare_table(FRAME, DataRequest(options=TableOptions()))


def test_new_rows_are_encoded_by_the_schema_and_answered_where_the_target_is():
    dataset = prepare_table(FRAME, DataRequest(options=TableOptions(), target="price", task="regression")).dataset
    fields = encode_table(dataset.schema, FRAME[[3, 1]]).inputs
    assert fields["numbers"].tolist() == dataset.inputs["numbers"][[3, 1]].tolist()
    holes = FRAME.with_columns(pl.when(pl.col("price") > 1).then(pl.col("price")).alias("price"))
    found = answers_of_table(dataset.schema, dataset.target_schema, holes)
    assert len(found.target) == len(found.inputs["numbers"]) == 38
    with pytest.raises(DataError, match="no row has a value of the target 'price'"):
        answers_of_table(dataset.schema, dataset.target_schema, FRAME.with_columns(price=pl.lit(None, pl.Float64)))
