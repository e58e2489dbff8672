import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.data.fields import starts_of
from evenkeel.errors import DataError
from evenkeel.kinds.sequence.gaps import gap_notes, require_numbers
from evenkeel.kinds.sequence.schema import Sequences


def made(lengths=(3, 1, 2), gaps=(), infinite=(), names=None) -> Sequences:
    values = torch.arange(2.0 * sum(lengths)).reshape(-1, 2)
    for places, value in ((gaps, torch.nan), (infinite, -torch.inf)):
        for place, channel in places:
            values[place, channel] = value
    series = None if names is None else pl.Series("id", names)
    table = pl.DataFrame({"row": range(len(lengths))})
    return Sequences(values=values, starts=starts_of(lengths), channels=("a", "b"), table=table, names=series)


def test_nothing_is_said_where_nothing_is_missing():
    assert gap_notes(made()) == ()
    require_numbers(made())


def test_gaps_and_the_sequences_that_have_them_are_counted():
    assert gap_notes(made(gaps=[(0, 1)])) == (
        "1 of 12 values (8.3 %) is missing, in 1 of 3 sequences; a gap counts as the mean of its channel.",
    )
    (note,) = gap_notes(made(gaps=[(0, 1), (2, 0), (5, 1)]))
    assert note.startswith("3 of 12 values (25 %) are missing, in 2 of 3 sequences")
    (note,) = gap_notes(made(gaps=[(0, 1), (2, 0), (5, 1)]), np.array([1, 2]))
    assert note.startswith("1 of 6 values (17 %) is missing, in 1 of 2 sequences")


def test_infinite_values_are_named():
    assert gap_notes(made(infinite=[(0, 1)]))[1] == "1 of these is infinite and counts as missing."
    assert gap_notes(made(gaps=[(1, 1)], infinite=[(0, 1), (4, 0)]))[1].startswith(
        "2 of these are infinite and count as"
    )


@pytest.mark.parametrize(("count", "told"), [(6, False), (7, True)])
def test_more_than_half_is_said(count, told):
    notes = gap_notes(made(gaps=[divmod(place, 2) for place in range(count)]))
    assert any("More than half" in note for note in notes) is told


def test_a_sequence_without_any_number_is_named():
    nothing = made(gaps=[(3, 0)], infinite=[(3, 1)])
    with pytest.raises(DataError, match=r"sequence 1 holds no number in any channel; .*leave such sequences out"):
        require_numbers(nothing)
    require_numbers(nothing, np.array([0, 2]))
    require_numbers(made(gaps=[(3, 0)]))
    several = made(gaps=[(3, 0), (3, 1), (4, 0), (4, 1), (5, 0), (5, 1)], names=["p", "q", "r"])
    with pytest.raises(DataError, match=r"sequence 1 \('q'\) holds no number in any channel, nor does 1 other"):
        require_numbers(several)
    with pytest.raises(DataError, match=r"sequence 2 \('r'\) holds no number in any channel;"):
        require_numbers(several, np.array([0, 2]))
