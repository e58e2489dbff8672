import math

from evenkeel.page import BaselineRow, BaselinesSection, ShownMetric
from evenkeel.page.baselines import baselines_section


def test_the_best_of_every_metric_is_bold(make):
    drawn = baselines_section(make["baselines_section"]())
    assert "<strong>55.7</strong>" in drawn and "<strong>0.334</strong>" in drawn and "<strong>58.3" not in drawn
    assert "<strong>this network</strong>" in drawn and "RMSE ↓ (points)" in drawn and "R² ↑" in drawn


def test_what_was_not_measured_is_a_dash():
    metrics = [ShownMetric(name="auc", better="higher")]
    rows = [BaselineRow(name="a", values=[None]), BaselineRow(name="b", values=[math.nan])]
    drawn = baselines_section(BaselinesSection(metrics=metrics, rows=rows))
    assert drawn.count("–</td>") == 2 and "<strong>" not in drawn
