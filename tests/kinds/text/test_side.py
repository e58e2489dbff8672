from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from evenkeel.kinds.side import SideRequest
from evenkeel.kinds.text.side import TEXT_SIDE

FRAME = pl.DataFrame({"left": ["a red cat", "a big dog", "a new bird"]})


@pytest.mark.parametrize(("order", "fields"), [("bag", {"pieces", "counts"}), ("order", {"tokens", "lengths"})])
def test_texts_are_read_as_asked_and_known_by_their_training_rows(order, fields):
    schema = TEXT_SIDE.fit(FRAME, np.arange(2), SideRequest(order=order))
    assert "bird" not in schema.tokens.tokens and {"red", "dog"} <= set(schema.tokens.tokens)
    assert set(TEXT_SIDE.encode(schema, FRAME.rename({"left": "right"}), Path())) == fields


def test_one_column_of_words_is_text():
    assert TEXT_SIDE.recognises(FRAME, Path())
    assert not TEXT_SIDE.recognises(FRAME.with_columns(n=1), Path())
    assert not TEXT_SIDE.recognises(torch.zeros(3, 1, 4, 4), Path())
