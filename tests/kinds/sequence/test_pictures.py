import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from evenkeel import heads
from evenkeel.data.dataset import SplitRequest
from evenkeel.heads.answers import Answers
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest, Shown
from evenkeel.kinds.sequence.pictures import keep_sequences, sequence_pictures
from kinds._sequences import waves

KIND = KINDS["sequence"]
SCHEMA = KIND.schema.model_construct()


@pytest.mark.parametrize("equal", [True, False])
def test_the_first_sequences_are_kept_with_their_lengths(equal):
    request = DataRequest(split=SplitRequest(test=0.0), options=KIND.options())
    data = KIND.prepare(waves(equal=equal), request).dataset
    kept = keep_sequences(data, torch.arange(5))
    lengths = [len(sequence) for sequence in waves(equal=equal)[0][:5]]
    assert kept["lengths"].tolist() == lengths and kept["values"].shape[:2] == (5, max(lengths))
    assert keep_sequences(data, torch.arange(0)) == {}
    answers = Answers(truth=["a"] * 5, prediction=["b"] * 5, miss=np.arange(5.0), right=np.zeros(5, bool))
    tensors = {name: tensor.numpy() for name, tensor in kept.items()}
    shown = Shown(schema=data.schema, head=heads.Value(4), network=nn.Identity(), tensors=tensors, answers=answers)
    section = sequence_pictures(shown)
    assert section is not None and "<path" in section.svg and "true: a" in section.svg
    by_step = dataclasses.replace(shown, schema=data.schema.model_copy(update={"answers": "step"}))
    assert "true: a" not in sequence_pictures(by_step).svg, "an answer for each step is not one of the sequence"


def test_nothing_kept_is_nothing_shown():
    assert KIND.pictures(Shown(schema=SCHEMA, head=heads.Value(4), network=nn.Identity(), tensors={})) is None
