import pytest
from torch import nn

from _small import small_dataset, small_plan
from evenkeel.errors import RequestError
from evenkeel.kinds.base import Build
from evenkeel.kinds.table.body import table_body, table_shape
from evenkeel.nets import PARTS as NETS


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
