import numpy as np
import polars as pl
import pytest
from torch import nn

from _small import small_dataset, small_plan
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Asked, Build
from evenkeel.kinds.table.kind import answers_of_table, encode_table, prepare_table, table_body, table_shape
from evenkeel.nets import PARTS as NETS

FRAME = pl.DataFrame({"size": np.arange(40.0) ** 1.5, "town": ["Bonn", "Trier"] * 20, "price": np.arange(40.0)})


def test_a_table_is_read_split_and_encoded():
    prepared = prepare_table(FRAME, Asked(target="price", task="regression"))
    dataset = prepared.dataset
    assert set(dataset.inputs) == {"numbers", "categories"} and len(dataset) == 40
    assert prepared.choice.task == "regression" and dataset.source == "a DataFrame of 40 rows"


def test_arrays_come_with_their_answers():
    prepared = prepare_table((np.arange(40.0)[:, None] ** 1.5, np.arange(40) % 2), Asked())
    assert prepared.choice.task == "single-label" and prepared.dataset.target_schema.columns == ("target",)


def test_which_column_must_be_said():
    with pytest.raises(RequestError, match=r"which column is to be predicted.*'size', 'town', 'price'"):
        prepare_table(FRAME, Asked())


def test_new_rows_are_encoded_by_the_schema_and_answered_where_the_target_is():
    dataset = prepare_table(FRAME, Asked(target="price", task="regression")).dataset
    fields = encode_table(dataset.schema, FRAME[[3, 1]])
    assert fields["numbers"].tolist() == dataset.inputs["numbers"][[3, 1]].tolist()
    holes = FRAME.with_columns(pl.when(pl.col("price") > 1).then(pl.col("price")).alias("price"))
    found = answers_of_table(dataset.schema, dataset.target_schema, holes)
    assert len(found.target) == len(found.inputs["numbers"]) == 38
    with pytest.raises(DataError, match="no row has a value of the target 'price'"):
        answers_of_table(dataset.schema, dataset.target_schema, FRAME.with_columns(price=pl.lit(None, pl.Float64)))


def build(given: nn.Module | None, **settings):
    data, plan = small_dataset("regression"), small_plan("regression").model_copy(update=settings)
    shape = table_shape(plan, data, given)
    part = None if given is not None else NETS[plan.net]
    options = {"plan": plan, "part": part, "given": given, "schema": data.schema, "target": data.target_schema}
    return table_body(Build(**options, shape=shape, dataset=data)), shape


def test_our_net_has_the_pieces_of_the_data_and_a_given_one_is_taken_as_it_is():
    body, shape = build(None)
    assert isinstance(body.features, int) and shape.flagged == (0,) and len(shape.pieces) == 2
    given = nn.Sequential(nn.Linear(8, 5))
    body, shape = build(given)
    assert body.module.net is given and body.features == 5 and shape.pieces is None


def test_a_net_for_other_data_is_refused():
    with pytest.raises(RequestError, match="net 'cnn' reads image and sequence data, and this is a table; try mlp"):
        build(None, net="cnn")
