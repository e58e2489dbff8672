import polars as pl
import pytest
from pydantic import Field

from evenkeel.data.schema import Frozen, Schema
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds import PARTS
from evenkeel.kinds.base import Kind
from evenkeel.kinds.choose import kind_of, read_options, read_schema


class Sizes(Frozen):
    """Options of a kind that has some."""

    pixels: int = Field(32, ge=1, description="side of an image")


def test_a_table_takes_what_nobody_else_wants():
    assert kind_of(pl.DataFrame({"a": [1]})).name == "table" and kind_of("houses.csv").name == "table"
    assert max(PARTS.values(), key=lambda kind: kind.rank).name == "table"


def test_a_kind_is_known_by_name_or_refused_with_those_there_are():
    assert kind_of("anything", "table") is PARTS["table"]
    with pytest.raises(RequestError, match=r"no kind of data is called 'tabel'.*table"):
        kind_of("houses.csv", "tabel")


def test_options_are_checked():
    kind = Kind(**{**vars(PARTS["table"]), "options": Sizes})
    assert read_options(kind, {}) == Sizes(pixels=32) and read_options(kind, {"pixels": 8}) == Sizes(pixels=8)
    with pytest.raises(RequestError, match=r"setting pixels = 0: input should be greater than or equal to 1"):
        read_options(kind, {"pixels": 0})


def test_a_schema_comes_back_from_its_json():
    schema = Schema(columns=(), numbers=(), categories=())
    assert read_schema(schema) is schema and read_schema(schema.model_dump(mode="json")) == schema
    old = schema.model_dump(mode="json")
    del old["kind"]
    assert read_schema(old) == schema, "a run of before there were kinds"
    with pytest.raises(RequestError, match="no kind of data is called 'smell'"):
        read_schema({"kind": "smell"})


@pytest.mark.parametrize("text", ["the cat sat. " * 400, "a\0b"])
def test_a_string_that_can_be_no_path_is_refused_with_what_it_may_be(text):
    with pytest.raises(DataError, match=rf"expected a path, got a string of {len(text)} characters.*say kind='text'"):
        kind_of(text)
    assert kind_of(text, "text").name == "text"


def test_an_option_of_one_kind_tells_it_and_an_argument_of_a_net_does_not():
    assert kind_of("houses.csv", target="x", settings={"horizon": 3}).name == "series"
    assert kind_of("houses.csv", target="x", settings={"direction": "past", "width": 3}).name == "table"
