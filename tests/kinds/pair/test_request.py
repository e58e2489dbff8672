import numpy as np
import polars as pl
import pytest

from evenkeel.errors import RequestError
from evenkeel.kinds.base import DataRequest
from evenkeel.kinds.pair.kind import PairOptions
from evenkeel.kinds.pair.request import check_request

FRAME = pl.DataFrame({"s1": ["a", "b"], "s2": ["c", "d"], "score": [0.1, 0.9]})


def test_pairs_without_target_and_with_their_task_are_fine():
    check_request(FRAME, DataRequest(options=PairOptions()), [])
    check_request(FRAME, DataRequest(options=PairOptions(), task="embedding"), ["s1", "s2"])


@pytest.mark.parametrize("sides", [[], ["s1", "s2"]])
def test_two_texts_with_a_score_are_sent_to_their_kind(sides):
    with pytest.raises(RequestError, match=r"got 'score'; .*kind='text', settings=\{'text': 's1,s2'\}"):
        check_request(FRAME, DataRequest(options=PairOptions(), target="score"), sides)


@pytest.mark.parametrize("data", [FRAME.drop("s2"), (np.zeros(2), np.zeros(2)), "gone.csv"])
def test_other_targets_are_refused_without_that_hint(data):
    with pytest.raises(RequestError, match=r"pairs have no target, got 'score'.*'right': \.\.\.\}$"):
        check_request(data, DataRequest(options=PairOptions(), target="score"), [])


def test_another_task_is_refused():
    with pytest.raises(RequestError, match="pairs are embedded, task='regression' does not fit them"):
        check_request(FRAME, DataRequest(options=PairOptions(), task="regression"), [])
