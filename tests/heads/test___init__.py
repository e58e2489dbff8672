from pathlib import Path

import pytest

from evenkeel import heads
from evenkeel.parts import stub


def test_the_stub_is_up_to_date():
    text = Path(heads.__file__).with_suffix(".pyi").read_text()
    assert text == stub("evenkeel.heads", "from .part import HeadPart as HeadPart")


@pytest.mark.parametrize("name", heads.PARTS)
def test_every_head_is_at_hand_by_its_class_and_has_a_test_file(name):
    assert getattr(heads, heads.PARTS[name].call.__name__) is heads.PARTS[name].call
    assert (Path(__file__).parent / f"test_{name}.py").exists()
