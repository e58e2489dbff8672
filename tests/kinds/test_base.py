import pytest
import torch

from evenkeel.data.schema import DataSchema
from evenkeel.kinds import PARTS
from evenkeel.nets import PARTS as NETS
from evenkeel.plan import Plan


@pytest.mark.parametrize("kind", PARTS.values(), ids=list(PARTS))
def test_every_kind_names_what_there_is(kind):
    assert kind.net in NETS and issubclass(kind.schema, DataSchema)
    assert kind.schema.model_fields["kind"].default == kind.name, "a saved schema says which kind reads it"
    taken = set(kind.options.model_fields) & set(Plan.model_fields)
    assert not taken, "an option of the kind would hide a field of the plan"
    assert all(field.description for field in kind.options.model_fields.values()), "parts settings lists them"
    kind.options()  # every option has a default


def test_a_table_is_asked_last():
    assert all(kind.rank < PARTS["table"].rank for name, kind in PARTS.items() if name != "table")


@pytest.mark.parametrize(
    "data", ["houses.csv", "houses.parquet", torch.zeros(3, 2), object()], ids=["csv", "parquet", "tensor", "object"]
)
def test_what_nobody_knows_is_left_to_the_table(data):
    for kind in PARTS.values():
        assert kind.name == "table" or not kind.recognises(data)


def test_defaults_leave_things_as_they_are():
    table = PARTS["table"]
    assert not table.without_target("houses.csv", None)
    decoded = torch.ones(2)
    assert table.restore(None, decoded) is decoded and dict(table.keep(None, decoded)) == {}
