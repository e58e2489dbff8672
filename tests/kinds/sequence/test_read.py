import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.errors import DataError
from evenkeel.kinds.sequence.read import is_flat, is_sequences, read_answered, read_inputs
from evenkeel.kinds.sequence.schema import SequenceSchema, columns_of, fit_channels
from evenkeel.kinds.sequence.tables import Roles


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("a.ts", True),
        ("a.csv", False),
        ((np.zeros((4, 5, 2)), np.zeros(4)), True),
        (((np.zeros((4, 5, 2)), np.ones(4, int)), np.zeros(4)), True),
        (([np.zeros((3, 1)), np.zeros((2, 1))], [0, 1]), True),
        ((np.zeros((4, 5)), np.zeros(4)), False),
        (np.zeros((4, 5, 2)), True),
        ((["a", "b"], [0, 1]), False),
    ],
)
def test_what_is_recognised_without_being_named(data, told):
    assert is_sequences(data) is told


def test_tables_are_told_from_sequences():
    assert is_flat("a.csv") and is_flat(pl.DataFrame({"a": [1]})) and is_flat(torch.zeros(4, 5))
    assert not is_flat(np.zeros((4, 5, 2))) and not is_flat([np.zeros(3), np.zeros(3)])


def test_every_source_gives_the_same_sequences(tmp_path):
    values, answers = np.arange(12.0).reshape(4, 3, 1), ["p", "q", "p", "q"]
    wide = pl.DataFrame({**{f"s{step}": values[:, step, 0] for step in range(3)}, "y": answers})
    long = pl.DataFrame({"id": np.repeat(range(4), 3), "value": values.flatten(), "y": np.repeat(answers, 3)})
    (tmp_path / "a.ts").write_text(
        "@classLabel true p q\n@data\n"
        + "\n".join(",".join(map(str, row[:, 0])) + f":{y}" for row, y in zip(values, answers, strict=True))
    )
    long.write_csv(tmp_path / "a.csv")
    roles, named = Roles(target=("y",)), Roles(series="id", target=("y",))
    sources = [((values, answers), roles), (tmp_path / "a.ts", roles), (wide, roles), (tmp_path / "a.csv", named)]
    sources += [((wide.drop("y"), answers), roles), ((values[:, :, 0], np.array(answers)), roles), (long, named)]
    for source, with_roles in sources:
        found = read_answered(source, with_roles)
        assert found.values.flatten().tolist() == list(range(12)) and found.lengths.tolist() == [3] * 4
        assert found.table["y"].to_list() == answers and found.target == ("y",)


def schema(data, roles: Roles) -> SequenceSchema:
    found = read_answered(data, roles)
    return SequenceSchema(
        columns=columns_of(found),
        channels=fit_channels(found, np.arange(len(found))),
        answers="example",
        direction="both",
        series=roles.series,
        time=roles.time,
        steps=found.wide,
    )


def test_new_sequences_without_answers(tmp_path):
    wide = pl.DataFrame({"s0": [1.0, 2.0], "s1": [3.0, 4.0], "y": [0, 1]})
    trained = schema(wide, Roles(target=("y",)))
    assert read_inputs(trained, wide.drop("y")).values.flatten().tolist() == [1, 3, 2, 4]
    assert read_inputs(trained, wide).values.flatten().tolist() == [1, 3, 2, 4]
    assert read_inputs(trained, np.array([[1.0, 3.0], [2.0, 4.0]])).values.flatten().tolist() == [1, 3, 2, 4]
    assert read_inputs(trained, [np.array([1.0]), np.array([2.0, 3.0])]).lengths.tolist() == [1, 2]
    with pytest.raises(DataError, match="2 columns of training"):
        read_inputs(trained, np.zeros((4, 3)))
    (tmp_path / "new.ts").write_text("@data\n1,2,3\n4\n")
    assert read_inputs(trained, tmp_path / "new.ts").lengths.tolist() == [3, 1]


def test_new_long_tables_have_the_columns_of_training():
    long = pl.DataFrame({"id": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 4.0], "y": [0, 0, 1, 1]})
    trained = schema(long, Roles(series="id", target=("y",)))
    found = read_inputs(trained, long.select("x", "id").with_columns(extra=pl.lit("word")))
    assert found.lengths.tolist() == [2, 2] and found.channels == ("x",)
    with pytest.raises(DataError, match="no column 'id'"):
        read_inputs(trained, long.drop("id"))


def test_answers_must_be_there(tmp_path):
    (tmp_path / "a.ts").write_text("@data\n1,2,3\n4\n")
    for data in (tmp_path / "a.ts", pl.DataFrame({"a": [1.0], "b": [2.0]})):
        with pytest.raises(DataError, match="come without answers"):
            read_answered(data, Roles())
    with pytest.raises(DataError, match=r"expected a pair \(X, y\), got a tuple of 3"):
        read_answered((np.zeros((4, 5, 2)), np.zeros(4), np.zeros(4)), Roles())
