from typing import get_args

import pytest

from evenkeel import metrics
from evenkeel.errors import RequestError
from evenkeel.metrics.base import PredictionKind


@pytest.mark.parametrize("name", list(metrics.PARTS))
def test_what_a_metric_expects_is_a_known_word(name):
    assert set(metrics.PARTS[name].expects) <= set(get_args(PredictionKind))


def test_an_unknown_metric_is_answered_with_a_close_name():
    with pytest.raises(RequestError, match="no metric is called 'rsme'; did you mean 'rmse'"):
        metrics.PARTS["rsme"]
