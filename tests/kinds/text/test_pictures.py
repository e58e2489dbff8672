import numpy as np
import torch
from torch import nn

from _texts import films
from evenkeel import heads
from evenkeel.data.dataset import SplitRequest
from evenkeel.heads.answers import Answers
from evenkeel.kinds import PARTS as KINDS
from evenkeel.kinds.base import DataRequest, Shown
from evenkeel.kinds.text.pictures import keep_texts, text_pictures

TEXT = KINDS["text"]


def test_the_texts_themselves_are_kept_and_the_worst_mistake_comes_first():
    texts, names = films(40)
    data = TEXT.prepare((texts, names), DataRequest(split=SplitRequest(), options=TEXT.options())).dataset
    kept = keep_texts(data, torch.tensor([3, 0]))
    answers = Answers(truth=["good", "bad"], prediction=["bad", "bad"], miss=np.array([0.9, -0.9]))
    tensors = {name: tensor.numpy() for name, tensor in kept.items()}
    shown = Shown(schema=data.schema, head=heads.Value(4), network=nn.Identity(), tensors=tensors, answers=answers)
    page = text_pictures(shown)
    assert texts[3].split()[0] in page.svg + page.text
    assert text_pictures(Shown(schema=data.schema, head=heads.Value(4), network=nn.Identity(), tensors={})) is None
