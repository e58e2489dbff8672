import importlib
from pathlib import Path

import evenkeel.losses.focal  # noqa: F401 - importing the submodule must not hide the function
from evenkeel import losses
from evenkeel.parts import stub


def test_the_function_hides_its_submodule_for_good():
    for _ in range(2):
        assert callable(losses.focal)
        importlib.import_module("evenkeel.losses.focal")
    from evenkeel.losses import focal

    assert focal is losses.focal is losses.PARTS["focal"].call


def test_the_stub_is_up_to_date():
    text = Path(losses.__file__).with_suffix(".pyi").read_text()
    assert text == stub("evenkeel.losses", "from .base import Loss as Loss")


def test_every_loss_has_a_test_file():
    folder = Path(__file__).parent
    assert [name for name in losses.PARTS if not (folder / f"test_{name}.py").exists()] == []
