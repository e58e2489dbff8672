import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.fields import all_rows, starts_of
from evenkeel.errors import DataError
from evenkeel.kinds.sequence.schema import (
    Sequences,
    SequenceSchema,
    columns_of,
    encode_sequences,
    fit_channels,
)


def made(lengths=(3, 1, 2), channels=2, gaps=()) -> Sequences:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(sum(lengths), channels, generator=generator, dtype=torch.float64) * 3 + 5
    for place, channel in gaps:
        values[place, channel] = torch.nan
    names = tuple(f"x{index}" for index in range(channels))
    table = pl.DataFrame({"row": range(len(lengths))})
    return Sequences(values=values, starts=starts_of(lengths), channels=names, table=table)


def schema_of(found: Sequences, train=None) -> SequenceSchema:
    rows = np.arange(len(found)) if train is None else np.array(train)
    return SequenceSchema(
        columns=columns_of(found), channels=fit_channels(found, rows), answers="example", direction="both"
    )


def test_channels_are_standardised_by_the_training_rows_alone():
    found = made()
    schema = schema_of(found, [0, 2])
    known = found.values[[0, 1, 2, 4, 5]].numpy()
    assert [channel.center for channel in schema.channels] == pytest.approx(known.mean(0).tolist())
    assert [channel.width for channel in schema.channels] == pytest.approx(known.std(0).tolist())
    changed = made()
    changed.values[3] = 1e6
    assert schema_of(changed, [0, 2]).channels == schema.channels


def test_unequal_lengths_are_padded_and_counted():
    found = made()
    fields = encode_sequences(schema_of(found), found)
    assert all_rows(fields["lengths"]).tolist() == [3, 1, 2]
    padded = all_rows(fields["values"])
    assert padded.shape == (3, 3, 2) and padded.dtype == torch.float32 and (padded[1, 1:] == 0).all()
    scaled = (found.values - found.values.mean(0)) / found.values.std(0, correction=0)
    torch.testing.assert_close(padded[2, :2].double(), scaled[4:], rtol=1e-5, atol=1e-6)


def test_equal_lengths_are_one_plain_tensor_without_lengths():
    found = made((2, 2, 2))
    fields = encode_sequences(schema_of(found), found)
    assert list(fields) == ["values"] and isinstance(fields["values"], torch.Tensor)
    torch.testing.assert_close(fields["values"].flatten(0, 1).mean(0), torch.zeros(2), atol=1e-6, rtol=0)


def test_some_rows_are_those_rows():
    found = made()
    schema = schema_of(found)
    some, whole = (encode_sequences(schema, found, rows)["values"] for rows in (np.array([0, 2]), None))
    torch.testing.assert_close(all_rows(some), whole.index_select(0, torch.tensor([0, 2])))


def test_gaps_are_the_mean_and_marked_where_training_has_some():
    found = made((2, 2, 2), gaps=[(1, 1)])
    schema = schema_of(found)
    assert [channel.gaps for channel in schema.channels] == ["filled", "marked"] and schema.inputs == 3
    values = encode_sequences(schema, found)["values"]
    assert values[0, 1, 1] == 0 and values[..., 2].tolist() == [[0, 1], [0, 0], [0, 0]]
    new = made((2, 2, 2), gaps=[(0, 0)])
    values = encode_sequences(schema, new)["values"]
    assert values[0, 0, 0] == 0 and values.shape[2] == 3 and (values[..., 2] == 0).all()


def test_infinite_values_are_gaps():
    found = made((2, 2, 2))
    found.values[0, 0] = torch.inf
    schema = schema_of(found)
    assert schema.channels[0].gaps == "marked" and np.isfinite(schema.channels[0].center)
    assert all_rows(encode_sequences(schema, found)["values"]).isfinite().all()


def test_a_constant_channel_stays_finite_and_far_values_keep_their_differences():
    found = made((2, 2), channels=2)
    found.values[:, 0] = 7.1
    found.values[:, 1] = 1e9 + torch.arange(4.0, dtype=torch.float64)
    values = encode_sequences(schema_of(found), found)["values"]
    assert values[..., 0].abs().max() < 1e-6
    assert values[..., 1].flatten().diff().tolist() == pytest.approx([0.8944] * 3, abs=1e-3)


def test_nothing_to_learn_from_is_an_error():
    found = made((2, 2), channels=1)
    found.values[:2] = torch.nan
    with pytest.raises(DataError, match="hold no number in the training rows"):
        fit_channels(found, np.array([0]))


def test_other_channels_than_in_training_are_an_error():
    with pytest.raises(DataError, match=r"expected sequences of 2 channel\(s\) as in training, got 3"):
        encode_sequences(schema_of(made()), made(channels=3))


def test_columns_tell_steps_range_and_gaps():
    columns = columns_of(made(gaps=[(0, 1)]))
    assert [column.missing for column in columns] == [0, 1]
    assert columns[0].kind == "sequence" and columns[0].examples[0] == "1 to 3 steps"
    assert columns_of(made((2, 2)))[0].examples[0] == "2 steps"
    empty = made((2, 2), gaps=[(place, 0) for place in range(4)])
    assert columns_of(empty)[0].examples[1] == "no value"


def test_a_schema_survives_json():
    schema = schema_of(made(gaps=[(1, 1)]))
    assert SequenceSchema.model_validate_json(schema.model_dump_json()) == schema
