import pytest

from evenkeel import heads, losses, metrics
from evenkeel.train.scores import metric_of


@pytest.mark.parametrize("name", heads.PARTS)
def test_a_record_names_losses_and_metrics_that_exist(name):
    part = heads.PARTS[name]
    assert part.call.default_loss in part.losses
    assert set(part.losses) <= set(losses.PARTS)
    assert {metric_of(metric) for metric in part.metrics} <= set(metrics.PARTS)
    assert part.summary and part.source
