import importlib
from pathlib import Path

from evenkeel import metrics
from evenkeel.parts import stub


def test_the_function_hides_its_submodule_for_good():
    importlib.import_module("evenkeel.metrics.auc")
    assert all(metrics.PARTS[name].call is getattr(metrics, name) for name in metrics.PARTS)


def test_the_stub_is_up_to_date():
    text = Path(metrics.__file__).with_suffix(".pyi").read_text()
    assert text == stub("evenkeel.metrics", "from .base import Metric as Metric")


def test_every_metric_has_a_test_file():
    folder = Path(__file__).parent
    assert [name for name in metrics.PARTS if not (folder / f"test_{name}.py").exists()] == []
