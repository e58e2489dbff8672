import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from evenkeel.nets.recurrent_block import RecurrentBlock, State, data_of, state_after, with_data
from evenkeel.nets.recurrent_cell import CELLS

LENGTHS = torch.tensor([2, 5, 1])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("norm", ["layer", "rms", None])
def test_it_adds_its_layer_to_what_passes_by(cell, norm):
    block, hidden = RecurrentBlock(8, cell, norm=norm, share=0.25), torch.randn(3, 5, 8)
    normed = hidden if block.norm is None else block.norm(hidden)
    expected = hidden + 0.5 * block.cell(normed)[0]
    torch.testing.assert_close(block(hidden)[0], expected)


@pytest.mark.parametrize("direction", ["past", "both"])
def test_packed_steps_are_those_of_each_example_alone(direction):
    block, hidden = RecurrentBlock(8, "lstm", direction=direction), torch.randn(3, 5, 8)
    packed = pack_padded_sequence(hidden, LENGTHS, batch_first=True, enforce_sorted=False)
    found, _ = block(packed)
    padded = pad_packed_sequence(found, batch_first=True)[0]
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = block(hidden[row : row + 1, :length])
        torch.testing.assert_close(padded[row, :length], alone[0])


def test_dropout_silences_units_of_the_layer_and_never_the_identity():
    block, hidden = RecurrentBlock(64, "gru", dropout=0.5), torch.randn(3, 5, 64)
    quiet = block.eval()(hidden)[0] - hidden
    loud = block.train()(hidden)[0] - hidden
    silenced = loud.abs() < 1e-6
    assert 0.4 < silenced.float().mean() < 0.6
    torch.testing.assert_close(loud[~silenced], 2 * quiet[~silenced], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_is_of_all_layers_and_gives_each_its_own(cell):
    blocks, hidden = [RecurrentBlock(8, cell) for _ in range(3)], torch.randn(2, 4, 8)
    ends = [block(hidden)[1] for block in blocks]
    state = state_after(ends, 4)
    assert isinstance(state, State) and (state.batch, state.steps) == (2, 4)
    assert (state.cell is not None) == (cell == "lstm")
    for number, end in enumerate(ends):
        given = state.layer(number)
        torch.testing.assert_close(given, end)
        torch.testing.assert_close(blocks[number](hidden, given)[0], blocks[number](hidden, end)[0])


def test_numbers_are_exchanged_in_place_of_others():
    hidden = torch.randn(3, 5, 8)
    packed = pack_padded_sequence(hidden, LENGTHS, batch_first=True, enforce_sorted=False)
    assert data_of(hidden) is hidden and data_of(packed).shape == (8, 8)
    doubled = pad_packed_sequence(with_data(packed, 2 * packed.data), batch_first=True)[0]
    assert torch.equal(doubled[1], 2 * hidden[1])
