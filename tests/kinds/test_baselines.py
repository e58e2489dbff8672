import numpy as np
import torch

from _small import small_dataset
from evenkeel.heads import PARTS as HEADS
from evenkeel.kinds.baselines import baseline, linear_model


def test_a_rival_predicts_the_asked_rows_from_the_known_ones():
    data = small_dataset("regression")
    known, asked = torch.from_numpy(data.split.train), torch.from_numpy(data.split.test)
    predict = baseline(linear_model, lambda data, rows: data.inputs["numbers"][rows].nan_to_num().numpy())
    found = predict(HEADS["value"], data, known, asked, 0)
    truth = data.target[asked].numpy()
    assert found.shape == truth.shape and np.corrcoef(found, truth)[0, 1] > 0.5
    assert predict(HEADS["embedding"], data, known, asked, 0) is None, "nothing that a plain model learns"
