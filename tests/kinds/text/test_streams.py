import numpy as np
import pytest
import torch

from evenkeel.data.fields import all_rows
from evenkeel.errors import DataError
from evenkeel.kinds.text import streams
from evenkeel.kinds.text.streams import Cuts, encode_stream, read_stream

CUTS = Cuts(0.1, 0.2)
TEXT = "".join(f"line {number} of the text\n" for number in [*range(70), *range(30)])


def read(text: str = TEXT, unit: str = "characters", *, window: int = 16, cuts: Cuts = CUTS, **options):
    return read_stream(text, unit, **{"vocabulary": 500, "window": window, "cuts": cuts, **options})


@pytest.mark.parametrize("unit", ["characters", "bytes", "words", "bpe"])
def test_the_answer_to_each_step_is_the_token_after_it(unit):
    stream = read(unit=unit)
    inputs, answers = all_rows(stream.inputs), all_rows(stream.target)
    assert inputs.shape == answers.shape and inputs.dtype == torch.int32
    torch.testing.assert_close(inputs[:, 1:], answers[:, :-1])
    decode = stream.schema.tokens.decode
    whole = decode(stream.inputs.series)
    assert whole[:1300] == TEXT[:1300]  # a word that is cut in two at the end of a part may be unseen
    assert all(
        decode([*row[:1], *answer]) in whole for row, answer in zip(inputs.tolist(), answers.tolist(), strict=True)
    )


def test_parts_lie_one_after_the_other_and_share_no_token_that_is_answered():
    stream = read()
    answered = []
    for rows in (stream.split.train, stream.split.validation, stream.split.test):
        starts = stream.target.starts[torch.from_numpy(rows)]
        answered.append(set((starts.unsqueeze(1) + torch.arange(16)).flatten().tolist()))
    assert max(answered[0]) < min(answered[1]) and max(answered[1]) < min(answered[2])
    assert max(answered[0]) < round(len(TEXT) * 0.7) + 1
    assert len(answered[2]) == 16 * len(stream.split.test)  # each token of the test part counts once
    steps = np.diff(stream.inputs.starts[torch.from_numpy(stream.split.train)])
    assert (steps == 16 // streams.OVERLAP).all()


def test_tokens_are_learned_on_the_training_part_alone():
    stream = read(TEXT + "Ω" * 200, cuts=Cuts(0.0, 0.1))
    assert "Ω" not in stream.schema.tokens.tokens
    assert any("200 of" in note and "not among the" in note for note in stream.notes)
    assert not len(stream.split.validation)


def test_long_parts_are_measured_on_evenly(monkeypatch):
    monkeypatch.setattr(streams, "MOST_HELD", 64)
    stream = read()
    assert len(stream.split.test) == 4 and "4 of" in stream.notes[-1]
    starts = stream.inputs.starts[torch.from_numpy(stream.split.test)]
    assert starts[0] == len(TEXT) - round(0.2 * len(TEXT)) and starts[-1] > len(TEXT) - 32
    monkeypatch.setattr(streams, "SHORT", 0)  # then windows that train do not overlap either
    assert (np.diff(read().inputs.starts[torch.from_numpy(read().split.train)]) == 16).all()


def test_a_short_text_gets_a_shorter_window_and_a_shorter_one_is_refused():
    assert read(TEXT[:300], window=128).schema.window == 26
    with pytest.raises(DataError, match=r"the text is too short: its parts have 14, 2, 4 tokens, expected at least 32"):
        read(TEXT[:20])
    with pytest.raises(DataError, match="too short"):
        read("")


def test_another_text_is_read_window_by_window():
    stream = read()
    inputs, answers = encode_stream(stream.schema, TEXT[:50])
    assert len(inputs) == 3 and stream.schema.tokens.decode(all_rows(answers)[1]) == TEXT[17:33]
    with pytest.raises(DataError, match="expected a text of more than 16 tokens, as long as those of training, got 16"):
        encode_stream(stream.schema, TEXT[:16])
