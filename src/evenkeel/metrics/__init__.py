"""The metrics: pure functions of gathered predictions and targets, one a file, listed by reading this folder.

Each takes `(prediction, target)` as tensors or numpy arrays, an optional weight per row, computes in float64 and
returns a Python float, or None where the data cannot answer (an AUC of one class). `PARTS` holds one record a metric by
name: what it is for, which prediction it takes, and whether more is better.
"""

from evenkeel.metrics.base import Metric as Metric
from evenkeel.parts import Registry, fill

PARTS: Registry[Metric] = fill(__name__, "metric", globals())
