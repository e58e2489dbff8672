import pytest
import torch

from evenkeel.data.fields import (
    Edges,
    Field,
    Hosted,
    Joined,
    Owners,
    Ragged,
    SharedField,
    Windows,
    all_rows,
    join,
    kept,
    pick,
    placed,
    starts_of,
)
from evenkeel.errors import ShapeError

PIECES = [torch.arange(4.0).reshape(2, 2), torch.empty(0, 2), 10 + torch.arange(6.0).reshape(3, 2)]
ROWS = [[0, 1, 2], [2, 0], [1], [2, 2, 0], []]
FIELDS: dict[str, Field] = {
    "tensor": torch.randn(3, 4),
    "ragged": Ragged(*join(PIECES)),
    "joined": Joined(*join(PIECES)),
    "edges": Edges(torch.tensor([[0, 1, 0], [1, 0, 2]]), starts_of([2, 0, 1]), starts_of([2, 1, 3])),
    "owners": Owners(starts_of([2, 0, 3])),
    "windows": Windows(torch.arange(10.0), torch.tensor([0, 3, 7]), 3),
    "whole": SharedField(torch.randn(5, 2), 3),
}


@pytest.mark.parametrize("rows", ROWS)
def test_ragged_pads_to_the_longest_of_the_batch(rows):
    field = Ragged(*join(PIECES), fill=-1.0)
    batch = field.index_select(0, torch.tensor(rows, dtype=torch.int64))
    longest = max((len(PIECES[row]) for row in rows), default=0)
    assert batch.shape == (len(rows), longest, 2)
    for row, values in zip(rows, batch, strict=True):
        size = len(PIECES[row])
        assert torch.equal(values[:size], PIECES[row]) and (values[size:] == -1).all()
    assert field.lengths.tolist() == [2, 0, 3]


@pytest.mark.parametrize("rows", ROWS)
def test_joined_is_the_pieces_one_after_the_other(rows):
    batch = Joined(*join(PIECES)).index_select(0, torch.tensor(rows, dtype=torch.int64))
    assert torch.equal(batch, torch.cat([PIECES[row] for row in rows] or [torch.empty(0, 2)]))
    owners = Owners(starts_of([2, 0, 3])).index_select(0, torch.tensor(rows, dtype=torch.int64))
    assert owners.tolist() == [number for number, row in enumerate(rows) for _ in PIECES[row]]


def test_edges_count_the_nodes_of_the_batch():
    field = FIELDS["edges"]
    assert field.index_select(0, torch.tensor([2, 0])).tolist() == [[0, 3, 4], [2, 4, 3]]


def test_windows_are_views_into_one_series():
    field = FIELDS["windows"]
    assert field.index_select(0, torch.tensor([2, 0])).tolist() == [[7.0, 8.0, 9.0], [0.0, 1.0, 2.0]]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_asked_in_the_same_way(name):
    field = FIELDS[name]
    assert isinstance(field, Field) and len(field) == 3
    rows = torch.tensor([2, 0])
    moved = field.to("cpu")
    assert torch.equal(moved.index_select(0, rows), field.index_select(0, rows))
    assert torch.equal(pick({"x": field}, rows)["x"], field.index_select(0, rows))
    assert torch.equal(all_rows(field), field.index_select(0, torch.arange(3)))
    assert kept(field) and all(isinstance(tensor, torch.Tensor) for tensor in kept(field))


def test_nothing_to_join_is_refused():
    with pytest.raises(ShapeError, match="expected at least one piece to join, got none"):
        join([])


def test_what_a_device_has_no_room_for_stays_on_the_host():
    value = torch.randn(6, 2)
    assert placed(value, torch.device("cpu")) is value
    field = Hosted(value, torch.device("cpu"))
    rows = torch.tensor([4, 1])
    assert len(field) == 6 and torch.equal(field.to("cpu").index_select(0, rows), value[rows])
